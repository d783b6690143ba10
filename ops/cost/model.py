"""The words of an estimate: what is needed, what each item costs, and the sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Parts whose cost grows with the lectures that are uploaded and watched.
LECTURE_PARTS = frozenset({"video workers", "lectures"})


@dataclass(frozen=True)
class Need:
    """A month's use of one price.

    `part` is what it is for ("database"), `price` a key of the price table, `quantity` in the
    price's unit, `source` the resource or the assumption that asks for it.
    """

    part: str
    price: str
    quantity: float
    source: str
    #: Share of the list price that is paid: below 1 for Spot.
    share: float = 1.0


@dataclass(frozen=True)
class Item:
    """One line of the bill: `free` of `quantity` cost nothing, the rest `unit_usd` each.

    `unit_usd` is `share` of the list price.
    """

    part: str
    price: str
    quantity: float
    unit: str
    free: float
    unit_usd: float
    share: float
    monthly_usd: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """A month's bill. The platform's share stands whether or not a lecture is uploaded."""

    items: Sequence[Item]
    target_usd: float | None = None

    @property
    def total_usd(self) -> float:
        """What everything costs."""
        return sum(item.monthly_usd for item in self.items)

    @property
    def lectures_usd(self) -> float:
        """What encoding, uploading, keeping and delivering the lectures costs."""
        return sum(item.monthly_usd for item in self.items if item.part in LECTURE_PARTS)

    @property
    def platform_usd(self) -> float:
        """What is left without lectures."""
        return self.total_usd - self.lectures_usd

    @property
    def platform_is_above_target(self) -> bool:
        """Whether a target is set and the platform alone misses it."""
        return self.target_usd is not None and self.platform_usd > self.target_usd

"""An estimate as a table, as Markdown and as JSON: the same lines in each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from ops.cost.choices import Choice, choices
from ops.cost.model import Estimate, Item
from ops.cost.prices import Prices
from ops.cost.usage import Usage
from ops.cost.ways import Way, ways


@dataclass(frozen=True)
class Bill:
    """An estimate with what it is read with."""

    environment: str
    users_a_day: int
    estimate: Estimate
    usage: Usage
    prices: Prices

    @property
    def title(self) -> str:
        """Environment, size, who uses it, and the date of the prices."""
        return (
            f"{self.environment}, made for {self.users_a_day} users a day and used by "
            f"{self.usage.users_a_day}: USD a month in {self.prices.region}, "
            f"prices of {self.prices.as_of}"
        )

    @property
    def ordered(self) -> list[Item]:
        """Items with the dearest part first, and within it the dearest item."""
        parts: dict[str, float] = {}
        for item in self.estimate.items:
            parts[item.part] = parts.get(item.part, 0.0) + item.monthly_usd
        return sorted(
            self.estimate.items, key=lambda x: (-parts[x.part], x.part, -x.monthly_usd, x.price)
        )

    @property
    def choices(self) -> list[Choice]:
        """What costs more than it had to."""
        return list(choices(self.estimate, self.prices))

    @property
    def ways(self) -> list[Way]:
        """Ways for the lectures, where the environment has users enough to matter."""
        return ways(self.usage, self.prices) if self.estimate.target_usd else []

    def verdict(self) -> list[str]:
        """Return the sums against the target, in sentences."""
        made, lectures = self.estimate, self.usage.lectures
        said = [
            f"Platform {made.platform_usd:.2f} + lectures {made.lectures_usd:.2f} "
            f"({lectures.a_day:g} a day of {lectures.minutes:g} minutes) = {made.total_usd:.2f}."
        ]
        if made.target_usd:
            said.append(_against(made.target_usd, "The platform", made.platform_usd))
            said.append(_against(made.target_usd, "With its lectures it", made.total_usd))
        return said


def _against(target: float, what: str, usd: float) -> str:
    if usd <= target:
        return f"{what} is within the target of {target:g}: headroom {target - usd:.2f}."
    return f"{what} is {usd - target:.2f} above the target of {target:g}."


#: Amounts from here on are shown without decimals.
_WHOLE_FROM = 100
_HEAD = ("part", "item", "quantity", "unit price", "month", "share")


def rows(bill: Bill) -> Iterable[tuple[str, ...]]:
    """Yield the cells of each item."""
    total = bill.estimate.total_usd or 1.0
    for item in bill.ordered:
        free = f" ({_amount(item.free)} free)" if item.free else ""
        yield (
            item.part,
            f"{item.price} (Spot)" if item.share < 1 else item.price,
            f"{_amount(item.quantity)} {item.unit}{free}",
            f"{item.unit_usd:.6g}",
            f"{item.monthly_usd:.2f}",
            f"{item.monthly_usd / total:.0%}",
        )


def table(bill: Bill) -> RenderableType:
    """Return the bill for a terminal."""
    items = Table(*_HEAD, title=escape(bill.title), title_justify="left", box=None)
    for column in items.columns[3:]:
        column.justify = "right"
    for cells in rows(bill):
        items.add_row(*cells)
    notes = [*bill.verdict(), *_notes(bill)]
    return Group(items, "", *notes, "")


def markdown(bill: Bill) -> str:
    """Return the bill for a page or a pull request."""
    head = [f"### {bill.title}", "", *bill.verdict(), ""]
    lines = [_row(_HEAD), _row(["---"] * 3 + ["---:"] * 3), *map(_row, rows(bill))]
    return "\n".join([*head, *lines, "", *_notes(bill), ""])


def as_json(bill: Bill) -> dict[str, Any]:
    """Return the bill as plain values."""
    made = bill.estimate
    return {
        "environment": bill.environment,
        "users_a_day": bill.users_a_day,
        "region": bill.prices.region,
        "currency": bill.prices.currency,
        "prices_as_of": bill.prices.as_of.isoformat(),
        "total_usd": made.total_usd,
        "platform_usd": made.platform_usd,
        "lectures_usd": made.lectures_usd,
        "target_usd": made.target_usd,
        "items": [asdict(item) for item in bill.ordered],
        "choices": [asdict(each) for each in bill.choices],
        "ways": [{**asdict(each), "usd": each.usd} for each in bill.ways],
    }


def _notes(bill: Bill) -> list[str]:
    notes = []
    if bill.choices:
        notes += ["Choices that cost more:"]
        notes += [f"- {x.name}: +{x.extra_usd:.2f} (cheaper: {x.instead})" for x in bill.choices]
    if bill.ways:
        notes += [
            "Ways for the lectures, sent and kept (what is kept grows by as much each month):"
        ]
        notes += [
            f"- {x.name}: {x.usd:.2f} = {x.out_usd:.2f} + {x.kept_usd:.2f}" for x in bill.ways
        ]
    return notes


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.3g}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

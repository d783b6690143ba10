"""Choices that cost more than something cheaper would, each with the amount and what is cheaper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ops.cost.model import Estimate, Item
from ops.cost.prices import Prices

#: Returns what an item costs more than its alternative; 0 where it has none.
Extra = Callable[[Item, Prices], float]


@dataclass(frozen=True)
class Choice:
    """A choice in the configuration: what it is, the dollars that it adds, and the alternative."""

    name: str
    extra_usd: float
    instead: str


def _whole(item: Item, prices: Prices) -> float:
    return item.monthly_usd


def _against(old: str, new: str) -> Extra:
    """Return what an item costs more than with another price: `rds.multi` as `rds.single`."""

    def extra(item: Item, prices: Prices) -> float:
        alternative = prices.of(item.price.replace(old, new, 1)).usd
        return item.monthly_usd * (1 - alternative / prices.of(item.price).usd)

    return extra


def _against_spot(item: Item, prices: Prices) -> float:
    return 0.0 if item.share < 1 else item.monthly_usd * prices.spot_discount


def _second_and_further(item: Item, prices: Prices) -> float:
    machines = item.quantity / prices.hours_per_month
    return item.monthly_usd * max(0.0, 1 - 1 / machines)


#: Name, part, start of the price's key, what is paid more, and what would be cheaper.
_CHOICES: tuple[tuple[str, str, str, Extra, str], ...] = (
    (
        "Multi-AZ database", "database", "rds.multi", _against(".multi", ".single"),
        "database.rds.multi_az false: a lost zone means a restore",
    ),
    (
        "Multi-AZ storage", "database", "rds.storage.multi", _against(".multi", ".single"),
        "as the line above",
    ),
    ("read replicas", "read replicas", "", _whole, "database.rds.read_replicas 0"),
    (
        "Redis OSS", "Redis", "redis.", _against("redis.", "valkey."),
        "the same node with Valkey",
    ),
    (
        "managed Redis", "Redis", "", _whole,
        "redis.external: one that exists already",
    ),
    (
        "API instances beyond the first", "API", "ec2.", _second_and_further,
        "api.min_instances 1: a lost instance means minutes without API",
    ),
    ("NAT", "NAT", "", _whole, "network.nat none: public addresses, nothing open to them"),
    ("interface endpoints", "interface endpoints", "", _whole, "network.interface_endpoints false"),
    ("firewall for web requests", "WAF", "", _whole, "edge.provider none: the API alone limits"),
    ("daily backups in a locked vault", "backup", "", _whole, "backup null: RDS's own alone"),
    ("alarms beyond the ten free ones", "alarms", "", _whole, "fewer alarms"),
    ("video on demand", "video workers", "ec2.", _against_spot, "workers.video.spot_percent 100"),
    ("AI on demand", "ai workers", "ec2.", _against_spot, "workers.ai.spot_percent 100"),
    (
        "messaging on demand", "messaging workers", "ec2.", _against_spot,
        "workers.messaging.spot_percent 100: a message cut off is not sent",
    ),
)  # fmt: skip


def choices(estimate: Estimate, prices: Prices) -> Iterator[Choice]:
    """Yield the choices that add to a bill, in the table's order."""
    for name, part, start, extra, instead in _CHOICES:
        found = [x for x in estimate.items if x.part == part and x.price.startswith(start)]
        added = sum(extra(item, prices) for item in found)
        if added > 0:
            yield Choice(name, added, instead)

"""Templates, use and prices in; the month's bill out. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ops.changes.model import Templates
from ops.cost import traffic, watching
from ops.cost.catalog import FREE, PRICED
from ops.cost.estate import Estate, Month
from ops.cost.model import LECTURE_PARTS, Estimate, Item, Need
from ops.cost.prices import Prices
from ops.cost.usage import Usage
from ops.errors import OperatorError


def estimate(templates: Templates, usage: Usage, prices: Prices) -> Estimate:
    """Return what a month of an environment costs, item by item.

    `templates` by stack name, as the assembly's manifest has them: references between stacks name
    stacks so.

    Raises: OperatorError for a resource type that is neither priced nor known to be free, and for
    a price that the table lacks.
    """
    month = Month(Estate(templates), usage, prices)
    if unknown := sorted({each.type_name for each in month.estate} - {*PRICED, *FREE}):
        raise OperatorError(
            f"no price is known for {', '.join(unknown)}",
            hint="price it in ops/cost/catalog.py, or say there why it is free",
        )
    # What is free goes to the platform first: lectures come on top.
    needs = sorted(_needs(month), key=lambda need: need.part in LECTURE_PARTS)
    return Estimate(items=tuple(_items(needs, prices)), target_usd=usage.target_usd)


def _needs(month: Month) -> Iterator[Need]:
    for resource in month.estate:
        if pricer := PRICED.get(resource.type_name):
            yield from pricer(resource, month)
    yield from watching.logs(month)
    yield from watching.metrics(month)
    yield from traffic.platform(month)
    yield from traffic.lectures(month)


def _items(needs: Iterable[Need], prices: Prices) -> Iterator[Item]:
    """Add up what is the same for the same part, and spend each price's free amount in order."""
    together: dict[tuple[str, str, float], list[Need]] = defaultdict(list)
    for need in needs:
        together[need.part, need.price, need.share].append(need)
    left = {key: price.free or 0.0 for key, price in prices.prices.items()}
    for (part, key, share), same in together.items():
        price = prices.of(key)
        quantity = sum(need.quantity for need in same)
        free = min(quantity, left[key])
        left[key] -= free
        unit_usd = price.usd * share
        yield Item(
            part=part,
            price=key,
            quantity=quantity,
            unit=price.unit,
            free=free,
            unit_usd=unit_usd,
            share=share,
            monthly_usd=(quantity - free) * unit_usd,
            sources=tuple(dict.fromkeys(need.source for need in same)),
        )

"""What an hour of a fleet's instance costs: on demand, as Spot, and stopped."""

from __future__ import annotations

from collections.abc import Iterable

from ops.cost.estate import Month, Resource
from ops.cost.machines import machine, template_of
from ops.cost.model import Need
from ops.simulate.fleet import Tariff


def tariff(group: Resource, month: Month) -> Tariff:
    """Price an instance with its disks and address, as `academy cost` does.

    On demand is the first type listed; Spot is spread over all of them, at the mean discount.
    A stopped instance costs its disks.
    """
    types = _types(group, month)
    paid = 1 - month.prices.spot_discount
    on_demand = list(_hour(group, month, [(types[0], 1.0, 1.0)]))
    spot = _hour(group, month, [(each, 1 / len(types), paid) for each in types])
    stopped = [each for each in on_demand if each.price.startswith("ebs.")]
    return Tariff(_usd(on_demand, month), _usd(spot, month), _usd(stopped, month))


def _types(group: Resource, month: Month) -> list[str]:
    template = group.properties.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    listed = [each["InstanceType"] for each in template.get("Overrides", [])]
    return listed or [template_of(group, month).properties["LaunchTemplateData"]["InstanceType"]]


def _hour(group: Resource, month: Month, types: list[tuple[str, float, float]]) -> Iterable[Need]:
    return machine("", template_of(group, month), group, types, month)


def _usd(needs: Iterable[Need], month: Month) -> float:
    return sum(each.quantity * each.share * month.prices.of(each.price).usd for each in needs)

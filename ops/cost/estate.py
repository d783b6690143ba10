"""Synthesized templates as one estate of resources, with references followed across stacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ops.changes.model import Templates
from ops.changes.references import Exports, references
from ops.cost.prices import Prices
from ops.cost.usage import Usage


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type_name: str
    properties: dict[str, Any]

    @property
    def name(self) -> str:
        """Stack and logical id, as an operator finds it."""
        return f"{self.stack}/{self.logical_id}"


class Estate:
    """All resources of an environment."""

    def __init__(self, templates: Templates) -> None:
        self._exports = Exports(templates)
        self._by_key = {
            (stack, logical): Resource(stack, logical, body["Type"], body.get("Properties", {}))
            for stack, template in sorted(templates.items())
            for logical, body in template.get("Resources", {}).items()
        }

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_key.values())

    def of_type(self, type_name: str) -> list[Resource]:
        """Return the resources of a type."""
        return [each for each in self if each.type_name == type_name]

    def named(self, resource: Resource, value: Any) -> list[Resource]:
        """Return the resources that a value of `resource` names, also in other stacks."""
        found = references(resource.stack, self._exports.resolve(value))
        return [self._by_key[key] for key in found if key in self._by_key]

    @property
    def on_r2(self) -> bool:
        """Whether lectures lie on Cloudflare R2, whose settings are then applied from here."""
        return bool(self.of_type("Custom::R2BucketSettings"))


@dataclass(frozen=True)
class Month:
    """What a resource is priced with: the estate around it, its use, and the price table."""

    estate: Estate
    usage: Usage
    prices: Prices

    @property
    def hours(self) -> float:
        """Hours of the month."""
        return self.prices.hours_per_month

    @property
    def days(self) -> float:
        """Days of the month."""
        return self.prices.days_per_month

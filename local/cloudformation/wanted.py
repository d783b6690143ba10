"""Resources as a target wants them, resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloudformation.intrinsics import Resolver
from local.cloudformation.template import Definition, Template


@dataclass(frozen=True)
class Wanted:
    """One resource; `properties` are resolved but for dynamic references.

    `policies` holds UpdatePolicy and CreationPolicy; `needs` what it is created after.
    """

    definition: Definition
    properties: Mapping[str, Any]
    policies: Mapping[str, Any]
    needs: frozenset[str]


def active_definitions(template: Template, resolver: Resolver) -> dict[str, Definition]:
    """Return the resources whose condition holds, with all conditions evaluated."""
    for name in template.conditions:
        resolver.condition(name)
    return {
        name: definition
        for name, definition in template.resources.items()
        if definition.condition is None or resolver.condition(definition.condition)
    }


def resolve_resource(resolver: Resolver, definition: Definition, needs: frozenset[str]) -> Wanted:
    """Return a resource as it is wanted. Raises: DeploymentError for what does not resolve."""
    return Wanted(
        definition=definition,
        properties=resolver.resolve(definition.properties),
        policies={
            "UpdatePolicy": resolver.resolve(definition.update_policy),
            "CreationPolicy": resolver.resolve(definition.creation_policy),
        },
        needs=needs,
    )

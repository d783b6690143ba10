"""Which resource needs which: an order to create in; its reverse to delete in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.cloudformation.errors import validation
from local.cloudformation.template import Definition

_VARIABLE = re.compile(r"\$\{([^!}.]+)(?:\.[^}]*)?\}")


def dependencies(definition: Definition, among: Iterable[str]) -> frozenset[str]:
    """Return the logical ids of `among` that a resource refers to or depends on."""
    parts = (definition.properties, definition.update_policy, definition.creation_policy)
    names = set(definition.depends_on)
    for part in parts:
        names |= _references(part)
    return frozenset(names & set(among))


def in_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the keys so that each comes after those it needs.

    Raises: ServiceError naming a circle.
    """
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        names = ", ".join(sorted(set(error.args[1])))
        raise validation(f"Circular dependency between resources: [{names}]") from None


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(_references(item) for item in value)) if value else set()
    if not isinstance(value, Mapping):
        return set()
    found: set[str] = set()
    for key, item in value.items():
        if key == "Ref" and isinstance(item, str):
            found.add(item)
        elif key == "Fn::GetAtt":
            found.add(item.split(".")[0] if isinstance(item, str) else str(item[0]))
        elif key == "Fn::Sub":
            found |= _in_sub(item)
        else:
            found |= _references(item)
    return found


def _in_sub(argument: Any) -> set[str]:
    if isinstance(argument, list):
        return _in_sub(argument[0]) | _references(argument[1:])
    return {name.strip() for name in _VARIABLE.findall(str(argument))}

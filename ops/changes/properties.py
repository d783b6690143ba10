"""The values in which two versions of a resource differ, each by its path."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ops.changes.model import PropertyChange, Template

#: What says nothing about how a resource is made, or orders only its making.
_IGNORED = frozenset({"Type", "Metadata", "DependsOn"})


def differences(before: Template, after: Template) -> tuple[PropertyChange, ...]:
    """Return what differs between two versions of a resource, metadata apart."""
    old, new = ({k: v for k, v in side.items() if k not in _IGNORED} for side in (before, after))
    found = _between("", old, new)
    return tuple(
        PropertyChange(each.path.removeprefix("Properties."), each.before, each.after)
        for each in found
    )


def is_reference(value: Any) -> bool:
    """Tell whether a value is one of CloudFormation's functions, to be shown as one."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name in {"Ref", "Imported"} or name.startswith("Fn::")


def _between(path: str, old: Any, new: Any) -> Iterator[PropertyChange]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and not _is_leaf(old, new):
        for key in sorted(old.keys() | new.keys()):
            yield from _between(_join(path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _between_lists(path, old, new)
    else:
        yield PropertyChange(path, old, new)


def _is_leaf(old: Any, new: Any) -> bool:
    return is_reference(old) or is_reference(new)


def _between_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[PropertyChange]:
    """Yield the items that one side alone has; as many on both sides are taken as changed."""
    gone, made = _only(old, new), _only(new, old)
    if not gone and not made:
        yield PropertyChange(f"{path} (order)", old, new)
    elif len(gone) == len(made):
        for (index, was), (_, will_be) in zip(gone, made, strict=True):
            yield from _between(_join(path, str(index)), was, will_be)
    else:
        for index, was in gone:
            yield PropertyChange(_join(path, str(index)), was, None)
        for index, will_be in made:
            yield PropertyChange(_join(path, str(index)), None, will_be)


def _only(items: list[Any], others: list[Any]) -> list[tuple[int, Any]]:
    """Return the items, with their index, that the others do not have as often."""
    left = Counter(map(_canonical, others))
    found = []
    for index, item in enumerate(items):
        text = _canonical(item)
        if left[text]:
            left[text] -= 1
        else:
            found.append((index, item))
    return found


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key

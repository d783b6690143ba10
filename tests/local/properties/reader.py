"""A reader of one resource type, and how what it read is compared with the template."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """Reads one type.

    `read(aws, physical_id, template)` returns CloudFormation-shaped properties; `template` is for
    identity alone (the function of a permission). `unreadable` names properties that no describe
    call shows, each with its reason. `partial` names lists of which AWS shows more than was asked.
    `attributes` returns the values of Fn::GetAtt.
    """

    type_name: str
    read: Callable[[Any, str, Properties], Properties]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    partial: frozenset[str] = frozenset({"Tags"})
    attributes: Callable[[Any, str], Mapping[str, Any]] = lambda aws, physical_id: {}


def differences(reader: Reader, template: Properties, actual: Properties) -> list[str]:
    """Return one line for each property of the template that is not there as it was asked."""
    found = []
    for name, expected in template.items():
        if name in reader.unreadable:
            continue
        if name not in actual:
            found.append(f"{name}: nothing compares it")
        elif not covers(plain(actual[name]), plain(expected), partial=name in reader.partial):
            found.append(f"{name}: template {plain(expected)}, exists {plain(actual[name])}")
    return found


def plain(value: Any) -> Any:
    """Return a value without the freedoms of CloudFormation: scalars as text, JSON parsed."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return plain(json.loads(value))
        except json.JSONDecodeError:
            return value
    return str(value)


def covers(actual: Any, expected: Any, *, partial: bool = False) -> bool:
    """Say whether `actual` is what was asked.

    An object may show more members (AWS adds defaults); a list has the same items in any order,
    or more of them where `partial`.
    """
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            key in actual and covers(actual[key], item) for key, item in expected.items()
        )
    if isinstance(expected, list):
        if not isinstance(actual, list):
            return len(expected) == 1 and covers(actual, expected[0])
        left = list(actual)
        for item in expected:
            match = next((other for other in left if covers(other, item)), None)
            if match is None:
                return False
            left.remove(match)
        return partial or not left
    if isinstance(actual, list) and len(actual) == 1:
        return bool(actual[0] == expected)
    return bool(actual == expected)


def present(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {key: value for key, value in values.items() if value is not None}


def chosen(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the named members that a describe call really showed."""
    return {name: source[name] for name in names if name in source}

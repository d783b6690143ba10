"""Parameters of a stack: defaults, previous values, constraints, and values that SSM holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloudformation.errors import validation

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_MASK = "****"


@dataclass(frozen=True)
class Parameter:
    """One parameter's value as given, and as it resolves when SSM holds it.

    `resolved` is None for a plain parameter.
    """

    key: str
    given: str
    type_name: str = "String"
    resolved: str | None = None
    no_echo: bool = False

    @property
    def value(self) -> str | list[str]:
        """What Ref returns: a list for the list types."""
        raw = self.given if self.resolved is None else self.resolved
        inner = _SSM.fullmatch(self.type_name)
        kind = inner.group(1) if inner else self.type_name
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [item.strip() for item in raw.split(",")] if raw else []
        return raw

    def described(self) -> dict[str, Any]:
        """Return the parameter as DescribeStacks shows it."""
        shown = {"ParameterKey": self.key, "ParameterValue": _MASK if self.no_echo else self.given}
        return shown if self.resolved is None else {**shown, "ResolvedValue": self.resolved}


def settle(
    declared: Mapping[str, Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, Parameter],
    from_ssm: Callable[[str], str],
) -> dict[str, Parameter]:
    """Return every declared parameter's value.

    `from_ssm` reads a parameter of Systems Manager by name.

    Raises: ServiceError naming parameters that are undeclared, without a value, or outside of
    what their declaration allows.
    """
    if undeclared := sorted({item["ParameterKey"] for item in given} - set(declared)):
        raise validation(f"Parameters: [{', '.join(undeclared)}] do not exist in the template")
    values = {item["ParameterKey"]: _given(item, previous) for item in given}
    for key, declaration in declared.items():
        if key not in values and "Default" in declaration:
            values[key] = _text(declaration["Default"])
    if missing := sorted(set(declared) - set(values)):
        raise validation(f"Parameters: [{', '.join(missing)}] must have values")
    return {key: _parameter(key, declared[key], values[key], from_ssm) for key in declared}


def _given(item: Mapping[str, Any], previous: Mapping[str, Parameter]) -> str:
    key = item["ParameterKey"]
    if not item.get("UsePreviousValue"):
        return _text(item.get("ParameterValue", ""))
    if key not in previous:
        raise validation(f"Parameter {key} has no previous value to use")
    return previous[key].given


def _parameter(
    key: str, declaration: Mapping[str, Any], given: str, from_ssm: Callable[[str], str]
) -> Parameter:
    kind = declaration.get("Type", "String")
    _check(key, declaration, given)
    return Parameter(
        key=key,
        given=given,
        type_name=kind,
        resolved=from_ssm(given) if _SSM.fullmatch(kind) else None,
        no_echo=str(declaration.get("NoEcho", "")).lower() == "true",
    )


def _check(key: str, declaration: Mapping[str, Any], given: str) -> None:
    allowed = [_text(value) for value in declaration.get("AllowedValues", ())]
    if allowed and given not in allowed:
        raise validation(f"Parameter {key} must be one of [{', '.join(allowed)}]")
    pattern = declaration.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, given):
        raise validation(f"Parameter {key} must match pattern {pattern}")
    if declaration.get("Type") == "Number":
        _check_range(key, given, declaration.get("MinValue"), declaration.get("MaxValue"))
    elif "MinLength" in declaration or "MaxLength" in declaration:
        length = str(len(given))
        _check_range(key, length, declaration.get("MinLength"), declaration.get("MaxLength"))


def _check_range(key: str, given: str, low: Any, high: Any) -> None:
    try:
        number = float(given)
    except ValueError:
        raise validation(f"Parameter {key} must be a number") from None
    if (low is not None and number < float(low)) or (high is not None and number > float(high)):
        raise validation(f"Parameter {key} must lie between {low} and {high}, got {given}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)

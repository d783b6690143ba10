"""Intrinsic functions: everything resolves, is known not to be known yet, or fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local.cloudformation.errors import DeploymentError
from local.cloudformation.functions import FUNCTIONS, text
from local.cloudformation.template import Template

_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_ZONE_SUFFIXES = "abc"


@dataclass(frozen=True, eq=False)
class Unknown:
    """A value that only the deployment will tell; equal to nothing, so it reads as changed.

    `source` is the logical id it comes from, `attribute` what of it (`Ref` for the physical id).
    """

    source: str
    attribute: str


class Lookup(Protocol):
    """Where values outside of the template come from."""

    def reference(self, logical_id: str) -> Any:
        """Return a resource's physical id. Raises: DeploymentError when there is none."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return a resource's attribute. Raises: DeploymentError when there is none."""

    def imported(self, name: str) -> Any:
        """Return an export's value. Raises: DeploymentError when there is none."""

    def output(self, stack: str, name: str) -> Any:
        """Return another stack's output. Raises: DeploymentError when there is none."""


class _NoValue:
    """AWS::NoValue: the property or list item is left out."""


_NO_VALUE = _NoValue()


class Resolver:
    """Resolves the values of one template for one stack.

    `parameters` holds the template's parameters and the pseudo parameters, resolved.
    """

    def __init__(self, template: Template, parameters: Mapping[str, Any], lookup: Lookup) -> None:
        self._template = template
        self._parameters = parameters
        self._lookup = lookup
        self._conditions: dict[str, bool] = {}
        self._evaluating: list[str] = []

    def resolve(self, value: Any) -> Any:
        """Return `value` with every function replaced; None where all of it is AWS::NoValue.

        Raises: DeploymentError for a function that is unknown, misused or does not resolve.
        """
        result = self._resolve(value)
        return None if result is _NO_VALUE else result

    def condition(self, name: str) -> bool:
        """Return what a condition of the template evaluates to."""
        if name not in self._conditions:
            if name in self._evaluating:
                raise DeploymentError(f"Template error: condition {name} refers to itself")
            if name not in self._template.conditions:
                raise DeploymentError(f"Template error: condition {name} is not defined")
            self._evaluating.append(name)
            self._conditions[name] = bool(self._resolve(self._template.conditions[name]))
            self._evaluating.pop()
        return self._conditions[name]

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name == "Ref" or name.startswith("Fn::"):
                    return self._call(name, argument)
                if name == "Condition" and self._evaluating and isinstance(argument, str):
                    return self.condition(argument)
            entries = ((key, self._resolve(item)) for key, item in value.items())
            return {key: item for key, item in entries if item is not _NO_VALUE}
        if isinstance(value, list):
            items = (self._resolve(item) for item in value)
            return [item for item in items if item is not _NO_VALUE]
        return value

    def _call(self, name: str, argument: Any) -> Any:
        special = getattr(self, _SPECIAL.get(name, ""), None)
        if special is not None:
            return special(argument)
        if name not in FUNCTIONS:
            raise DeploymentError(
                f"Template error: the embedded AWS has no function {name}; "
                f"it has {', '.join(sorted([*FUNCTIONS, *_SPECIAL]))}"
            )
        resolved = self._resolve(argument)
        return unknown_in(resolved) or FUNCTIONS[name](resolved)

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in self._parameters:
            return self._parameters[name]
        if name not in self._template.resources:
            raise DeploymentError(f"Template error: Ref {name!r} is no parameter and no resource")
        return self._lookup.reference(name)

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else self._resolve(argument)
        if not isinstance(parts, list) or len(parts) != 2:
            raise DeploymentError(f"Template error: Fn::GetAtt needs [id, name], got {argument!r}")
        if parts[0] not in self._template.resources:
            raise DeploymentError(f"Template error: Fn::GetAtt {parts[0]!r} is no resource")
        return unknown_in(parts) or self._lookup.attribute(parts[0], parts[1])

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            raise DeploymentError(f"Template error: Fn::If needs 3 arguments, got {argument!r}")
        return self._resolve(argument[1] if self.condition(argument[0]) else argument[2])

    def _find_in_map(self, argument: Any) -> Any:
        keys = self._resolve(argument)
        if unknown := unknown_in(keys):
            return unknown
        try:
            name, top, second = keys
            return self._template.mappings[name][text(top)][text(second)]
        except (KeyError, ValueError, TypeError):
            raise DeploymentError(
                f"Template error: Fn::FindInMap finds nothing at {keys!r}"
            ) from None

    def _import_value(self, argument: Any) -> Any:
        name = self._resolve(argument)
        return unknown_in(name) or self._lookup.imported(text(name))

    def _stack_output(self, argument: Any) -> Any:
        """Another stack's output as it is now; nothing keeps that stack from changing it."""
        given = self._resolve(argument)
        if unknown := unknown_in(given):
            return unknown
        here = self._parameters["AWS::Region"]
        named = given.items() if isinstance(given, Mapping) else ()
        rest = {name: each for name, each in named if (name, each) != ("Region", here)}
        if rest.keys() != {"StackName", "OutputName"}:
            raise DeploymentError(
                "Template error: Fn::GetStackOutput is played with StackName and OutputName in "
                f"{here}, got {given!r}"
            )
        return self._lookup.output(text(given["StackName"]), text(given["OutputName"]))

    def _get_zones(self, argument: Any) -> Any:
        region = text(self._resolve(argument)) or self._parameters["AWS::Region"]
        return [f"{region}{suffix}" for suffix in _ZONE_SUFFIXES]

    def _sub(self, argument: Any) -> Any:
        template, own = argument if isinstance(argument, list) else (argument, {})
        values = {name: self._resolve(value) for name, value in own.items()}
        unknown: list[Unknown] = []

        def put(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{name}}}"
            value = values[name] if name in values else self._variable(name)
            if isinstance(value, Unknown):
                unknown.append(value)
                return ""
            return text(value)

        result = _VARIABLE.sub(put, text(template))
        return unknown[0] if unknown else result

    def _variable(self, name: str) -> Any:
        if "." in name and name not in self._parameters:
            return self._get_att(name)
        return self._ref(name)


_SPECIAL = {
    "Ref": "_ref",
    "Fn::FindInMap": "_find_in_map",
    "Fn::GetAZs": "_get_zones",
    "Fn::GetAtt": "_get_att",
    "Fn::GetStackOutput": "_stack_output",
    "Fn::If": "_if",
    "Fn::ImportValue": "_import_value",
    "Fn::Sub": "_sub",
}


def unknown_in(value: Any) -> Unknown | None:
    """Return the first Unknown within a value, None when all of it is known."""
    if isinstance(value, Unknown):
        return value
    items = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list):
        for item in items:
            if found := unknown_in(item):
                return found
    return None

"""Intrinsic functions whose arguments are values already: pure, by name."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from local.cloudformation.errors import DeploymentError


def text(value: Any) -> str:
    """Return a scalar as CloudFormation writes it into a string.

    Raises: DeploymentError for a list, an object or null.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise DeploymentError(f"Template error: {value!r} stands where a string is needed")


def _join(argument: Any) -> str:
    separator, values = _arguments("Fn::Join", argument, 2)
    if not isinstance(values, list):
        raise DeploymentError(f"Template error: Fn::Join needs a list of values, got {values!r}")
    return text(separator).join(text(value) for value in values)


def _select(argument: Any) -> Any:
    index, values = _arguments("Fn::Select", argument, 2)
    if isinstance(values, str):
        values = values.split(",")
    try:
        if int(index) < 0:
            raise IndexError
        return values[int(index)]
    except (IndexError, ValueError, TypeError):
        raise DeploymentError(
            f"Template error: Fn::Select cannot select item {index} of {values!r}"
        ) from None


def _split(argument: Any) -> list[str]:
    separator, value = _arguments("Fn::Split", argument, 2)
    if not separator:
        raise DeploymentError("Template error: Fn::Split needs a separator that is not empty")
    return text(value).split(text(separator))


def _base64(argument: Any) -> str:
    return base64.b64encode(text(argument).encode()).decode()


def _cidr(argument: Any) -> list[str]:
    block, count, *bits = _arguments("Fn::Cidr", argument, 2, 3)
    network = ipaddress.ip_network(text(block))
    prefix = network.max_prefixlen - (int(bits[0]) if bits else 8)
    if prefix < network.prefixlen or 2 ** (prefix - network.prefixlen) < int(count):
        raise DeploymentError(f"Template error: {block} has no {count} blocks of /{prefix}")
    subnets = network.subnets(new_prefix=prefix)
    return [str(next(subnets)) for _ in range(int(count))]


def _equals(argument: Any) -> bool:
    left, right = _arguments("Fn::Equals", argument, 2)
    if isinstance(left, list | Mapping) or isinstance(right, list | Mapping):
        return bool(left == right)
    return text(left) == text(right)


def _and(argument: Any) -> bool:
    return all(_arguments("Fn::And", argument, *range(2, 11)))


def _or(argument: Any) -> bool:
    return any(_arguments("Fn::Or", argument, *range(2, 11)))


def _not(argument: Any) -> bool:
    return not _arguments("Fn::Not", argument, 1)[0]


def _arguments(name: str, argument: Any, *counts: int) -> list[Any]:
    if not isinstance(argument, list) or len(argument) not in counts:
        allowed = " or ".join(str(count) for count in counts)
        raise DeploymentError(f"Template error: {name} needs {allowed} arguments, got {argument!r}")
    return argument


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "Fn::And": _and,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::Join": _join,
    "Fn::Not": _not,
    "Fn::Or": _or,
    "Fn::Select": _select,
    "Fn::Split": _split,
}

"""Reading the fields of a message's JSON body; every refusal names the field and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID


class Undecodable(ValueError):  # noqa: N818 - reads as the finding that it is
    """A body that no version of this contract wrote; the message says which field and why."""


def body_fields(body: str) -> dict[str, Any]:
    """Return the fields of a body. Raises: Undecodable when it is no JSON object."""
    try:
        fields = json.loads(body)
    except json.JSONDecodeError as error:
        raise Undecodable(f"body is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Undecodable(f"body is a JSON {type(fields).__name__}, not an object")
    return fields


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be a non-empty string. Raises: Undecodable."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Undecodable(f"{name} must be a non-empty string, got {value!r}")
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that may be absent, null or a string; "" stands for none."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise Undecodable(f"{name} must be a string or null, got {value!r}")
    return value or ""


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a field that must be an object. Raises: Undecodable."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise Undecodable(f"{name} must be an object, got {value!r}")
    return value


def integer(fields: Mapping[str, Any], name: str) -> int:
    """Return a field that must be an integer. Raises: Undecodable."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Undecodable(f"{name} must be an integer, got {value!r}")
    return value


def uuid(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must be a UUID, in its usual form. Raises: Undecodable."""
    value = text(fields, name)
    try:
        return str(UUID(value))
    except ValueError as error:
        raise Undecodable(f"{name} must be a UUID, got {value!r}") from error

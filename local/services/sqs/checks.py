"""Checks of a request's values against SQS's documented limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.protocol import ServiceError
from local.services.sqs import errors

#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!(?i:aws\.|amazon\.))[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ATTRIBUTE_LIMIT = 10


def whole_number(params: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    """Return a numeric parameter within its range.

    Raises: ServiceError naming value, parameter and range.
    """
    value = params.get(name)
    if value is None:
        return default
    number = int(value)
    if not low <= number <= high:
        raise errors.invalid_value(
            f"Value {number} for parameter {name} is invalid. "
            f"Reason: Must be between {low} and {high}, if provided."
        )
    return number


def check_body(body: Any) -> str:
    """Return a message's body when there is one and its characters are allowed.

    Raises: ServiceError.
    """
    if not body:
        raise errors.missing("MessageBody")
    if _FORBIDDEN.search(body):
        raise ServiceError(
            "InvalidMessageContents",
            f"Invalid characters found. Valid unicode characters are {_ALLOWED}",
        )
    return str(body)


def check_message_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> None:
    """Check names, types and values of message attributes.

    Raises: ServiceError naming the attribute.
    """
    if len(attributes) > _ATTRIBUTE_LIMIT:
        raise errors.invalid_value(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum "
            f"[{_ATTRIBUTE_LIMIT}]."
        )
    for name, attribute in attributes.items():
        if len(name) > 256 or not _ATTRIBUTE_NAME.fullmatch(name):
            raise errors.invalid_value(f"The message attribute name '{name}' is invalid.")
        _check_value(name, attribute)


def _check_value(name: str, attribute: Mapping[str, Any]) -> None:
    kind = str(attribute.get("DataType") or "")
    base = kind.split(".", maxsplit=1)[0]
    if base not in {"String", "Number", "Binary"}:
        raise errors.invalid_value(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the "
            "following supported type prefixes: Binary, Number, String."
        )
    field = "BinaryValue" if base == "Binary" else "StringValue"
    value = attribute.get(field)
    if not value:
        raise errors.invalid_value(
            f"The message (user) attribute '{name}' must contain a non-empty value of type "
            f"'{field}'."
        )
    if base == "Number":
        try:
            float(value)
        except ValueError:
            raise errors.invalid_value(
                f"Can't cast the value of message (user) attribute '{name}' to a number."
            ) from None

"""AWS calls made from CloudFormation values: cast to the API's types, missing things tolerated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

_GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|NotExist|InvalidAssociationID")


class InvalidPropertyError(ValueError):
    """A property's value that no handler can honour; says which, and what is allowed."""


class AlreadyExistsError(ValueError):
    """A resource of that name is there and is not this stack's: nothing is taken over."""


def call(client: Any, operation: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Call `operation` (API spelling, `PutMetricAlarm`) with values cast to its input shape.

    Raises: botocore's ParamValidationError naming a member that the API does not have, so that a
    nested property nobody honours fails the deploy just as a top-level one does.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    answer: dict[str, Any] = getattr(client, xform_name(operation))(**cast(dict(values), shape))
    return answer


def cast(value: Any, shape: Any) -> Any:
    """Return a CloudFormation value in the types of a botocore shape.

    Templates carry numbers and booleans as strings and documents as objects; CloudFormation
    accepts both. Members that the shape does not know are passed on, for botocore to refuse.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        members = shape.members
        return {k: cast(v, members[k]) if k in members else v for k, v in value.items()}
    if kind == "list":
        values = value if isinstance(value, list) else [value]
        return [cast(item, shape.member) for item in values]
    if kind == "map" and isinstance(value, Mapping):
        return {key: cast(item, shape.value) for key, item in value.items()}
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    if kind in {"integer", "long"} and not isinstance(value, bool):
        return int(value)
    if kind in {"float", "double"}:
        return float(value)
    if kind == "boolean":
        return truth(value)
    return text(value) if kind == "string" else value


def truth(value: Any) -> bool:
    """Return a CloudFormation boolean; it may come as the strings `true` and `false`."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise InvalidPropertyError(f"{value!r} is no boolean; allowed: true, false")


def text(value: Any) -> str:
    """Return a value as the API wants it in a string: JSON unless it is a string already."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@contextmanager
def missing_is_fine() -> Iterator[None]:
    """Tolerate an error that says the thing is not there (any more); raise every other."""
    try:
        yield
    except ClientError as error:
        if not _GONE.search(error.response["Error"]["Code"]):
            raise


def refuse_existing(type_name: str, name: str, look: Callable[[], object]) -> None:
    """Refuse to create what exists, where the API's own create would take it over.

    `look` asks AWS for the thing; an empty answer, or an error that says it is missing, is fine.

    Raises: AlreadyExistsError in CloudFormation's words.
    """
    with missing_is_fine():
        if look():
            raise AlreadyExistsError(
                f"Resource of type '{type_name}' with identifier '{name}' already exists."
            )


def renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return values under the API's names where they differ from CloudFormation's."""
    return {names.get(key, key): value for key, value in values.items()}


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the values except the named ones."""
    return {key: value for key, value in values.items() if key not in names}


def lower_camel(value: Any) -> Any:
    """Return nested PascalCase keys as the lowerCamelCase of ECR, Logs and their like."""
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: lower_camel(item) for key, item in value.items()}
    return [lower_camel(item) for item in value] if isinstance(value, list) else value


def tag_map(properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the Tags of a resource, given as a list of Key and Value or as an object."""
    tags = properties.get("Tags") or []
    if isinstance(tags, Mapping):
        return dict(tags)
    return {tag["Key"]: text(tag["Value"]) for tag in tags}


def tag_list(properties: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the Tags of a resource as most APIs take them."""
    return [{"Key": key, "Value": value} for key, value in tag_map(properties).items()]


def dropped_tags(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the tag keys that `old` has and `new` lacks."""
    return sorted(tag_map(old).keys() - tag_map(new).keys())

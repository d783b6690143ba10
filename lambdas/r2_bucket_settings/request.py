"""A custom resource's request, checked, with the numbers that CloudFormation made text of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

REQUEST_TYPES = ("Create", "Update", "Delete")
#: CloudFormation hands every scalar of a custom resource over as text; S3's API wants these whole.
_NUMBERS = frozenset({"Days", "DaysAfterInitiation", "MaxAgeSeconds"})


class RequestInvalid(ValueError):  # noqa: N818 - reads as the finding that it is
    """A property is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True)
class BucketSettings:
    """What a bucket shall have; rules are in the form of S3's API, `[]` means none."""

    bucket: str
    lifecycle_rules: list[dict[str, Any]]
    cors_rules: list[dict[str, Any]]
    endpoint: str
    credentials_arn: str


def parse(properties: Mapping[str, Any]) -> BucketSettings:
    """Return the settings that a resource's properties describe. Raises: RequestInvalid."""
    endpoint = _text(properties, "Endpoint")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestInvalid(f"Endpoint must be http://host or https://host, got {endpoint!r}")
    return BucketSettings(
        bucket=_text(properties, "Bucket"),
        lifecycle_rules=_rules(properties, "LifecycleRules"),
        cors_rules=_rules(properties, "CorsRules"),
        endpoint=endpoint,
        credentials_arn=_text(properties, "CredentialsSecretArn"),
    )


def _text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    if not isinstance(value, str) or not value:
        raise RequestInvalid(f"{name} must be a non-empty string, got {value!r}")
    return value


def _rules(properties: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = properties.get(name, [])
    if not isinstance(value, list) or not all(isinstance(rule, dict) for rule in value):
        raise RequestInvalid(f"{name} must be a list of rules, got {value!r}")
    return [_whole(rule, name) for rule in value]


def _whole(value: Any, path: str) -> Any:
    """Return a rule with its numbers whole again."""
    if isinstance(value, dict):
        return {key: _number(item, key, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item, path) for item in value]
    return value


def _number(item: Any, key: str, path: str) -> Any:
    if key not in _NUMBERS:
        return _whole(item, path)
    try:
        return int(item)
    except (TypeError, ValueError) as error:
        raise RequestInvalid(f"{path} must be a whole number, got {item!r}") from error

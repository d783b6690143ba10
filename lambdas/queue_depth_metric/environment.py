"""The function's environment, read once into a frozen dataclass; every error names its variable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.contracts import environment as names
from config.contracts.metrics import WORKER_TYPES

SCHEMES = ("http", "https")
#: The function runs once a minute, so a longer tick would never come.
MAX_TICK_S = 60


class EnvironmentInvalid(ValueError):  # noqa: N818 - reads as the finding that it is
    """A variable is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True)
class Fleet:
    """One worker fleet: its kind (`video`), Auto Scaling group and the names of its queues."""

    kind: str
    group: str
    queues: tuple[str, ...]


@dataclass(frozen=True)
class FunctionSettings:
    """What the function is told.

    `api_url` is the API's base URL without a closing slash, `key_arn` the ARN of the secret that
    holds the internal key, `tick_s` the seconds between two looks at the backlog.
    """

    api_url: str
    key_arn: str
    environment: str
    fleets: tuple[Fleet, ...]
    tick_s: float


def load_settings(environ: Mapping[str, str]) -> FunctionSettings:
    """Return the settings that the environment holds. Raises: EnvironmentInvalid."""
    missing = [name for name in names.METRIC_FUNCTION if not environ.get(name, "").strip()]
    if missing:
        raise EnvironmentInvalid(f"missing or empty: {', '.join(missing)}")
    return FunctionSettings(
        api_url=_url(environ["VIDEO_BACKLOG_API_URL"].strip()),
        key_arn=_secret_arn(environ["LAMBDA_INTERNAL_API_KEY"].strip()),
        environment=environ["ENVIRONMENT"].strip(),
        fleets=_fleets(environ["FLEETS"]),
        tick_s=_tick(environ["TICK_S"]),
    )


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise EnvironmentInvalid(
            f"VIDEO_BACKLOG_API_URL must be http://host or https://host, got {value!r}"
        )
    return value.rstrip("/")


def _secret_arn(value: str) -> str:
    """Refuse anything else without repeating it: it may be the key itself."""
    if not value.startswith("arn:"):
        raise EnvironmentInvalid("LAMBDA_INTERNAL_API_KEY must be a secret's ARN, not its value")
    return value


def _tick(value: str) -> float:
    try:
        tick_s = float(value)
    except ValueError as error:
        raise EnvironmentInvalid(f"TICK_S must be a number of seconds, got {value!r}") from error
    if not 0 < tick_s <= MAX_TICK_S:
        raise EnvironmentInvalid(f"TICK_S must be above 0 and at most {MAX_TICK_S}, got {value!r}")
    return tick_s


def _fleets(value: str) -> tuple[Fleet, ...]:
    """Parse FLEETS; the limits that it may carry do not count, the group's own do."""
    try:
        entries = json.loads(value)
    except json.JSONDecodeError as error:
        raise EnvironmentInvalid(f"FLEETS is no JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise EnvironmentInvalid("FLEETS must be a JSON list with at least one fleet")
    return tuple(_fleet(index, entry) for index, entry in enumerate(entries))


def _fleet(index: int, entry: object) -> Fleet:
    if not isinstance(entry, dict):
        raise EnvironmentInvalid(f"FLEETS[{index}] must be an object, got {entry!r}")
    kind, group, queues = (entry.get(key) for key in ("kind", "group", "queues"))
    if kind not in WORKER_TYPES:
        raise EnvironmentInvalid(
            f"FLEETS[{index}].kind must be one of {', '.join(WORKER_TYPES)}, got {kind!r}"
        )
    if not isinstance(group, str) or not group:
        raise EnvironmentInvalid(f"FLEETS[{index}].group must be a group's name, got {group!r}")
    named = isinstance(queues, list) and all(isinstance(queue, str) and queue for queue in queues)
    if not named or not queues:
        raise EnvironmentInvalid(f"FLEETS[{index}].queues must be queue names, got {queues!r}")
    return Fleet(kind=str(kind), group=group, queues=tuple(queues))

"""The function's environment, read once into a frozen dataclass; every error names its variable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.contracts import environment as names
from config.contracts.fields import Undecodable
from config.contracts.fleet_rules import FleetRules, decode_rules
from config.contracts.metrics import WORKER_TYPES

SCHEMES = ("http", "https")
#: The function runs once a minute, so a longer tick would never come.
MAX_TICK_S = 60


class EnvironmentInvalid(ValueError):  # noqa: N818 - reads as the finding that it is
    """A variable is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True)
class FunctionSettings:
    """What the function is told.

    `api_url` is the API's base URL without a closing slash, `key_arn` the ARN of the secret that
    holds the internal key, `tick_s` the seconds between two looks at the backlog.
    """

    api_url: str
    key_arn: str
    environment: str
    fleets: tuple[FleetRules, ...]
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


def _fleets(value: str) -> tuple[FleetRules, ...]:
    try:
        entries = json.loads(value)
    except json.JSONDecodeError as error:
        raise EnvironmentInvalid(f"FLEETS is no JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise EnvironmentInvalid("FLEETS must be a JSON list with at least one fleet")
    return tuple(_fleet(index, entry) for index, entry in enumerate(entries))


def _fleet(index: int, entry: object) -> FleetRules:
    try:
        rules = decode_rules(entry)
    except Undecodable as error:
        raise EnvironmentInvalid(f"FLEETS[{index}]: {error}") from error
    if rules.kind not in WORKER_TYPES:
        raise EnvironmentInvalid(
            f"FLEETS[{index}].kind must be one of {', '.join(WORKER_TYPES)}, got {rules.kind!r}"
        )
    return rules

"""The function's environment, read once; every error names its variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.contracts.environment import HEALTH_CANARY

SCHEMES = ("http", "https")


class EnvironmentInvalid(ValueError):  # noqa: N818 - reads as the finding that it is
    """A variable is missing or wrong; the message names it and what is allowed."""


@dataclass(frozen=True)
class CanarySettings:
    """The full address of /health, and the environment that the metrics are filed under."""

    url: str
    environment: str


def load_settings(environ: Mapping[str, str]) -> CanarySettings:
    """Return the settings that the environment holds. Raises: EnvironmentInvalid."""
    missing = [name for name in HEALTH_CANARY if not environ.get(name, "").strip()]
    if missing:
        raise EnvironmentInvalid(f"missing or empty: {', '.join(missing)}")
    url = environ["HEALTH_URL"].strip()
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise EnvironmentInvalid(f"HEALTH_URL must be http://host or https://host, got {url!r}")
    return CanarySettings(url, environ["ENVIRONMENT"].strip())

"""The settings of the environment that a command acts on, and whether it can be reached."""

from __future__ import annotations

import os

from config.settings import Settings, load_settings
from ops.errors import OperatorError

LOCAL = "local"


def reachable(environment: str) -> Settings:
    """Return an environment's settings.

    Raises: SettingsError; OperatorError for `local` without the address of the embedded AWS: the
    calls would go to a real account.
    """
    settings = load_settings(environment)
    if environment == LOCAL and "AWS_ENDPOINT_URL" not in os.environ:
        raise OperatorError(
            "AWS_ENDPOINT_URL is not set",
            hint='`make up` starts the embedded AWS; then eval "$(make -s env)"',
        )
    return settings

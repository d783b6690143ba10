"""Django's log lines through the shared JSON format."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from worker_images.base import logging as base


def configure(settings: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: everything to stderr, `settings["secrets"]` in no line.

    Django's own line a failed request is left out: it shows the path, and a watch page's path
    holds its token. middleware.observe logs the route instead.
    """
    base.configure(secrets=settings["secrets"])
    for name in ("django", "django.server"):
        logging.getLogger(name).handlers[:] = []
    for name in ("django.request", "django.security"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("django").setLevel(logging.WARNING)

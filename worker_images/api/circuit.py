"""A dependency that is known to be down is not waited for by every request again."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from worker_images.base.logging import logger

_log = logger("circuit")


class Circuit:
    """Open for `open_s` seconds after a failure; then one caller at a time looks again.

    An episode of failures is two log lines, its first failure and its end.
    """

    def __init__(
        self, name: str, open_s: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._open_s = open_s
        self._now = now
        self._lock = Lock()
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the dependency failed within the last `open_s` seconds."""
        until = self._open_until
        return until is not None and self._now() < until

    def admits(self) -> bool:
        """Whether to try; of several callers after an open time, one is told to."""
        with self._lock:
            if self._open_until is None:
                return True
            if self._now() < self._open_until:
                return False
            self._open_until = self._now() + self._open_s
            return True

    def failed(self, error: BaseException) -> None:
        """Note that a try failed."""
        with self._lock:
            first = self._open_until is None
            self._open_until = self._now() + self._open_s
        if first:
            _log.error("dependency is down, working without it", name=self._name, error=repr(error))

    def worked(self) -> None:
        """Note that a try worked."""
        if self._open_until is None:
            return
        with self._lock:
            self._open_until = None
        _log.info("dependency answers again", name=self._name)

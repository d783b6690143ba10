"""Outages on demand: a service that is down answers 503 to everybody, as AWS does."""

from __future__ import annotations

import threading


class Faults:
    """The services that are down, by botocore's name (`sqs`, `s3`)."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        self._lock = threading.Lock()

    def put(self, service: str, *, down: bool) -> None:
        """Take a service down, or bring it up again."""
        with self._lock:
            if down:
                self._down.add(service)
            else:
                self._down.discard(service)

    def is_down(self, service: str) -> bool:
        """Say whether a service is down."""
        with self._lock:
            return service in self._down

    def listed(self) -> list[str]:
        """Return the services that are down."""
        with self._lock:
            return sorted(self._down)

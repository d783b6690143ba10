"""Sends what the outbox still holds, for as long as the process lives."""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Event

from django.db import DatabaseError, connection

from worker_images.api.outbox import QueueUnavailable
from worker_images.base.logging import logger

_log = logger("relay")
#: Seconds between two looks at an empty outbox.
IDLE_S = 1.0
#: The wait after the first failure, doubled by each further one up to the longest.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0


class Relay:
    """Calls `deliver_next` until told to stop; an episode of failures is two log lines.

    `deliver_next` returns False when nothing is pending, and raises QueueUnavailable or
    DatabaseError. `chance` returns a number from 0 to 1, for the jitter of the waits.
    """

    def __init__(
        self, deliver_next: Callable[[], bool], *, chance: Callable[[], float] = random.random
    ) -> None:
        self._deliver_next = deliver_next
        self._chance = chance
        self._failures = 0

    def run(self, stop: Event) -> None:
        """Deliver until `stop` is set; the message in hand is finished first."""
        while not stop.is_set():
            stop.wait(self.step())

    def step(self) -> float:
        """Deliver at most one message and return how many seconds to wait before the next."""
        try:
            delivered = self._deliver_next()
        except (QueueUnavailable, DatabaseError) as error:
            return self._failed(error)
        self._ended("outbox delivery works again" if delivered else "outbox holds nothing to send")
        return 0.0 if delivered else IDLE_S

    def _failed(self, error: Exception) -> float:
        if isinstance(error, DatabaseError):
            connection.close()
        if self._failures == 0:
            _log.error("outbox delivery failing", reason=str(error))
        self._failures += 1
        return backoff_s(self._failures, self._chance())

    def _ended(self, event: str) -> None:
        """End an episode of failures, if there is one: the next one is logged anew."""
        if self._failures:
            _log.info(event, failed_tries=self._failures)
            self._failures = 0


def backoff_s(failures: int, chance: float) -> float:
    """Return the wait after so many failures in a row, between half of it and all of it.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("equal jitter").
    """
    doublings = min(failures - 1, 16)
    wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**doublings)
    return wait_s / 2 * (1 + chance)

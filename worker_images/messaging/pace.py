"""No more texts a second than the provider takes."""

from __future__ import annotations

import threading

from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock

#: Texts a second of one process. Aligo connects single requests at 10 to 20 a second, says the
#: comment in its own example; Solapi names no number and answers TooManyRequests.
PER_SECOND = {"aligo": 10.0, "solapi": 20.0}


class Pace:
    """Gives each caller the next free moment; the threads of a process share it."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._interval_s = 1 / per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._next_at = 0.0

    def wait(self, cancellation: Cancellation) -> None:
        """Block until it is this caller's turn, or the job is cancelled."""
        with self._lock:
            now = self._clock.monotonic()
            turn_at = max(now, self._next_at)
            self._next_at = turn_at + self._interval_s
        if turn_at > now:
            cancellation.wait(turn_at - now)

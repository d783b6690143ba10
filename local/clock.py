"""Time, passed in, so that visibility time-outs, schedules and alarms can be tested in no time."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time in seconds since the epoch, and a way to wait for it."""

    def now(self) -> float:
        """Return the seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock's time have passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep really."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told; a sleeper blocks until another thread has advanced it."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start
        self._moved = threading.Condition()

    def now(self) -> float:
        """Return the seconds since the epoch."""
        with self._moved:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Block until `advance` has moved the clock by `seconds`."""
        with self._moved:
            until = self._now + seconds
            self._moved.wait_for(lambda: self._now >= until)

    def advance(self, seconds: float) -> None:
        """Move the clock forward and wake the sleepers whose time has come."""
        with self._moved:
            self._now += seconds
            self._moved.notify_all()

"""Time as a dependency."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the runtime reads the time."""

    def now(self) -> float:
        """Return seconds since the epoch: for what is compared with others' clocks."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment: for durations, whoever sets the machine's clock."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

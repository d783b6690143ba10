"""Time as a dependency."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the runtime reads the time."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

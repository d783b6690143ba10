"""No message is taken while the database is away: receives would be spent on nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from worker_images.base.clock import Clock
from worker_images.base.logging import logger

_log = logger("gate")
#: An answer holds for this long, unless somebody saw the database away.
FRESH_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0


@dataclass
class Gate:
    """Open while `probe` does not raise; asked before a receive, at most every few seconds."""

    probe: Callable[[], object]
    clock: Clock
    _answered_at: float = float("-inf")
    _failures: int = 0
    _suspected: threading.Event = field(default_factory=threading.Event)

    def suspect(self) -> None:
        """Somebody saw the database away: ask before the next receive."""
        self._suspected.set()

    def pause_s(self) -> float:
        """Return 0 when a message may be taken, otherwise for how long to wait and ask again."""
        now = self.clock.monotonic()
        if now - self._answered_at < FRESH_S and not self._suspected.is_set():
            return 0.0
        self._suspected.clear()
        try:
            self.probe()
        except Exception as error:
            pause_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**self._failures)
            self._failures += 1
            self._answered_at = float("-inf")
            _log.warning("database away: no message taken", error=repr(error), pause_s=pause_s)
            return pause_s
        if self._failures:
            _log.info("database is back")
        self._failures, self._answered_at = 0, now
        return 0.0

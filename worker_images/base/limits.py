"""How long work may take, and how long it may stand still."""

from __future__ import annotations

from dataclasses import dataclass

from worker_images.base.errors import Hung, TimedOut, WorkerError
from worker_images.base.work import Delivery

#: After this a handler that was told to stop is stuck where nothing reaches it.
GRACE_S = 120.0


@dataclass(frozen=True)
class Limits:
    """Seconds. `hang_limit_s` is that without progress; `grace_s` that to stop when told to."""

    visibility_timeout_s: float
    time_limit_s: float
    hang_limit_s: float
    grace_s: float = GRACE_S

    @property
    def tick_s(self) -> float:
        """How often to look: a quarter of the shortest of what is looked at."""
        shortest = (self.visibility_timeout_s / 3, self.hang_limit_s, self.grace_s)
        return min(shortest) / 4

    def exceeded(self, delivery: Delivery, now: float) -> WorkerError | None:
        """Return why a delivery has to stop at monotonic `now`, None while it may go on."""
        if delivery.started_at is None:
            return None
        if now - delivery.started_at > self.time_limit_s:
            return TimedOut("TIME_LIMIT", f"longer than {self.time_limit_s:.0f} s")
        if now - delivery.progressed_at > self.hang_limit_s:
            return Hung("HUNG", f"no progress for {self.hang_limit_s:.0f} s")
        return None

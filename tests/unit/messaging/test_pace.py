"""No more texts a second than a provider takes."""

from __future__ import annotations

from worker_images.base.cancellation import Cancellation
from worker_images.messaging.pace import Pace


class _Clock:
    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.at

    at = 100.0


class _Waits(Cancellation):
    """Notes how long it was waited for, and lets that time pass."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock
        self.waited: list[float] = []

    def wait(self, timeout_s: float) -> bool:
        self.waited.append(round(timeout_s, 6))
        return False


def test_turns_are_spread_evenly() -> None:
    clock = _Clock()
    waits = _Waits(clock)
    pace = Pace(10.0, clock)
    for _ in range(4):
        pace.wait(waits)
    assert waits.waited == [0.1, 0.2, 0.3]


def test_a_quiet_time_is_not_made_up_for() -> None:
    clock = _Clock()
    waits = _Waits(clock)
    pace = Pace(10.0, clock)
    pace.wait(waits)
    clock.at += 60
    pace.wait(waits)
    pace.wait(waits)
    assert waits.waited == [0.1]

"""When to look: at once, then every tick for as long as another look fits into the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: The longest that one look may take: the time-outs of its calls for one fleet, added up.
TICK_ROOM_S = 8.0


class Clock(Protocol):
    """Seconds of a monotonic clock, and waiting on it."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


def run(
    look: Callable[[], None], *, remaining_s: Callable[[], float], tick_s: float, clock: Clock
) -> int:
    """Call `look` every `tick_s` seconds and return how often; the first comes always.

    Stops when less than TICK_ROOM_S of the run would be left for the next look.
    """
    count = 0
    while True:
        began = clock.monotonic()
        look()
        count += 1
        wait_s = max(0.0, tick_s - (clock.monotonic() - began))
        if remaining_s() - wait_s < TICK_ROOM_S:
            return count
        clock.sleep(wait_s)

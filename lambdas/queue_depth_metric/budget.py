"""The time of one look: a call is made only when it may take its longest and still fit in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: One look at all fleets takes no longer. Six fit into a minute.
TICK_ROOM_S = 9.5
#: How much of it is for the API's answer, which all fleets wait for. Where there is none, the boot
#: records are still read before the raise: a blind breaker would pay for a loop of failures.
API_WAIT_S = 3.0
#: Time-outs of a call of AWS, which is never repeated: the next look is.
CONNECT_S, READ_S = 1, 2
CALL_S = float(CONNECT_S + READ_S)


class OutOfTime(Exception):  # noqa: N818 - reads as the finding that it is
    """A call was not made, because it could have outlasted the look."""


@dataclass(frozen=True)
class Budget:
    """Ends at `ends_at_s` of the clock `now`."""

    ends_at_s: float
    now: Callable[[], float]

    def take(self, *, before_raise: bool = False) -> None:
        """Allow one call; one `before_raise` leaves time for the call that makes the fleet grow.

        Raises: OutOfTime.
        """
        left_s = self.ends_at_s - self.now()
        if left_s < CALL_S * (1 + before_raise):
            raise OutOfTime(f"{left_s:.1f} s are left of the look")

"""When to look: at once, then on each multiple of the tick within the scheduled minute."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from lambdas.queue_depth_metric.budget import TICK_ROOM_S

#: A tick that is nearer has come: epoch seconds are floats of some 1e-7 s.
_SOON_S = 0.001
#: The rule's rate: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
MINUTE_S = 60.0


class Clock(Protocol):
    """Seconds since the epoch, and waiting on them."""

    def time(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


def scheduled_at(event: object, now: float) -> float:
    """Return when the run was due, in epoch seconds: the `time` of EventBridge's event.

    An event without one (an operator's) is due now, and so is one of the future: clocks differ.
    """
    try:
        text = event["time"]  # type: ignore[index]
        due = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except (TypeError, KeyError, ValueError):
        return now
    return min(due, now)


def run(
    look: Callable[[], None],
    *,
    due_at: float,
    remaining_s: Callable[[], float],
    tick_s: float,
    clock: Clock,
) -> int:
    """Call `look` at once and at each `due_at` + n `tick_s`, and return how often.

    The run is over a minute after `due_at`, so that it is not in the way of the next one, and when
    less than TICK_ROOM_S of the function's own time would be left. What a slow look has missed is
    not made up for. The first look always comes: that of a late event changes nothing for bad.
    """
    count = 0
    while True:
        look()
        count += 1
        now = clock.time()
        next_at = due_at + tick_s * (math.floor((now - due_at + _SOON_S) / tick_s) + 1)
        wait_s = next_at - now
        left_s = min(due_at + MINUTE_S - now, remaining_s())
        if left_s - wait_s < TICK_ROOM_S:
            return count
        clock.sleep(wait_s)

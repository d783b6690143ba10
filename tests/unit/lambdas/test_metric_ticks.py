"""When the metric function looks, with a clock that only moves when told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.queue_depth_metric import ticks
from lambdas.queue_depth_metric.budget import TICK_ROOM_S

DUE = datetime(2026, 1, 1, 9, 0, tzinfo=UTC).timestamp()


class HandClock:
    def __init__(self, now: float = DUE) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def looks(
    tick_s: float, look_s: float, *, late_s: float = 0.0, left_s: float = 60.0
) -> list[float]:
    """Return the seconds after the due moment at which a run looks."""
    clock, moments = HandClock(DUE + late_s), []
    ends_at = clock.now + left_s

    def look() -> None:
        moments.append(round(clock.now - DUE, 6))
        clock.now += look_s

    count = ticks.run(
        look, due_at=DUE, remaining_s=lambda: ends_at - clock.now, tick_s=tick_s, clock=clock
    )
    assert count == len(moments)
    return moments


@pytest.mark.parametrize(
    ("tick_s", "look_s", "late_s", "left_s", "expected"),
    [
        (10, 0, 0, 60, [0, 10, 20, 30, 40, 50]),
        (10, 0.5, 0, 60, [0, 10, 20, 30, 40, 50]),
        (10, 0.5, 3.2, 60, [3.2, 10, 20, 30, 40, 50]),  # a late start shortens the run
        (10, 0.5, 51.5, 60, [51.5]),
        (10, 0.5, 75, 60, [75]),  # the minute is over, and the next run is due
        (10, 7.9, 0, 60, [0, 10, 20, 30, 40, 50]),
        (10, 12, 0, 60, [0, 20, 40]),  # what a slow look missed is not made up for
        (60, 1, 0, 60, [0]),
        (20, 0, 0, 60, [0, 20, 40]),
        (10, 1, 0, 3, [0]),
        (10, 0, 0, 45, [0, 10, 20, 30]),
    ],
)
def test_looks_come_on_the_minutes_grid_while_one_more_fits(
    tick_s: float, look_s: float, late_s: float, left_s: float, expected: list[float]
) -> None:
    assert looks(tick_s, look_s, late_s=late_s, left_s=left_s) == expected


@given(
    tick_s=st.floats(1, 60),
    look_s=st.floats(0, TICK_ROOM_S),
    late_s=st.floats(0, 70),
    left_s=st.floats(0, 60),
)
def test_no_run_goes_into_the_next_minute_or_past_its_own_time(
    tick_s: float, look_s: float, late_s: float, left_s: float
) -> None:
    moments = looks(tick_s, look_s, late_s=late_s, left_s=left_s)
    for moment in moments[1:]:
        assert moment + look_s <= ticks.MINUTE_S + 1e-6
        assert moment + look_s <= late_s + left_s + 1e-6


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"time": "2026-01-01T09:00:00Z"}, DUE),
        ({"time": "2026-01-01T08:59:00Z"}, DUE - 60),
        ({"time": "2026-01-01T09:00:09Z"}, DUE + 5),  # clocks differ: never in the future
        ({"time": "soon"}, DUE + 5),
        ({"time": None}, DUE + 5),
        ({}, DUE + 5),
        (None, DUE + 5),
        ("x", DUE + 5),
    ],
)
def test_a_run_is_due_when_its_event_says_so(event: object, expected: float) -> None:
    assert ticks.scheduled_at(event, DUE + 5) == expected

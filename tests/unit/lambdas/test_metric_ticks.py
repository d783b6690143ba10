"""When the metric function looks, with a clock that only moves when told."""

from __future__ import annotations

import pytest

from lambdas.queue_depth_metric import ticks


class HandClock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("tick_s", "look_s", "run_s", "expected"),
    [
        (10, 0, 60, [0, 10, 20, 30, 40, 50]),
        (10, 0.5, 59.9, [0, 10, 20, 30, 40, 50]),
        (10, 12, 60, [0, 12, 24, 36, 48]),
        (60, 1, 60, [0]),
        (20, 0, 60, [0, 20, 40]),
        (10, 1, 3, [0]),
    ],
)
def test_looks_come_every_tick_while_one_more_fits(
    tick_s: float, look_s: float, run_s: float, expected: list[float]
) -> None:
    clock, moments = HandClock(), []

    def look() -> None:
        moments.append(clock.now)
        clock.now += look_s

    count = ticks.run(look, remaining_s=lambda: run_s - clock.now, tick_s=tick_s, clock=clock)

    assert moments == expected
    assert count == len(expected)

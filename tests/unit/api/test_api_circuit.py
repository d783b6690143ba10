"""A dependency that is down is asked by one caller at a time, now and then."""

from __future__ import annotations

import pytest

from worker_images.api.circuit import Circuit


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_it_opens_on_a_failure_and_lets_one_look_after_a_while() -> None:
    clock = Clock()
    circuit = Circuit("it", 5.0, now=clock)
    assert [circuit.admits(), circuit.admits(), circuit.is_open] == [True, True, False]
    circuit.failed(OSError("gone"))
    assert [circuit.admits(), circuit.is_open] == [False, True]
    clock.now_s = 5.0
    assert not circuit.is_open
    assert [circuit.admits(), circuit.admits()] == [True, False]
    circuit.worked()
    assert [circuit.admits(), circuit.admits()] == [True, True]


def test_a_look_that_nobody_reports_on_is_followed_by_another() -> None:
    clock = Clock()
    circuit = Circuit("it", 5.0, now=clock)
    circuit.failed(OSError("gone"))
    clock.now_s = 5.0
    assert circuit.admits()
    clock.now_s = 10.0
    assert circuit.admits()


def test_an_episode_is_two_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    circuit = Circuit("it", 5.0)
    with caplog.at_level("INFO", logger="academy.circuit"):
        for _ in range(5):
            circuit.failed(OSError("gone"))
        for _ in range(5):
            circuit.worked()
    assert [record.message for record in caplog.records] == [
        "dependency is down, working without it",
        "dependency answers again",
    ]

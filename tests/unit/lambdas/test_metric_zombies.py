"""Zombies: marked, looked at again, ended one at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.queue_depth_metric import zombies
from lambdas.queue_depth_metric.zombies import Marks
from tests.unit.lambdas.metric_rules import rules, worker


@pytest.mark.parametrize(
    ("served_s", "silent_s", "leases", "unnamed", "expected"),
    [
        (600, None, 0, 0, False),  # it may still boot
        (601, None, 0, 0, True),
        (601, None, 0, 1, False),  # it may hold the job whose holder nobody knows
        (600, 3600.0, 0, 0, False),
        (601, 60.0, 0, 0, False),
        (601, 60.1, 0, 0, True),
        (601, 60.1, 0, 1, True),
        (601, 60.1, 1, 0, False),  # a job is in its hand
        (86400, 0.0, 0, 0, False),
    ],
)
def test_who_is_silent(
    served_s: float, silent_s: float | None, leases: int, unnamed: int, expected: bool
) -> None:
    said = None if silent_s is None else worker("i-1", leases=leases, silent_s=silent_s)
    told = rules(boot_limit_s=600)
    assert zombies.is_silent(served_s, said, told, unnamed=unnamed) == expected


def test_one_look_confirms_nobody_and_a_second_too_soon_neither() -> None:
    marks = zombies.marked(Marks(), {"i-1"}, 100)
    assert zombies.confirmed(marks, 100) == []
    marks = zombies.marked(marks, {"i-1"}, 159)
    assert zombies.to_end(marks, 159) is None
    marks = zombies.marked(marks, {"i-1"}, 160)
    assert zombies.to_end(marks, 160) == "i-1"


def test_one_that_was_heard_again_begins_anew() -> None:
    marks = zombies.marked(Marks(), {"i-1"}, 100)
    marks = zombies.marked(marks, set(), 110)
    marks = zombies.marked(marks, {"i-1"}, 120)
    assert zombies.confirmed(marks, 170) == []
    assert zombies.confirmed(marks, 180) == ["i-1"]


def test_one_is_ended_in_a_while_oldest_first() -> None:
    marks = zombies.marked(zombies.marked(Marks(), {"i-2"}, 0), {"i-1", "i-2"}, 10)
    assert zombies.to_end(marks, 100) == "i-2"
    marks = zombies.ended(marks, "i-2", 100)
    assert zombies.confirmed(marks, 100) == ["i-1"], "it takes no job while it waits for its end"
    assert zombies.to_end(marks, 399) is None
    assert zombies.to_end(marks, 400) == "i-1"
    assert zombies.to_end(marks, 400, every_s=900) is None


@given(st.lists(st.tuples(st.integers(1, 90), st.sets(st.sampled_from("abcd"))), max_size=60))
def test_never_two_in_one_while_and_nobody_unconfirmed(
    looks: list[tuple[int, set[str]]],
) -> None:
    marks, now, ends, since = Marks(), 0.0, [], {}
    for step_s, silent in looks:
        now += step_s
        since = {each: since.get(each, now) for each in silent}
        marks = zombies.marked(marks, silent, now)
        if (chosen := zombies.to_end(marks, now)) is not None:
            assert now - since[chosen] >= zombies.LOOK_AGAIN_S
            assert not ends or now - ends[-1] >= zombies.END_EVERY_S
            ends.append(now)
            marks = zombies.ended(marks, chosen, now)
            since.pop(chosen)

"""The size a fleet is raised to: tables at the edges, and what holds for every input."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.sizing import Boots, Capacity, Facts, Work, decide, needed
from tests.unit.lambdas.metric_rules import rules

COUNTS = st.integers(min_value=0, max_value=5_000)
RULES = st.builds(
    rules,
    slots=st.integers(1, 50),
    start_within_s=st.integers(0, 600),
    job_s=st.integers(1, 3600),
    failed_boots=st.integers(1, 5),
)
WORK = st.builds(
    Work,
    waiting=COUNTS,
    running=COUNTS,
    mean_job_s=st.none() | st.floats(0, 3600),
    overdue=st.booleans(),
)
BOOTS = st.builds(
    Boots,
    failed_in_a_row=st.integers(0, 6),
    since_last_s=st.floats(0, 1000) | st.just(math.inf),
    under_way=st.integers(0, 2),
)


@st.composite
def capacities(draw: st.DrawFn, *, minimum_of_maximum: int = 0) -> Capacity:
    maximum = draw(st.integers(min_value=minimum_of_maximum, max_value=500))
    minimum = draw(st.integers(min_value=0, max_value=maximum))
    return Capacity(draw(st.integers(min_value=minimum, max_value=maximum)), minimum, maximum)


FACTS = st.builds(
    Facts,
    work=st.none() | WORK,
    capacity=st.none() | capacities(),
    draining=st.integers(0, 10),
    draining_jobs=st.integers(0, 20),
    boots=BOOTS,
)
#: Everything is known.
KNOWN = st.builds(
    Facts,
    work=WORK,
    capacity=capacities(minimum_of_maximum=1),
    draining=st.integers(0, 10),
    draining_jobs=st.integers(0, 20),
    boots=BOOTS,
)


@pytest.mark.parametrize(
    ("work", "capacity", "expected"),
    [
        ((0, 0), (0, 0, 3), None),
        ((1, 0), (0, 0, 3), 1),
        ((1, 1), (1, 0, 3), 2),
        ((0, 2), (1, 0, 3), 2),
        ((3, 0), (0, 0, 3), 3),
        ((4, 0), (0, 0, 3), 3),
        ((4, 0), (3, 0, 3), None),
        ((2, 0), (2, 0, 3), None),  # both boot already
        ((0, 0), (3, 0, 3), None),
        ((1, 0), (0, 0, 0), None),
        ((0, 0), (0, 2, 3), 2),
    ],
)
def test_fleet_of_long_jobs_is_raised_to_one_slot_a_job_within_its_limits(
    work: tuple[int, int], capacity: tuple[int, int, int], expected: int | None
) -> None:
    assert decide(Facts(Work(*work), Capacity(*capacity)), rules()) == expected


@pytest.mark.parametrize(
    ("work", "slots", "expected"),
    [
        (Work(1, 0), 1, 1),
        (Work(1000, 0, 1.0), 5, 7),  # a slot starts 31 within 30 s
        (Work(155, 0, 1.0), 5, 1),
        (Work(156, 0, 1.0), 5, 2),
        (Work(1, 5, 1.0), 5, 1),  # one of the running ones is over in time
        (Work(2, 2, 30.0), 2, 1),
        (Work(2, 2, 30.1), 2, 2),
        (Work(2, 2, 30.0, overdue=True), 2, 2),  # lectures run, whatever sheets took
        (Work(0, 11, 1.0), 5, 3),
        (Work(5, 0, 0.0), 1, 1),  # jobs that took no time
    ],
)
def test_short_jobs_share_a_slot_within_the_objective(
    work: Work, slots: int, expected: int
) -> None:
    assert needed(work, rules(slots=slots, start_within_s=30)) == expected


@given(WORK, RULES)
def test_needed_is_the_smallest_that_starts_every_job_in_time(work: Work, told: FleetRules) -> None:
    """The closed form against the inequality that it is the solution of."""
    s = told.slots
    job_s = told.job_s if work.mean_job_s is None else work.mean_job_s
    k = 0 if work.overdue else math.floor(told.start_within_s / max(job_s, 0.001))
    r, w = work.running, work.waiting

    def enough(n: int) -> bool:
        return n * s >= r and (n * s - r) * (1 + k) + r * k >= w

    n = needed(work, told)
    assert enough(n)
    assert n == 0 or not enough(n - 1)


@pytest.mark.parametrize(
    ("work", "draining", "desired", "expected"),
    [
        ((0, 1), (1, 1), 1, None),  # it ends its own job: nobody else is needed
        ((1, 1), (1, 1), 1, 2),
        ((1, 0), (1, 0), 1, 2),
        ((0, 2), (1, 1), 2, None),
        ((0, 0), (2, 0), 2, None),
        ((1, 1), (1, 3), 1, 2),  # leases of jobs that are over
    ],
)
def test_draining_workers_are_added_and_their_jobs_are_not(
    work: tuple[int, int], draining: tuple[int, int], desired: int, expected: int | None
) -> None:
    facts = Facts(Work(*work), Capacity(desired, 0, 9), *draining)
    assert decide(facts, rules()) == expected


@pytest.mark.parametrize(
    ("failed", "since_last_s", "under_way", "expected"),
    [
        (2, 0, 0, 5),
        (3, 299, 0, None),
        (3, 300, 0, 1),
        (3, 300, 1, None),
        (9, math.inf, 0, 1),
    ],
)
def test_an_open_breaker_lets_one_probe_through_now_and_then(
    failed: int, since_last_s: float, under_way: int, expected: int | None
) -> None:
    facts = Facts(Work(5, 0), Capacity(0, 0, 9), boots=Boots(failed, since_last_s, under_way))
    assert decide(facts, rules(failed_boots=3, probe_every_s=300)) == expected


@given(KNOWN, RULES)
def test_one_waiting_job_means_at_least_one_instance(facts: Facts, told: FleetRules) -> None:
    facts = replace(facts, work=replace(facts.work, waiting=facts.work.waiting + 1))
    assume(facts.boots.failed_in_a_row < told.failed_boots)
    decided = decide(facts, told)
    assert (facts.capacity.desired if decided is None else decided) >= 1


@given(FACTS, RULES)
def test_a_decision_never_lowers_stays_within_the_limits_and_is_the_same_again(
    facts: Facts, told: FleetRules
) -> None:
    decided = decide(facts, told)
    if decided is not None:
        assert facts.capacity.desired < decided <= facts.capacity.maximum
        assert decided >= facts.capacity.minimum
    assert decide(facts, told) == decided


@given(FACTS, RULES)
def test_missing_data_changes_nothing(facts: Facts, told: FleetRules) -> None:
    assert decide(replace(facts, work=None), told) is None
    assert decide(replace(facts, capacity=None), told) is None


@given(KNOWN, RULES, COUNTS)
def test_more_work_never_asks_for_less(facts: Facts, told: FleetRules, more: int) -> None:
    grown = replace(facts, work=replace(facts.work, waiting=facts.work.waiting + more))
    smaller = decide(facts, told) or facts.capacity.desired
    assert (decide(grown, told) or facts.capacity.desired) >= smaller


@given(KNOWN, RULES)
def test_once_raised_it_is_not_raised_again(facts: Facts, told: FleetRules) -> None:
    raised = decide(facts, told) or facts.capacity.desired
    capacity = replace(facts.capacity, desired=raised)
    asked = replace(facts, capacity=capacity, boots=replace(facts.boots, under_way=1))
    assert decide(asked, told) is None

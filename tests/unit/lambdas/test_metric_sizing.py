"""The size a fleet is raised to: a table at the edges, and what holds for every input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.queue_depth_metric.sizing import Capacity, Facts, decide

COUNTS = st.integers(min_value=0, max_value=10_000)


@st.composite
def capacities(draw: st.DrawFn, *, minimum_of_maximum: int = 0) -> Capacity:
    maximum = draw(st.integers(min_value=minimum_of_maximum, max_value=500))
    minimum = draw(st.integers(min_value=0, max_value=maximum))
    return Capacity(draw(st.integers(min_value=minimum, max_value=maximum)), minimum, maximum)


@pytest.mark.parametrize(
    ("backlog", "desired", "minimum", "maximum", "expected"),
    [
        (0, 0, 0, 3, None),
        (1, 0, 0, 3, 1),
        (2, 1, 0, 3, 2),
        (3, 0, 0, 3, 3),
        (4, 0, 0, 3, 3),
        (4, 3, 0, 3, None),
        (0, 3, 0, 3, None),
        (1, 0, 0, 0, None),
        (0, 0, 2, 3, 2),
        (None, 0, 0, 3, None),
    ],
)
def test_fleet_is_raised_to_the_backlog_within_its_limits(
    backlog: int | None, desired: int, minimum: int, maximum: int, expected: int | None
) -> None:
    assert decide(Facts(backlog, Capacity(desired, minimum, maximum))) == expected


@given(st.integers(min_value=1, max_value=10_000), capacities(minimum_of_maximum=1))
def test_one_waiting_job_means_at_least_one_instance(backlog: int, capacity: Capacity) -> None:
    decided = decide(Facts(backlog, capacity))
    assert (capacity.desired if decided is None else decided) >= 1


@given(st.none() | COUNTS, capacities())
def test_a_decision_never_lowers_and_stays_within_the_limits(
    backlog: int | None, capacity: Capacity
) -> None:
    decided = decide(Facts(backlog, capacity))
    if decided is not None:
        assert capacity.desired < decided <= capacity.maximum
        assert decided >= capacity.minimum


@given(st.none() | COUNTS, st.none() | capacities())
def test_missing_data_changes_nothing(backlog: int | None, capacity: Capacity | None) -> None:
    if backlog is None or capacity is None:
        assert decide(Facts(backlog, capacity)) is None


@given(st.none() | COUNTS, st.none() | capacities())
def test_same_facts_give_the_same_decision(backlog: int | None, capacity: Capacity | None) -> None:
    assert decide(Facts(backlog, capacity)) == decide(Facts(backlog, capacity))


@given(COUNTS, COUNTS, capacities())
def test_more_backlog_never_asks_for_less(first: int, second: int, capacity: Capacity) -> None:
    low, high = sorted((first, second))
    smaller = decide(Facts(low, capacity)) or capacity.desired
    assert (decide(Facts(high, capacity)) or capacity.desired) >= smaller

"""The bound: compared with every way in which a few jobs can be laid on instances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.simulate.clairvoyant import least_s
from ops.simulate.load import loaded

BOOT_S = 10
Jobs = list[tuple[int, int]]

#: Whole numbers, so that gaps of exactly a boot and ends at another's arrival come up.
few_jobs = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=6)


def partitions(jobs: Jobs) -> Iterator[list[Jobs]]:
    """Yield every way to deal jobs out to instances."""
    if not jobs:
        yield []
        return
    first, *rest = jobs
    for dealt in partitions(rest):
        yield [[first], *dealt]
        for at in range(len(dealt)):
            yield [*dealt[:at], [first, *dealt[at]], *dealt[at + 1 :]]


def cost_s(jobs: Jobs, slots: int) -> float:
    """Return what an instance costs that runs these jobs and sleeps where that is cheaper."""
    moments = sorted({at for job in jobs for at in (job[0], sum(job))})
    total = idle_s = float(BOOT_S)
    for begins, ends in pairwise(moments):
        running = sum(1 for at, took in jobs if at <= begins < at + took)
        if running > slots:
            return math.inf
        if running:
            total += ends - begins
            idle_s = 0.0
        else:
            total += min(ends - begins, BOOT_S - idle_s)
            idle_s = min(BOOT_S, idle_s + ends - begins)
    return total


def brute_force(jobs: Jobs, slots: int) -> float:
    return min(sum(cost_s(each, slots) for each in dealt) for dealt in partitions(jobs))


def bound(jobs: Jobs, slots: int) -> float:
    return least_s(loaded(jobs), slots=slots, boot_s=BOOT_S)


@given(few_jobs)
def test_with_one_slot_the_bound_is_the_cheapest_fleet(jobs: Jobs) -> None:
    assert bound(jobs, 1) == pytest.approx(brute_force(jobs, 1))


@given(few_jobs, st.integers(2, 3))
def test_with_more_slots_no_fleet_is_cheaper_than_the_bound(jobs: Jobs, slots: int) -> None:
    assert bound(jobs, slots) <= brute_force(jobs, slots) + 1e-9


@pytest.mark.parametrize(
    ("jobs", "expected_s"),
    [
        ([], 0),
        ([(5, 20)], BOOT_S + 20),
        ([(0, 20), (20, 20)], BOOT_S + 40),
        ([(0, 20), (20 + BOOT_S - 1, 20)], BOOT_S + 20 + BOOT_S - 1 + 20),
        ([(0, 20), (20 + BOOT_S + 1, 20)], 2 * (BOOT_S + 20)),
        ([(0, 20), (10, 20)], 2 * (BOOT_S + 20)),
    ],
)
def test_bounds_by_hand(jobs: Jobs, expected_s: float) -> None:
    assert bound(jobs, 1) == expected_s


def test_jobs_of_one_instance_share_its_boot() -> None:
    assert bound([(0, 20), (5, 10), (5, 10)], 3) == BOOT_S + 20

"""What a run will do, drawn from its seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.faults.plan import (
    DEATHS,
    OUTAGES,
    OUTAGES_SHARE,
    Fault,
    events,
    length_s,
    mix,
)

SEEDS = st.integers(0, 2**31)
JOBS = st.integers(20, 2000)


@given(SEEDS, JOBS)
def test_a_seed_always_gives_the_same_faults(seed: int, jobs: int) -> None:
    assert events(seed, jobs) == events(seed, jobs)


@given(SEEDS, JOBS)
def test_every_outage_happens_and_no_two_overlap(seed: int, jobs: int) -> None:
    outages = [event for event in events(seed, jobs) if event.fault in OUTAGES]
    assert {event.fault for event in outages} == set(OUTAGES)
    ends = [event.at_s + event.lasts_s for event in outages]
    assert all(end <= later.at_s for end, later in zip(ends, outages[1:], strict=False))
    assert ends[-1] <= length_s(jobs) * OUTAGES_SHARE


@given(SEEDS, JOBS)
def test_every_fleet_is_killed_drained_and_notified(seed: int, jobs: int) -> None:
    found = events(seed, jobs)
    assert {(event.fault, event.kind) for event in found if event.kind} == set(DEATHS)
    assert {event.fault for event in found} == set(Fault)


@pytest.mark.parametrize("jobs", [20, 40, 500, 2000])
def test_the_mix_is_as_large_as_it_was_asked_for(jobs: int) -> None:
    found = mix(jobs)
    assert found.texts + found.rosters + found.exports + found.videos == jobs
    assert found.texts > 0


def test_five_hundred_jobs_are_texts_above_all_and_a_video_dies_ten_times() -> None:
    found = mix(500)
    assert (found.texts, found.rosters, found.exports, found.videos) == (400, 60, 30, 10)
    assert found.kills == 10

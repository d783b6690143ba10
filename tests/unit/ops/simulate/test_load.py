"""Drawn jobs: their number, their hours, how long they take, and that a seed repeats them."""

from __future__ import annotations

from statistics import fmean, median

import pytest

from ops.simulate.load import DAY_S, HOUR_S, Draw, Load, loaded

WEEKS = 20


@pytest.fixture(scope="module")
def drawn() -> Load:
    return Draw(jobs_a_day=400, mean_job_s=857, days=7 * WEEKS).load(1)


def test_so_many_jobs_come_in_the_mean_day(drawn: Load) -> None:
    assert len(drawn) / drawn.days == pytest.approx(400, rel=0.03)


def test_jobs_take_ten_minutes_in_the_median_and_fourteen_in_the_mean(drawn: Load) -> None:
    assert median(drawn.durations_s) == pytest.approx(600, rel=0.03)
    assert fmean(drawn.durations_s) == pytest.approx(857, rel=0.03)


def test_jobs_come_in_order_and_within_the_days(drawn: Load) -> None:
    assert list(drawn.arrivals_s) == sorted(drawn.arrivals_s)
    assert drawn.arrivals_s[0] >= 0 and drawn.arrivals_s[-1] < drawn.days * DAY_S


def test_weekends_are_quiet_and_evenings_are_not(drawn: Load) -> None:
    days = [int(at // DAY_S) % 7 for at in drawn.arrivals_s]
    hours = [int(at % DAY_S // HOUR_S) for at in drawn.arrivals_s]
    assert days.count(5) == pytest.approx(days.count(0) / 2, rel=0.1)
    assert days.count(6) == pytest.approx(days.count(0) / 4, rel=0.15)
    assert hours.count(21) > 2 * hours.count(12) > 0 == hours.count(4)


def test_a_seed_gives_the_same_jobs_and_another_gives_others() -> None:
    draw = Draw(jobs_a_day=20, mean_job_s=857, days=7)
    assert draw.load(3) == draw.load(3)
    assert draw.load(3) != draw.load(4)


def test_a_batch_arrives_at_once() -> None:
    load = Draw(jobs_a_day=300, mean_job_s=1, days=7, batch=30).load(1)
    assert len(load) == 30 * len(set(load.arrivals_s))


def test_a_replayed_load_is_in_order_and_lasts_whole_days() -> None:
    load = loaded([(DAY_S + 1, 5.0), (0.0, 3.0)])
    assert (list(load.arrivals_s), list(load.durations_s)) == ([0.0, DAY_S + 1], [3.0, 5.0])
    assert load.days == 2

"""From the workers' own metrics to a file of jobs that came."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from typer.testing import CliRunner

from config.settings import load_settings
from local.services.embedded_metrics import metrics_in
from ops import aws
from ops.cli import app
from ops.errors import OperatorError, UsageError
from ops.simulate import scenario
from ops.simulate.engine import simulate
from ops.simulate.load import Draw, Load, loaded, school_days
from ops.simulate.load_file import read_load
from ops.simulate.measured import last_period, measured
from ops.simulate.ours import Exact
from ops.simulate.summary import percentile
from ops.simulate.trace import PERIOD_S, Period, durations_s, jobs_of
from tests.unit.ops.simulate.fleets import fleet
from worker_images.base.metrics import EmbeddedMetrics, JobMetrics

REGION = "ap-northeast-2"
NOW = datetime.now(UTC)


def period(at_s: float = 0.0, **measured: Any) -> Period:
    nothing: dict[str, Any] = {
        "jobs": 0,
        "deliveries": 0,
        "total_s": 0.0,
        "shortest_s": 0.0,
        "longest_s": 0.0,
        "wait_s": 0.0,
    }
    return Period(at_s=at_s, **{**nothing, **measured})


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({}, []),
        ({"jobs": 0, "deliveries": 2, "total_s": 50}, []),
        ({"jobs": 1, "deliveries": 1, "total_s": 70, "shortest_s": 70, "longest_s": 70}, [70]),
        ({"jobs": 2, "deliveries": 2, "total_s": 90, "shortest_s": 20, "longest_s": 70}, [20, 70]),
        (
            {"jobs": 4, "deliveries": 4, "total_s": 190, "shortest_s": 20, "longest_s": 70},
            [20, 50, 50, 70],
        ),
        # A job that succeeded at its third delivery, and one at its first.
        ({"jobs": 2, "deliveries": 4, "total_s": 90, "shortest_s": 1, "longest_s": 60}, [45, 45]),
        ({"jobs": 1, "deliveries": 1, "total_s": 0.0}, [0.001]),
    ],
)
def test_a_period_s_jobs_take_together_what_was_measured(
    counts: dict[str, Any], found: list[float]
) -> None:
    assert durations_s(period(**counts)) == found


def test_jobs_end_evenly_within_their_period_and_came_before() -> None:
    ended = period(600.0, jobs=3, deliveries=3, total_s=90, shortest_s=30, longest_s=30, wait_s=100)
    assert jobs_of([ended]) == [(520.0, 30), (620.0, 30), (720.0, 30)]


def test_what_came_before_the_trace_is_left_out() -> None:
    first = period(0.0, jobs=1, deliveries=1, total_s=151)
    assert jobs_of([first]) == []
    assert jobs_of([period(0.0, jobs=1, deliveries=1, total_s=150)]) == [(0.0, 150)]


@given(st.lists(st.floats(1, 20_000), min_size=1, max_size=20))
def test_no_work_is_lost_and_its_extremes_stay(took: list[float]) -> None:
    took = [round(each, 3) for each in took]
    found = durations_s(
        period(
            jobs=len(took),
            deliveries=len(took),
            total_s=sum(took),
            shortest_s=min(took),
            longest_s=max(took),
        )
    )
    assert sum(found) == pytest.approx(sum(took), abs=0.001 * len(took))
    assert (min(found), max(found)) == pytest.approx((min(took), max(took)), abs=0.002)


def test_traced_days_wait_and_cost_like_the_days_themselves() -> None:
    days = school_days(Draw(jobs_a_day=400, mean_job_s=857, days=3), seed=1)
    replayed = loaded(jobs_of(periods(days, waited_s=150)))

    assert len(replayed) == pytest.approx(len(days), abs=5)
    assert sum(replayed.durations_s) == pytest.approx(sum(days.durations_s), rel=0.01)
    real, again = (simulate(load, fleet(), Exact(fleet()), seed=1) for load in (days, replayed))
    assert again.instance_s == pytest.approx(real.instance_s, rel=0.02)
    for share in (0.5, 0.95, 0.99):
        waits = [percentile(sorted(each.waits_s), share) for each in (real, again)]
        assert waits[1] == pytest.approx(waits[0], abs=15)


def periods(load: Load, *, waited_s: float) -> list[Period]:
    """Return what CloudWatch would keep of a load's jobs, had each waited so long."""
    ended: defaultdict[float, list[float]] = defaultdict(list)
    for arrival_s, duration_s in zip(load.arrivals_s, load.durations_s, strict=True):
        ended[(arrival_s + waited_s + duration_s) // PERIOD_S * PERIOD_S].append(duration_s)
    return [
        Period(at_s, len(took), len(took), sum(took), min(took), max(took), waited_s)
        for at_s, took in ended.items()
    ]


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws.client.cache_clear()
    with mock_aws():
        yield boto3.client("cloudwatch", region_name=REGION)
    aws.client.cache_clear()


class ClockAt:
    """A worker's clock that is set."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now(self) -> float:
        return self.at_s

    def monotonic(self) -> float:
        return self.at_s


def work(cloudwatch: Any, *, kind: str, jobs: list[tuple[datetime, str, float, float]]) -> None:
    """Let a worker publish jobs that ended: when, how, and seconds that they waited and took.

    Its log lines become metrics as the embedded AWS reads them.
    """
    clock, lines = ClockAt(), io.StringIO()
    worker = EmbeddedMetrics(lines, clock, environment="dev", worker_kind=kind)  # type: ignore[arg-type]
    for ended, outcome, waited_s, took_s in jobs:
        clock.at_s = ended.timestamp()
        worker.job_ended(JobMetrics(outcome, waited_s, waited_s, took_s))
    for line in lines.getvalue().splitlines():
        for namespace, entry in metrics_in(line, NOW.timestamp()):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[entry])


def ran(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["trace", "dev", *arguments])


def test_what_workers_measured_is_replayed(
    cloudwatch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = last_period(datetime.now(UTC))
    work(
        cloudwatch,
        kind="video",
        jobs=[
            (until - timedelta(hours=30), "SUCCEEDED", 150.0, 600.0),
            (until - timedelta(hours=2, seconds=1), "SUCCEEDED", 10.0, 100.0),
            (until - timedelta(hours=2, seconds=2), "SUCCEEDED", 30.0, 1900.0),
            (until - timedelta(hours=1, seconds=1), "FAILED", 0.0, 5.0),
            (until - timedelta(days=3), "SUCCEEDED", 0.0, 60.0),
        ],
    )
    work(cloudwatch, kind="ai", jobs=[(until - timedelta(hours=3), "SUCCEEDED", 0.0, 20.0)])

    told = ran("--days", "2")

    assert told.exit_code == 0, told.output
    trace = tmp_path / "trace.csv"
    trace.write_text(told.stdout, "utf-8")
    load = read_load(trace)
    assert list(load.durations_s) == [600, 1900, 100]
    # The two that ended in one period are taken to have ended a quarter before and after its
    # middle, and to have waited 20 s each.
    second_s = 46 * 3600 - PERIOD_S
    assert list(load.arrivals_s) == [
        18 * 3600 + PERIOD_S / 2 - 600 - 150,
        second_s + PERIOD_S * 3 / 4 - 1900 - 20,
        second_s + PERIOD_S / 4 - 100 - 20,
    ]
    assert ran("--days", "2").stdout == told.stdout
    monkeypatch.setattr(scenario, "fleet_of", lambda *_: fleet())
    replay = ["simulate", "dev", "--trace", str(trace), "--seeds", "1", "--json"]
    [replayed] = json.loads(CliRunner().invoke(app, replay).stdout)["policies"]
    assert (replayed["policy"], replayed["jobs"], replayed["peak"]) == ("exact", 3, 2)
    assert 120 <= replayed["p50_s"] <= 180 + 10
    assert len(ran("--days", "2", "--kind", "ai").stdout.splitlines()) == 2


def test_every_page_of_the_answer_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Paged:
        def get_paginator(self, name: str) -> Any:
            assert name == "get_metric_data"
            return self

        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            for field, value in (("jobs", 2.0), ("total_s", 30.0)):
                answer = {"Id": field, "Timestamps": [NOW], "Values": [value]}
                yield {"MetricDataResults": [answer]}

    monkeypatch.setattr(aws, "client", lambda *_: Paged())
    [found] = measured(load_settings("dev"), "video", since=NOW - timedelta(days=1), until=NOW)
    assert (found.jobs, found.total_s, found.at_s) == (2, 30.0, 86400)


def test_nothing_to_replay_is_one_clear_message(cloudwatch: Any) -> None:
    told = ran()
    assert isinstance(told.exception, OperatorError)
    assert str(told.exception) == "no job of video succeeded in dev within the last 7 days"
    assert not told.stdout


def test_a_kind_that_the_environment_lacks_is_refused_by_name() -> None:
    told = ran("--kind", "render")
    assert isinstance(told.exception, UsageError)
    assert "'render'" in str(told.exception)
    assert "video" in str(told.exception)

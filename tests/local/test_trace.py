"""`academy trace local`: the log lines of a worker on the embedded AWS, back as a file of jobs."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from typer.testing import CliRunner

from local.server import EmbeddedAws
from ops import aws as clients
from ops.cli import app
from worker_images.base.metrics import EmbeddedMetrics, JobMetrics

GROUP, STREAM = "/academy/local/video", "i-1"


class ClockAt:
    """A worker's clock that stands."""

    def __init__(self, at_s: float) -> None:
        self._at_s = at_s

    def now(self) -> float:
        return self._at_s

    def monotonic(self) -> float:
        return self._at_s


def test_jobs_in_a_worker_s_log_are_traced(
    aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.StringIO()
    worker = EmbeddedMetrics(
        lines, ClockAt(time.time() - 3600), environment="local", worker_kind="video"
    )
    for outcome, took_s in (("SUCCEEDED", 40.0), ("RETRY_WAIT", 5.0), ("SUCCEEDED", 600.0)):
        worker.job_ended(JobMetrics(outcome, 7.0, 7.0, took_s))
    log(aws, lines.getvalue().splitlines())

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    monkeypatch.setattr(clients, "client", lambda service, _: aws.clients.client(service))
    told = CliRunner().invoke(app, ["trace", "local", "--days", "1"])

    assert told.exit_code == 0, told.output
    header, *jobs = told.stdout.splitlines()
    assert header == "arrival_s,duration_s"
    # Three deliveries of two jobs: whose the third was is not known, the work is that of all.
    assert [float(job.split(",")[1]) for job in jobs] == [322.5, 322.5]


def log(aws: EmbeddedAws, lines: list[str]) -> None:
    """Send lines to CloudWatch Logs, as a container's log driver does."""
    logs: Any = aws.clients.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=STREAM,
        logEvents=[{"timestamp": int(time.time() * 1000), "message": line} for line in lines],
    )

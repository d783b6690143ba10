"""Metrics as log lines: CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from config.contracts import metrics as names
from worker_images.base.clock import Clock


@dataclass(frozen=True)
class JobMetrics:
    """One delivery in seconds.

    `queue_age_s`: from the send to this receive. `time_to_start_s`: from the job's becoming
    ready to its claim, None when it was not claimed.
    """

    outcome: str
    queue_age_s: float
    time_to_start_s: float | None
    duration_s: float


class Metrics(Protocol):
    """Where a job's numbers go."""

    def job_ended(self, job: JobMetrics) -> None:
        """Publish how long a job waited and took, and count its outcome."""
        ...


@dataclass(frozen=True)
class AllMetrics:
    """Several as one."""

    each: Sequence[Metrics]

    def job_ended(self, job: JobMetrics) -> None:
        for metrics in self.each:
            metrics.job_ended(job)


class EmbeddedMetrics:
    """Writes one line a job to `stream`, from which CloudWatch Logs makes metrics.

    A line is written in one call, so that those of two threads never mix.
    """

    def __init__(self, stream: TextIO, clock: Clock, *, environment: str, worker_kind: str) -> None:
        self._stream = stream
        self._clock = clock
        self._dimensions = names.worker_dimensions(environment, worker_kind)

    def job_ended(self, job: JobMetrics) -> None:
        values = {names.QUEUE_AGE_S: job.queue_age_s, names.JOB_DURATION_S: job.duration_s}
        if job.time_to_start_s is not None:
            values[names.TIME_TO_START_S] = job.time_to_start_s
        line = {
            "_aws": {
                "Timestamp": round(self._clock.now() * 1000),
                "CloudWatchMetrics": [
                    _directive([*self._dimensions], [(name, "Seconds") for name in values]),
                    _directive([*self._dimensions, "Outcome"], [(names.JOBS, "Count")]),
                ],
            },
            **self._dimensions,
            "Outcome": job.outcome,
            names.JOBS: 1,
            **{name: round(value, 3) for name, value in values.items()},
        }
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()


def _directive(dimensions: list[str], metrics: list[tuple[str, str]]) -> dict[str, object]:
    return {
        "Namespace": names.WORKERS_NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics],
    }

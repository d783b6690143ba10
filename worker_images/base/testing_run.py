"""`run_job`: a handler under the real runner, over fakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker_images.base.cancellation import Cancellation
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind
from worker_images.base.metrics import JobMetrics
from worker_images.base.queue import Message
from worker_images.base.runner import Surroundings, job_runner
from worker_images.base.testing import ManualClock
from worker_images.base.testing_status import MemoryStatus
from worker_images.base.work import Delivery, Disposition, Handler

_KINDS = {"VideoJob": VIDEO_JOBS, "AiJob": AI_JOBS, "TextJob": TEXTS}


@dataclass(frozen=True)
class Outcome:
    """How a job ended, as its row says, and what becomes of its message."""

    state: str
    code: str
    message: str
    values: Mapping[str, Any]
    attempts_used: int
    disposition: Disposition


@dataclass
class RecordedMetrics:
    """`Metrics` that keep what they were told."""

    jobs: list[JobMetrics] = field(default_factory=list)

    def job_ended(self, job: JobMetrics) -> None:
        self.jobs.append(job)


def run_job(
    handler: Handler,
    job: Any,
    *,
    cursor: Any = None,
    cancellation: Cancellation | None = None,
    kind: JobKind | None = None,
) -> Outcome:
    """Run one attempt of a job and return how it ended.

    `cursor` is what `context.transaction()` yields; `kind` is that of the job's class.
    """
    clock = ManualClock()
    kind = kind or _KINDS[type(job).__name__]
    status = MemoryStatus(clock, kind, cursor)
    status.add(job.job_id, video_id=getattr(job, "video_id", 1), tenant_id=job.tenant_id)
    runner = job_runner(kind, status, handler, surroundings(clock))
    message = Message("", "receipt", "message", 1, clock.now(), "queue")
    delivery = Delivery(message, clock.monotonic(), job, cancellation or Cancellation())
    disposition = runner(delivery)
    row = status.rows[job.job_id]
    return Outcome(
        row.state, row.error_code, row.error_message, row.result, row.attempts_used, disposition
    )


def surroundings(clock: ManualClock, **changes: Any) -> Surroundings:
    """Return surroundings of a runner over fakes: five attempts, no jitter, no fresh copies."""
    defaults: dict[str, Any] = {
        "clock": clock,
        "metrics": RecordedMetrics(),
        "worker_id": "worker",
        "attempts": 5,
        "lease_s": 30.0,
        "copy_message": lambda message, job_id: None,
        "copy_after": 1_000,
        "jitter": lambda: 0.0,
        "sleep": clock.advance,
    }
    return Surroundings(**{**defaults, **changes})

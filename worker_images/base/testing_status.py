"""`MemoryStatus`: the transitions of `worker_images.base.status` over a dict, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from config.contracts.states import VideoState
from worker_images.base.clock import Clock
from worker_images.base.errors import LostClaim
from worker_images.base.job_kinds import VIDEO_JOBS, Ending, JobKind
from worker_images.base.status import JobFacts
from worker_images.base.work import Claim, Result


@dataclass
class JobRow:
    """A job as its row would be, and its video's state beside it."""

    video_id: int
    tenant_id: int
    updated_at: float
    state: str
    video_state: VideoState = VideoState.UPLOADED
    attempt: int = 0
    hand_backs: int = 0
    lease_expires_at: float = 0.0
    percent: float = 0.0
    step: str = ""
    seconds_left: float | None = None
    error_code: str = ""
    error_message: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def attempts_used(self) -> int:
        """Attempts that count."""
        return self.attempt - self.hand_backs


@dataclass
class MemoryStatus:
    """Same answers as `PostgresStatus`; a test holds both to one set of expectations.

    `cursor` is what `transaction` yields.
    """

    clock: Clock
    kind: JobKind = VIDEO_JOBS
    cursor: Any = None
    rows: dict[str, JobRow] = field(default_factory=dict)

    def add(self, job_id: str, *, video_id: int = 1, tenant_id: int = 1) -> JobRow:
        """Create a waiting job."""
        row = JobRow(video_id, tenant_id, self.clock.now(), str(self.kind.queued))
        self.rows[job_id] = row
        return row

    def claim(self, job_id: str, worker_id: str, lease_s: float) -> Claim | None:
        row = self.rows.get(job_id)
        if row is None or not self._claimable(row):
            return None
        waited_s = self.clock.now() - row.updated_at
        row.attempt += 1
        row.state, row.video_state = str(self.kind.running), VideoState.PROCESSING
        row.percent, row.step, row.error_code, row.error_message = 0.0, "", "", ""
        row.lease_expires_at = self.clock.now() + lease_s
        row.updated_at = self.clock.now()
        return Claim(job_id, row.tenant_id, row.attempt, row.attempts_used, waited_s)

    def heartbeat(self, job_id: str, token: int, lease_s: float) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            row.lease_expires_at = self.clock.now() + lease_s
        return row is not None

    def progress(
        self, job_id: str, token: int, percent: float, step: str, seconds_left: float | None
    ) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            row.percent, row.step, row.seconds_left = percent, step, seconds_left
        return row is not None

    def finish(self, job_id: str, token: int, result: Result) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            self._put(row, self.kind.review if result.needs_review else self.kind.done, "", "")
            row.percent, row.result = 100.0, dict(result.values)
            row.video_state = VideoState.READY
        return row is not None

    def end(self, job_id: str, token: int, ending: Ending, code: str, message: str) -> bool:
        return self._end(self._held(job_id, token), self.kind.ended_as(ending), code, message)

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            self._put(row, self.kind.retry, code, message)
        return row is not None

    def release(self, job_id: str, token: int) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            row.hand_backs += 1
            self._put(row, self.kind.queued, "", "")
        return row is not None

    def facts(self, job_id: str) -> JobFacts | None:
        row = self.rows.get(job_id)
        if row is None:
            return None
        left_s = max(0.0, row.lease_expires_at - self.clock.now()) if row.lease_expires_at else 0.0
        return JobFacts(row.state, row.state in self.kind.open, row.attempts_used, left_s)

    def has_live_job(self, video_id: int) -> bool:
        return any(row.video_id == video_id and self._live(row) for row in self.rows.values())

    @contextmanager
    def transaction(self, job_id: str, token: int, lease_s: float) -> Iterator[Any]:
        if self._held(job_id, token) is None:
            raise LostClaim("LOST_CLAIM", "another worker holds the job")
        yield self.cursor
        self.heartbeat(job_id, token, lease_s)

    def mark_dead(self, job_id: str, code: str, message: str) -> bool:
        row = self.rows.get(job_id)
        free = row is not None and self._claimable(row)
        return self._end(row if free else None, self.kind.dead, code, message)

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        row = self.rows.get(job_id)
        if row is None or row.state != self.kind.running:
            return False
        if row.lease_expires_at > self.clock.now() - grace_s:
            return False
        code = "WORKER_LOST" if self.kind.lost else ""
        self._put(row, self.kind.lost or self.kind.queued, code, "")
        return True

    def _claimable(self, row: JobRow) -> bool:
        if row.state in self.kind.waiting:
            return True
        return not self.kind.lost and row.state == self.kind.running and not self._live(row)

    def _live(self, row: JobRow) -> bool:
        return row.state == self.kind.running and row.lease_expires_at > self.clock.now()

    def _held(self, job_id: str, token: int) -> JobRow | None:
        row = self.rows.get(job_id)
        if row is None or row.state != self.kind.running or row.attempt != token:
            return None
        return row

    def _end(self, row: JobRow | None, state: str, code: str, message: str) -> bool:
        if row is not None:
            self._put(row, state, code, message)
            row.video_state = VideoState.FAILED
        return row is not None

    def _put(self, row: JobRow, state: str, code: str, message: str) -> None:
        row.state, row.error_code, row.error_message = str(state), code, message
        row.lease_expires_at, row.seconds_left, row.updated_at = 0.0, None, self.clock.now()

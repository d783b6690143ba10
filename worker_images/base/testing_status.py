"""`MemoryStatus`: the transitions of `worker_images.base.status` over a dict, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.contracts.states import OPEN_JOB_STATES, VideoJobState, VideoState
from worker_images.base.status import Claim, JobFacts
from worker_images.base.testing import ManualClock

_WAITING = (VideoJobState.QUEUED, VideoJobState.RETRY_WAIT)


@dataclass
class JobRow:
    """A job as its row would be, and its video's state beside it."""

    video_id: int
    tenant_id: int
    updated_at: float
    state: VideoJobState = VideoJobState.QUEUED
    video_state: VideoState = VideoState.UPLOADED
    attempt: int = 0
    hand_backs: int = 0
    lease_expires_at: float = 0.0
    percent: float = 0.0
    step: str = ""
    seconds_left: float | None = None
    error_code: str = ""
    error_message: str = ""
    duration_s: float | None = None

    @property
    def attempts_used(self) -> int:
        """Attempts that count."""
        return self.attempt - self.hand_backs


@dataclass
class MemoryStatus:
    """Same answers as `PostgresStatus`; a test holds both to one set of expectations."""

    clock: ManualClock
    rows: dict[str, JobRow] = field(default_factory=dict)

    def add(self, job_id: str, *, video_id: int = 1, tenant_id: int = 1) -> JobRow:
        """Create a queued job."""
        self.rows[job_id] = JobRow(video_id, tenant_id, self.clock.now())
        return self.rows[job_id]

    def claim(self, job_id: str, worker_id: str, lease_s: float) -> Claim | None:
        row = self.rows.get(job_id)
        if row is None or not self._claimable(row):
            return None
        waited_s = self.clock.now() - row.updated_at
        row.attempt += 1
        row.state, row.video_state = VideoJobState.RUNNING, VideoState.PROCESSING
        row.percent, row.step, row.error_code, row.error_message = 0.0, "", "", ""
        row.lease_expires_at = self.clock.now() + lease_s
        row.updated_at = self.clock.now()
        return Claim(job_id, row.video_id, row.tenant_id, row.attempt, row.attempts_used, waited_s)

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

    def succeed(self, job_id: str, token: int, duration_s: float) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            self._put(row, VideoJobState.SUCCEEDED, "", "")
            row.percent, row.duration_s = 100.0, duration_s
            row.video_state = VideoState.READY
        return row is not None

    def fail(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._end(self._held(job_id, token), VideoJobState.FAILED, code, message)

    def dead(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._end(self._held(job_id, token), VideoJobState.DEAD, code, message)

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            self._put(row, VideoJobState.RETRY_WAIT, code, message)
        return row is not None

    def release(self, job_id: str, token: int) -> bool:
        row = self._held(job_id, token)
        if row is not None:
            row.hand_backs += 1
            self._put(row, VideoJobState.QUEUED, "", "")
        return row is not None

    def facts(self, job_id: str) -> JobFacts | None:
        row = self.rows.get(job_id)
        if row is None:
            return None
        left_s = max(0.0, row.lease_expires_at - self.clock.now()) if row.lease_expires_at else 0.0
        return JobFacts(row.state, row.attempts_used, left_s)

    def has_live_job(self, video_id: int) -> bool:
        return any(
            row.video_id == video_id
            and row.state == VideoJobState.RUNNING
            and row.lease_expires_at > self.clock.now()
            for row in self.rows.values()
        )

    def mark_dead(self, job_id: str, code: str, message: str) -> bool:
        row = self.rows.get(job_id)
        claimable = row is not None and row.state in OPEN_JOB_STATES and self._claimable(row)
        return self._end(row if claimable else None, VideoJobState.DEAD, code, message)

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        row = self.rows.get(job_id)
        if row is None or row.state != VideoJobState.RUNNING:
            return False
        if row.lease_expires_at > self.clock.now() - grace_s:
            return False
        self._put(row, VideoJobState.QUEUED, "", "")
        return True

    def _claimable(self, row: JobRow) -> bool:
        ended = row.lease_expires_at <= self.clock.now()
        return row.state in _WAITING or (row.state == VideoJobState.RUNNING and ended)

    def _held(self, job_id: str, token: int) -> JobRow | None:
        row = self.rows.get(job_id)
        if row is None or row.state != VideoJobState.RUNNING or row.attempt != token:
            return None
        return row

    def _end(self, row: JobRow | None, state: VideoJobState, code: str, message: str) -> bool:
        if row is not None:
            self._put(row, state, code, message)
            row.video_state = VideoState.FAILED
        return row is not None

    def _put(self, row: JobRow, state: VideoJobState, code: str, message: str) -> None:
        row.state, row.error_code, row.error_message = state, code, message
        row.lease_expires_at, row.seconds_left, row.updated_at = 0.0, None, self.clock.now()

"""Transitions of a video job, each one conditional statement. The only place that writes states.

Workers use it through psycopg, the API through Django's connection:

    PostgresStatus(database.cursor)              # a worker, see worker_images.base.database
    PostgresStatus(django.db.connection.cursor)  # the API

`attempt` is the fencing token: every claim increments it and nothing ever decrements it, so a
worker that lost its lease writes nothing any more. An attempt that was handed back is counted in
`hand_backs` instead; the attempts a job has used are `attempt - hand_backs`.

Columns used (owned by the API's migrations): `video_jobs(id uuid, video_id, tenant_id, state,
attempt int, hand_backs int, worker_id text, lease_expires_at timestamptz, percent double, step
text, seconds_left double null, error_code text, error_message text, created_at, started_at,
finished_at, updated_at)` and `videos(id, state, error_code, error_message, duration_s,
updated_at)`. The text columns are NOT NULL, an empty string meaning none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from config.contracts.states import OPEN_JOB_STATES, VideoJobState
from worker_images.base import status_sql as sql


@dataclass(frozen=True)
class Claim:
    """A job that this worker may run until its lease ends.

    `token` goes into every later call; `attempts_used` counts this attempt but no hand-backs;
    `waited_s` is the time since the job was created, or since it was last put back.
    """

    job_id: str
    video_id: int
    tenant_id: int
    token: int
    attempts_used: int
    waited_s: float


@dataclass(frozen=True)
class JobFacts:
    """What a job row says now. `lease_left_s` is 0 or less when nobody holds the job."""

    state: VideoJobState
    attempts_used: int
    lease_left_s: float

    @property
    def open(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in OPEN_JOB_STATES


class Status(Protocol):
    """The transitions. Each returns False when the token is stale or the state forbids it."""

    def claim(self, job_id: str, worker_id: str, lease_s: float) -> Claim | None:
        """Take a waiting job, or a running one whose lease ended; None when neither holds."""
        ...

    def heartbeat(self, job_id: str, token: int, lease_s: float) -> bool:
        """Extend the lease to `lease_s` seconds from now."""
        ...

    def progress(
        self, job_id: str, token: int, percent: float, step: str, seconds_left: float | None
    ) -> bool:
        """Record how far the job is; `percent` runs from 0 to 100."""
        ...

    def succeed(self, job_id: str, token: int, duration_s: float) -> bool:
        """Job SUCCEEDED, video READY with its duration."""
        ...

    def fail(self, job_id: str, token: int, code: str, message: str) -> bool:
        """Job and video FAILED for a reason that no retry mends; `message` is for a teacher."""
        ...

    def dead(self, job_id: str, token: int, code: str, message: str) -> bool:
        """Job DEAD and video FAILED: the attempts are used up."""
        ...

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        """Job RETRY_WAIT: the attempt counts, and another follows."""
        ...

    def release(self, job_id: str, token: int) -> bool:
        """Job QUEUED again without costing an attempt."""
        ...

    def facts(self, job_id: str) -> JobFacts | None:
        """Return what the row says, None when there is none."""
        ...

    def has_live_job(self, video_id: int) -> bool:
        """Whether a worker holds a lease on a job of this video."""
        ...

    def mark_dead(self, job_id: str, code: str, message: str) -> bool:
        """An operator's DEAD for an open job; refused while a worker holds the lease."""
        ...

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        """RUNNING with a lease that ended at least `grace_s` ago becomes QUEUED."""
        ...


class Cursor(Protocol):
    """The part of a DB-API cursor that is used here."""

    def execute(self, sql: Any, params: Any = None, /) -> Any:
        """Run one statement."""
        ...

    def fetchone(self) -> Any:
        """Return the next row."""
        ...


class PostgresStatus:
    """`Status` over PostgreSQL.

    `cursor` returns a context manager that yields a DB-API cursor with `pyformat` parameters.
    A worker's commits by itself; the API's belongs to the surrounding transaction.
    """

    def __init__(self, cursor: Callable[[], AbstractContextManager[Any]]) -> None:
        self._cursor = cursor

    def claim(self, job_id: str, worker_id: str, lease_s: float) -> Claim | None:
        row = self._one(sql.CLAIM, {"job_id": job_id, "worker_id": worker_id, "lease_s": lease_s})
        if row is None:
            return None
        return Claim(str(row[0]), row[1], row[2], row[3], row[4], float(row[5]))

    def heartbeat(self, job_id: str, token: int, lease_s: float) -> bool:
        return self._changed(sql.HEARTBEAT, job_id, token, lease_s=lease_s)

    def progress(
        self, job_id: str, token: int, percent: float, step: str, seconds_left: float | None
    ) -> bool:
        return self._changed(
            sql.PROGRESS, job_id, token, percent=percent, step=step, seconds_left=seconds_left
        )

    def succeed(self, job_id: str, token: int, duration_s: float) -> bool:
        return self._changed(sql.SUCCEED, job_id, token, duration_s=duration_s)

    def fail(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._changed(sql.END, job_id, token, state="FAILED", code=code, message=message)

    def dead(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._changed(sql.END, job_id, token, state="DEAD", code=code, message=message)

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._changed(sql.RETRY_LATER, job_id, token, code=code, message=message)

    def release(self, job_id: str, token: int) -> bool:
        return self._changed(sql.RELEASE, job_id, token)

    def facts(self, job_id: str) -> JobFacts | None:
        row = self._one(sql.FACTS, {"job_id": job_id})
        return None if row is None else JobFacts(VideoJobState(row[0]), row[1], float(row[2]))

    def has_live_job(self, video_id: int) -> bool:
        return self._one(sql.LIVE_JOB, {"video_id": video_id}) is not None

    def mark_dead(self, job_id: str, code: str, message: str) -> bool:
        return self._changed(sql.MARK_DEAD, job_id, 0, state="DEAD", code=code, message=message)

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        return self._changed(sql.REQUEUE_EXPIRED, job_id, 0, grace_s=grace_s)

    def _changed(self, statement: str, job_id: str, token: int, **parameters: object) -> bool:
        return self._one(statement, {"job_id": job_id, "token": token, **parameters}) is not None

    def _one(self, statement: str, parameters: Mapping[str, object]) -> Any:
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchone()

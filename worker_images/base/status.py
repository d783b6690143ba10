"""Transitions of a job, each one conditional statement. The only place that writes states.

Workers use it through psycopg, the API through Django's connection:

    PostgresStatus(database.cursor, AI_JOBS)              # a worker, see base.database
    PostgresStatus(django.db.connection.cursor, TEXTS)    # the API

`attempt` is the fencing token: every claim increments it and nothing ever decrements it, so a
worker that lost its lease writes nothing any more. An attempt that was handed back is counted in
`hand_backs` instead; the attempts a job has used are `attempt - hand_backs`.

The columns are those of the API's `LeasedJob`; worker_images.base.job_kinds says which table has
which states and what else it takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from worker_images.base import status_sql as sql
from worker_images.base.errors import LostClaim
from worker_images.base.job_kinds import VIDEO_JOBS, Ending, JobKind
from worker_images.base.work import Claim, Result


@dataclass(frozen=True)
class JobFacts:
    """What a job row says now. `lease_left_s` is 0 or less when nobody holds the job."""

    state: str
    open: bool
    attempts_used: int
    lease_left_s: float


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

    def finish(self, job_id: str, token: int, result: Result) -> bool:
        """The job is done, or waits for a person's review; its result is stored with it."""
        ...

    def end(self, job_id: str, token: int, ending: Ending, code: str, message: str) -> bool:
        """The job ended otherwise and for good; `message` is for a teacher."""
        ...

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        """The attempt counts, and another follows."""
        ...

    def release(self, job_id: str, token: int) -> bool:
        """The job waits again without its having cost an attempt."""
        ...

    def facts(self, job_id: str) -> JobFacts | None:
        """Return what the row says, None when there is none."""
        ...

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        """A job whose lease ended at least `grace_s` ago waits again; a text becomes UNKNOWN."""
        ...

    def has_live_job(self, video_id: int) -> bool:
        """Whether a worker holds a lease on a job of this video."""
        ...

    def transaction(self, job_id: str, token: int, lease_s: float) -> AbstractContextManager[Any]:
        """Yield a cursor in a transaction of its own that holds the job's row, see Context.

        Raises: LostClaim.
        """
        ...


class PostgresStatus:
    """`Status` over PostgreSQL.

    `cursor` returns a context manager that yields a DB-API cursor with `pyformat` parameters.
    A worker's commits by itself; the API's belongs to the surrounding transaction.
    """

    def __init__(
        self, cursor: Callable[[], AbstractContextManager[Any]], kind: JobKind = VIDEO_JOBS
    ) -> None:
        self._cursor = cursor
        self._kind = kind
        self._sql = sql.statements(kind)

    def claim(self, job_id: str, worker_id: str, lease_s: float) -> Claim | None:
        row = self._one(
            self._sql.claim, {"job_id": job_id, "worker_id": worker_id, "lease_s": lease_s}
        )
        if row is None:
            return None
        return Claim(str(row[0]), row[1], row[2], row[3], float(row[4]))

    def heartbeat(self, job_id: str, token: int, lease_s: float) -> bool:
        return self._changed(self._sql.heartbeat, job_id, token, lease_s=lease_s)

    def progress(
        self, job_id: str, token: int, percent: float, step: str, seconds_left: float | None
    ) -> bool:
        return self._changed(
            self._sql.progress,
            job_id,
            token,
            percent=percent,
            step=step,
            seconds_left=seconds_left,
        )

    def finish(self, job_id: str, token: int, result: Result) -> bool:
        values = json.dumps(dict(result.values), ensure_ascii=False)
        return self._changed(
            self._sql.finish, job_id, token, values=values, review=result.needs_review
        )

    def end(self, job_id: str, token: int, ending: Ending, code: str, message: str) -> bool:
        state = self._kind.ended_as(ending)
        return self._changed(self._sql.end, job_id, token, state=state, code=code, message=message)

    def retry_later(self, job_id: str, token: int, code: str, message: str) -> bool:
        return self._changed(self._sql.retry_later, job_id, token, code=code, message=message)

    def release(self, job_id: str, token: int) -> bool:
        return self._changed(self._sql.release, job_id, token)

    def facts(self, job_id: str) -> JobFacts | None:
        row = self._one(self._sql.facts, {"job_id": job_id})
        if row is None:
            return None
        return JobFacts(row[0], row[0] in self._kind.open, row[1], float(row[2]))

    def requeue_expired(self, job_id: str, grace_s: float) -> bool:
        return self._changed(self._sql.take_back, job_id, 0, grace_s=grace_s)

    @contextmanager
    def transaction(self, job_id: str, token: int, lease_s: float) -> Iterator[Any]:
        """As `Status.transaction`, for workers alone: their cursors own their connection."""
        mine = {"job_id": job_id, "token": token, "lease_s": lease_s}
        with self._cursor() as cursor, cursor.connection.transaction():
            if cursor.execute(self._sql.hold, mine).fetchone() is None:
                raise LostClaim("LOST_CLAIM", "another worker holds the job")
            yield cursor
            cursor.execute(self._sql.keep, mine)

    def mark_dead(self, job_id: str, code: str, message: str) -> bool:
        """An operator's end of an open job; refused while a worker holds the lease."""
        state = self._kind.dead
        return self._changed(
            self._sql.mark_dead, job_id, 0, state=state, code=code, message=message
        )

    def has_live_job(self, video_id: int) -> bool:
        return self._one(sql.LIVE_VIDEO_JOB, {"video_id": video_id}) is not None

    def _changed(self, statement: str, job_id: str, token: int, **parameters: object) -> bool:
        return self._one(statement, {"job_id": job_id, "token": token, **parameters}) is not None

    def _one(self, statement: str, parameters: Mapping[str, object]) -> Any:
        with self._cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchone()

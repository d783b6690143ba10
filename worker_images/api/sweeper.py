"""Jobs of every kind whose worker is gone: they wait again, or are given up.

What nobody's message would start any more is lost_messages.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from worker_images.api import lost_messages, outbox
from worker_images.api.errors import Conflict
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind
from worker_images.base.logging import logger
from worker_images.base.status import PostgresStatus

_log = logger("sweeper")
KINDS = (VIDEO_JOBS, AI_JOBS, TEXTS)
_BATCH = 500
_ATTEMPTS_USED = "처리 서버가 반복해서 중단되어 작업을 종료했습니다. 다시 요청해 주세요."
_MARKED = "운영자가 작업을 종료했습니다. 다시 요청해 주세요."
_RUNNING = "실행 중인 작업은 종료할 수 없습니다."


@dataclass(frozen=True)
class Scan:
    """How many stuck jobs wait again with a message, and how many were given up."""

    recovered: int
    dead: int

    def __add__(self, other: Scan) -> Scan:
        return Scan(self.recovered + other.recovered, self.dead + other.dead)


def sweep(threshold_s: float, attempts: int, queues: lost_messages.Queues) -> Scan:
    """Look once for what is stuck, in every kind of job.

    Taken back are jobs whose lease ended `threshold_s` seconds ago, given up once they used
    `attempts`; a text that was being sent is UNKNOWN for ever. The messages are left to the relay.
    """
    total = Scan(0, 0)
    for kind in KINDS:
        total += _take_back(kind, threshold_s, attempts)
        replaced, given_up = lost_messages.replace(kind, queues)
        total += Scan(replaced, given_up)
    return total


def mark_dead(kind: JobKind, job_id: UUID) -> bool:
    """End an open job as an operator asks; False when it had ended before.

    Raises: Conflict while a worker runs it.
    """
    status = PostgresStatus(connection.cursor, kind)
    if status.mark_dead(str(job_id), "MARKED_DEAD", _MARKED):
        _log.warning("job marked dead", job_id=str(job_id), table=kind.table)
        return True
    facts = status.facts(str(job_id))
    if facts is not None and facts.open:
        raise Conflict("JOB_RUNNING", _RUNNING)
    return False


def kind_of(job_id: UUID) -> JobKind | None:
    """Return the kind of a job, None when there is none of that id."""
    return next((kind for kind in KINDS if state_of(kind, job_id) is not None), None)


def state_of(kind: JobKind, job_id: UUID) -> str | None:
    """Return a job's state, None when there is none of that kind."""
    facts = PostgresStatus(connection.cursor, kind).facts(str(job_id))
    return facts.state if facts else None


def _take_back(kind: JobKind, threshold_s: float, attempts: int) -> Scan:
    settled = [
        _settle(kind, job_id, threshold_s, attempts) for job_id in _expired(kind, threshold_s)
    ]
    recovered = settled.count(kind.queued)
    return Scan(recovered, len(settled) - recovered - settled.count(None))


def _expired(kind: JobKind, threshold_s: float) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {kind.table} WHERE state = %s"  # noqa: S608 - a table of job_kinds
            " AND lease_expires_at <= now() - make_interval(secs => %s)"
            " ORDER BY lease_expires_at LIMIT %s",
            [kind.running, threshold_s, _BATCH],
        )
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _settle(kind: JobKind, job_id: UUID, threshold_s: float, attempts: int) -> str | None:
    """Return the state that a stuck job got, None when somebody else was quicker."""
    status = PostgresStatus(connection.cursor, kind)
    facts = status.facts(str(job_id))
    if facts is None or facts.state != kind.running:
        return None
    if kind.lost is None and facts.attempts_used >= attempts:
        changed, state = status.mark_dead(str(job_id), "ATTEMPTS_USED", _ATTEMPTS_USED), kind.dead
    else:
        changed, state = status.requeue_expired(str(job_id), threshold_s), kind.lost or kind.queued
    if not changed:
        return None
    if state == kind.queued:
        outbox.write_again(job_id)
    _log.warning("stuck job settled", job_id=str(job_id), table=kind.table, state=state)
    return state

"""Jobs that wait while no message would start them: it lies in a dead-letter queue, or is gone.

A long wait alone says nothing, since a backlog may be hours long. A message is lost when its queue
holds no more messages than workers hold jobs of it, or when workers already take what was sent long
after it. A wrong guess is a second message, which the job's claim makes harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.contracts.text_messages import WAITS_FOR_PROVIDER
from worker_images.api import outbox
from worker_images.base.job_kinds import JobKind
from worker_images.base.logging import logger
from worker_images.base.status import PostgresStatus

_log = logger("sweeper")
#: No job that changed or was sent within this is looked at: longer than a worker's longest backoff.
QUIET_S = 20 * 60.0
#: A message that was received and not deleted is back after one visibility time-out.
_VISIBILITIES = 2
#: New messages for a job of which no worker ever shows a sign; whatever they do to their worker
#: happens before the claim that would count an attempt.
REPLACEMENTS = 5
_BATCH = 500
_LOST = "작업을 시작하지 못했습니다. 다시 요청해 주세요."

#: `written` are the job's messages since its last sign of life, counted for those alone that the
#: limit leaves.
_WAITING = """
SELECT w.id, w.entry_id, w.queue, w.sent_at,
    extract(epoch FROM now() - greatest(w.updated_at, w.sent_at))::double precision,
    (SELECT count(*) FROM outbox o WHERE o.job_id = w.id AND o.created_at >= w.updated_at)
FROM (
    SELECT j.id, j.updated_at, m.id AS entry_id, m.queue, m.sent_at
    FROM {table} j JOIN LATERAL (
        SELECT id, queue, sent_at FROM outbox WHERE job_id = j.id ORDER BY id DESC LIMIT 1
    ) m ON m.sent_at <= now() - make_interval(secs => %(quiet_s)s)
    WHERE j.state = ANY(%(waiting)s) AND j.step <> %(waits)s
      AND j.updated_at <= now() - make_interval(secs => %(quiet_s)s) {one}
    ORDER BY m.sent_at LIMIT %(batch)s
) w
"""
_RUNNING = """
SELECT count(*) FROM {table} j WHERE j.state = %(running)s AND %(queue)s =
    (SELECT queue FROM outbox WHERE job_id = j.id ORDER BY id DESC LIMIT 1)
"""
#: Ids and moments of sending rise together, but for refusals; the newest is found from the end.
_TAKEN = """
SELECT m.sent_at FROM outbox m JOIN {table} j ON j.id = m.job_id
WHERE m.queue = %(queue)s AND m.sent_at <= j.started_at
ORDER BY m.id DESC LIMIT 1
"""


@dataclass(frozen=True)
class Depth:
    """What a queue says of itself: its messages, those in flight and delayed ones among them."""

    messages: int
    visibility_timeout_s: float


#: By queue key; raises outbox.QueueUnavailable.
Queues = Callable[[str], Depth]


@dataclass(frozen=True)
class Waiting:
    """A job that has waited quietly since its newest message was sent."""

    job_id: UUID
    entry_id: int
    queue: str
    sent_at: datetime
    quiet_s: float
    written: int


def replace(kind: JobKind, queues: Queues) -> tuple[int, int]:
    """Write new messages for jobs that lost theirs; return how many, and how many were given up."""
    waiting = _waiting(kind)
    if not waiting:
        return 0, 0
    facts = cache(lambda queue: _facts(kind, queue, queues))
    settled = [_settle(kind, job.job_id) for job in waiting if _is_lost(job, facts(job.queue))]
    return settled.count(True), settled.count(False)


@transaction.atomic
def write_again(kind: JobKind, job_id: UUID) -> bool:
    """Write a new message for a job that has waited for QUIET_S, on somebody's word.

    False when it has not, or does not wait at all.
    """
    return bool(_locked(kind, job_id)) and outbox.write_again(job_id)


@dataclass(frozen=True)
class QueueFacts:
    """A queue as `replace` found it; `taken_until` is when the newest taken message was sent."""

    quiet_s: float
    idle: bool
    taken_until: datetime | None


def _facts(kind: JobKind, queue: str, queues: Queues) -> QueueFacts | None:
    try:
        depth = queues(queue)
    except outbox.QueueUnavailable as error:
        _log.warning("queue not asked for lost messages", queue=queue, error=str(error))
        return None
    running = _value(_RUNNING, kind, {"running": kind.running, "queue": queue})
    taken_until = _value(_TAKEN, kind, {"queue": queue})
    return QueueFacts(
        quiet_s=max(QUIET_S, _VISIBILITIES * depth.visibility_timeout_s),
        idle=depth.messages <= running,
        taken_until=taken_until,
    )


def _is_lost(job: Waiting, facts: QueueFacts | None) -> bool:
    if facts is None or job.quiet_s < facts.quiet_s:
        return False
    if facts.idle:
        return True
    late = job.sent_at + timedelta(seconds=facts.quiet_s)
    return facts.taken_until is not None and facts.taken_until > late


@transaction.atomic
def _settle(kind: JobKind, job_id: UUID) -> bool | None:
    """Return whether a job has a new message, or was given up; None when it no longer waits."""
    found = _locked(kind, job_id)
    if not found:
        return None
    if found[0].written > REPLACEMENTS:
        status = PostgresStatus(connection.cursor, kind)
        _log.error("job given up, no worker ever claims it", job_id=str(job_id), table=kind.table)
        return False if status.mark_dead(str(job_id), "NEVER_CLAIMED", _LOST) else None
    _log.warning("job without a message gets a new one", job_id=str(job_id), table=kind.table)
    return outbox.write_again(job_id)


def _waiting(kind: JobKind) -> list[Waiting]:
    """Return the jobs that wait quietly, oldest message first."""
    return _found(kind, None)


def _locked(kind: JobKind, job_id: UUID) -> list[Waiting]:
    """Return a job, its row locked, if it still waits quietly.

    The lock comes first: a statement that waited for it would not see the message that whoever held
    it has written meanwhile. https://www.postgresql.org/docs/current/transaction-iso.html
    """
    with connection.cursor() as cursor:
        lock = f"SELECT 1 FROM {kind.table} WHERE id = %s FOR UPDATE"  # noqa: S608 - job_kinds
        cursor.execute(lock, [job_id])
    return _found(kind, job_id)


def _found(kind: JobKind, job_id: UUID | None) -> list[Waiting]:
    one = "" if job_id is None else "AND j.id = %(job_id)s"
    query = _WAITING.format(table=kind.table, one=one)
    known = {"waiting": [str(state) for state in kind.waiting], "waits": WAITS_FOR_PROVIDER}
    with connection.cursor() as cursor:
        cursor.execute(query, {**known, "quiet_s": QUIET_S, "batch": _BATCH, "job_id": job_id})
        return [Waiting(*row) for row in cursor.fetchall()]


def _value(query: str, kind: JobKind, values: dict[str, object]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query.format(table=kind.table), values)
        row = cursor.fetchone()
        return row[0] if row else None

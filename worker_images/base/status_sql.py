"""The statements of `worker_images.base.status`: one a transition, conditional, atomic.

Parameters are `pyformat`. Times are the database's own, so that workers' clocks do not matter.
What is put into the text are names and states of `worker_images.base.job_kinds`, no input.
"""

# ruff: noqa: S608 - built from the constants of job_kinds

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from worker_images.base.job_kinds import JobKind

_LEASE = "lease_expires_at = now() + make_interval(secs => %(lease_s)s)"
_LEASE_ENDED = "(lease_expires_at IS NULL OR lease_expires_at <= now())"
_NO_LEASE = "lease_expires_at = NULL, worker_id = '', seconds_left = NULL, updated_at = now()"
_WHY = "error_code = %(code)s::text, error_message = %(message)s::text"


@dataclass(frozen=True)
class Statements:
    """The statements of one table of jobs."""

    claim: str
    heartbeat: str
    hold: str
    keep: str
    progress: str
    finish: str
    end: str
    mark_dead: str
    retry_later: str
    release: str
    take_back: str
    facts: str


@cache
def statements(kind: JobKind) -> Statements:
    """Return the statements of a table of jobs."""
    table, running = kind.table, f"state = '{kind.running}'"
    mine = f"WHERE id = %(job_id)s AND {running} AND attempt = %(token)s"
    free = _free(kind)
    return Statements(
        claim=_claim(kind, free),
        heartbeat=f"UPDATE {table} SET {_LEASE} {mine} RETURNING id",
        hold=f"SELECT id FROM {table} {mine} FOR UPDATE",
        keep=f"""
UPDATE {table} SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
{mine}""",
        progress=f"""
UPDATE {table} SET percent = %(percent)s, step = %(step)s, seconds_left = %(seconds_left)s,
    updated_at = now()
{mine} RETURNING id""",
        finish=_finish(kind, mine),
        end=_end(kind, mine),
        mark_dead=_end(kind, f"WHERE id = %(job_id)s AND {free}"),
        retry_later=f"""
UPDATE {table} SET state = '{kind.retry}', {_WHY}, {_NO_LEASE} {mine} RETURNING id""",
        release=f"""
UPDATE {table} SET state = '{kind.queued}', hand_backs = hand_backs + 1, {_NO_LEASE}
{mine} RETURNING id""",
        take_back=_take_back(kind),
        facts=f"""
SELECT state, attempt - hand_backs,
    COALESCE(extract(epoch FROM lease_expires_at - now()), 0)::double precision
FROM {table} WHERE id = %(job_id)s""",
    )


def _free(kind: JobKind) -> str:
    """Return the condition under which a job may be claimed."""
    waiting = f"state IN ({', '.join(repr(str(state)) for state in kind.waiting)})"
    if kind.lost:
        return waiting
    return f"({waiting} OR (state = '{kind.running}' AND {_LEASE_ENDED}))"


def _claim(kind: JobKind, free: str) -> str:
    video = "video_id, " if kind.video else ""
    processing = """, video AS (
    UPDATE videos SET state = 'PROCESSING', updated_at = now()
    WHERE id IN (SELECT video_id FROM job)
)"""
    return f"""
WITH before AS (
    SELECT id, updated_at FROM {kind.table} WHERE id = %(job_id)s AND {free} FOR UPDATE
), job AS (
    UPDATE {kind.table} SET state = '{kind.running}', attempt = attempt + 1,
        worker_id = %(worker_id)s, {_LEASE}, percent = 0, step = '', seconds_left = NULL,
        error_code = '', error_message = '', started_at = COALESCE(started_at, now()),
        updated_at = now()
    WHERE id IN (SELECT id FROM before)
    RETURNING id, {video}tenant_id, attempt, attempt - hand_backs AS used
){processing if kind.video else ""}
SELECT job.id, tenant_id, attempt, used, extract(epoch FROM now() - before.updated_at)
FROM job JOIN before ON before.id = job.id"""


def _finish(kind: JobKind, mine: str) -> str:
    taken = "".join(
        f", {name} = COALESCE((%(values)s::jsonb ->> '{name}')::{type_}, {name})"
        for name, type_ in kind.columns
    )
    kept = ", result = %(values)s::jsonb" if kind.result else ""
    return _with_video(
        kind,
        f"""state = CASE WHEN %(review)s THEN '{kind.review}' ELSE '{kind.done}' END,
        percent = 100, step = '', error_code = '', error_message = '', finished_at = now(),
        {_NO_LEASE}{taken}{kept} {mine}""",
        """state = 'READY', error_code = '', error_message = '',
        duration_s = (%(values)s::jsonb ->> 'duration_s')::double precision""",
    )


def _end(kind: JobKind, where: str) -> str:
    return _with_video(
        kind,
        f"state = %(state)s, {_WHY}, finished_at = now(), {_NO_LEASE} {where}",
        f"state = 'FAILED', {_WHY}",
    )


def _with_video(kind: JobKind, job: str, video: str) -> str:
    """Return an UPDATE of the job, and where it has one, of its video in the same statement."""
    if not kind.video:
        return f"UPDATE {kind.table} SET {job} RETURNING id"
    return f"""
WITH job AS (
    UPDATE {kind.table} SET {job} RETURNING video_id
), video AS (
    UPDATE videos SET {video}, updated_at = now() WHERE id IN (SELECT video_id FROM job)
)
SELECT video_id FROM job"""


def _take_back(kind: JobKind) -> str:
    """A vanished worker's job waits again, or is given up where it may not run twice."""
    finished = ", finished_at = now(), error_code = 'WORKER_LOST'" if kind.lost else ""
    return f"""
UPDATE {kind.table} SET state = '{kind.lost or kind.queued}', {_NO_LEASE}{finished}
WHERE id = %(job_id)s AND state = '{kind.running}'
  AND lease_expires_at <= now() - make_interval(secs => %(grace_s)s)
RETURNING id"""


LIVE_VIDEO_JOB = """
SELECT 1 FROM video_jobs
WHERE video_id = %(video_id)s AND state = 'RUNNING' AND lease_expires_at > now() LIMIT 1
"""

COPY_MESSAGE = """
INSERT INTO outbox (queue, body, job_id) VALUES (%(queue)s, %(body)s, %(job_id)s) RETURNING id
"""

"""The statements of `worker_images.base.status`: one a transition, conditional, atomic.

Parameters are `pyformat`. Times are the database's own, so that workers' clocks do not matter.
"""

from __future__ import annotations

_LEASE_ENDED = "(lease_expires_at IS NULL OR lease_expires_at <= now())"
_HELD = "WHERE id = %(job_id)s AND state = 'RUNNING' AND attempt = %(token)s"
_LEASE = "lease_expires_at = now() + make_interval(secs => %(lease_s)s)"
_NO_LEASE = "lease_expires_at = NULL, worker_id = '', seconds_left = NULL, updated_at = now()"

CLAIM = f"""
WITH before AS (
    SELECT id, updated_at FROM video_jobs
    WHERE id = %(job_id)s AND (state IN ('QUEUED', 'RETRY_WAIT')
                               OR (state = 'RUNNING' AND {_LEASE_ENDED}))
    FOR UPDATE
), job AS (
    UPDATE video_jobs SET state = 'RUNNING', attempt = attempt + 1, worker_id = %(worker_id)s,
        {_LEASE}, percent = 0, step = '', seconds_left = NULL, error_code = '',
        error_message = '', started_at = COALESCE(started_at, now()), updated_at = now()
    WHERE id IN (SELECT id FROM before)
    RETURNING id, video_id, tenant_id, attempt, attempt - hand_backs AS used
), video AS (
    UPDATE videos SET state = 'PROCESSING', updated_at = now()
    WHERE id IN (SELECT video_id FROM job)
)
SELECT job.id, video_id, tenant_id, attempt, used, extract(epoch FROM now() - before.updated_at)
FROM job JOIN before ON before.id = job.id
"""  # noqa: S608 - built from constants of this module

HEARTBEAT = f"UPDATE video_jobs SET {_LEASE} {_HELD} RETURNING id"  # noqa: S608 - constants

PROGRESS = f"""
UPDATE video_jobs SET percent = %(percent)s, step = %(step)s, seconds_left = %(seconds_left)s,
    updated_at = now()
{_HELD} RETURNING id
"""  # noqa: S608 - built from constants of this module

SUCCEED = f"""
WITH job AS (
    UPDATE video_jobs SET state = 'SUCCEEDED', percent = 100, step = '', finished_at = now(),
        {_NO_LEASE}
    {_HELD} RETURNING video_id
), video AS (
    UPDATE videos SET state = 'READY', duration_s = %(duration_s)s, error_code = '',
        error_message = '', updated_at = now()
    WHERE id IN (SELECT video_id FROM job)
)
SELECT video_id FROM job
"""  # noqa: S608 - built from constants of this module

_END_AS = f"""
WITH job AS (
    UPDATE video_jobs SET state = %(state)s, error_code = %(code)s::text,
        error_message = %(message)s::text, finished_at = now(), {_NO_LEASE}
    {{where}} RETURNING video_id
), video AS (
    UPDATE videos SET state = 'FAILED', error_code = %(code)s::text,
        error_message = %(message)s::text, updated_at = now()
    WHERE id IN (SELECT video_id FROM job)
)
SELECT video_id FROM job
"""  # noqa: S608 - built from constants of this module

END = _END_AS.format(where=_HELD)

MARK_DEAD = _END_AS.format(
    where=f"""WHERE id = %(job_id)s AND (state IN ('QUEUED', 'RETRY_WAIT')
                                         OR (state = 'RUNNING' AND {_LEASE_ENDED}))"""
)

RETRY_LATER = f"""
UPDATE video_jobs SET state = 'RETRY_WAIT', error_code = %(code)s::text,
    error_message = %(message)s::text, {_NO_LEASE}
{_HELD} RETURNING id
"""  # noqa: S608 - built from constants of this module

RELEASE = f"""
UPDATE video_jobs SET state = 'QUEUED', hand_backs = hand_backs + 1, {_NO_LEASE}
{_HELD} RETURNING id
"""  # noqa: S608 - built from constants of this module

REQUEUE_EXPIRED = f"""
UPDATE video_jobs SET state = 'QUEUED', {_NO_LEASE}
WHERE id = %(job_id)s AND state = 'RUNNING'
  AND lease_expires_at <= now() - make_interval(secs => %(grace_s)s)
RETURNING id
"""  # noqa: S608 - built from constants of this module

FACTS = """
SELECT state, attempt - hand_backs,
    COALESCE(extract(epoch FROM lease_expires_at - now()), 0)::double precision
FROM video_jobs WHERE id = %(job_id)s
"""

LIVE_JOB = """
SELECT 1 FROM video_jobs
WHERE video_id = %(video_id)s AND state = 'RUNNING' AND lease_expires_at > now() LIMIT 1
"""

"""What each fleet has to do and who is there to do it, for the controller that sizes the fleets.

It asks every few seconds for ever: one statement a fleet over partial indexes of what is open and
of what was done lately, and one over the workers. Statements go to the primary by themselves, never
to its replica: while the primary is away no worker can say that it lives, and all would look dead.
"""

# ruff: noqa: S608 - built from the constants of job_kinds

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection

from config.contracts.fleet_facts import FleetFact, WorkerFact, WorkerState
from config.contracts.states import TextState
from config.contracts.text_messages import WAITS_FOR_PROVIDER
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind
from worker_images.base.retry import BACKOFF_FIRST_S, BACKOFF_LIMIT_S

#: The jobs of each kind of worker.
FLEETS = {"video": VIDEO_JOBS, "ai": AI_JOBS, "messaging": TEXTS}
#: The mean duration is that of so many jobs of the last day, and unknown with fewer than the least.
MEAN_OF, MEAN_OF_LEAST = 50, 5
#: A worker that was silent for so long is named only while a job's row names it.
NAMED_S = 3600.0
_DAYS_KEPT = 1

_JOBS = """
SELECT count(*) FILTER (WHERE NOT held), count(*) FILTER (WHERE held),
    extract(epoch FROM now() - min(due_at) FILTER (WHERE NOT held))::double precision,
    ({mean})::double precision,
    array_agg(worker_id) FILTER (WHERE worker_id <> '')
FROM ({open}) jobs
WHERE held OR due_at <= now()
"""
#: Of jobs that were done at the first try: `started_at` is when the first one began.
_MEAN = """
SELECT CASE WHEN count(*) >= {least} THEN avg(extract(epoch FROM finished_at - started_at)) END
FROM (
    SELECT started_at, finished_at FROM {table}
    WHERE state = '{done}' AND attempt = 1 AND finished_at > now() - interval '1 day'
    ORDER BY finished_at DESC LIMIT {of}
) latest
"""
#: A job waits from its last change on, after a failure from the earliest end of its backoff, and
#: from the end of the lease of a worker that vanished, unless nobody may run it again.
_OPEN = """
SELECT state = '{running}' {held} AS held, worker_id, CASE
    WHEN state = '{running}' THEN coalesce(lease_expires_at, updated_at)
    {parked}
    WHEN error_code <> '' THEN updated_at + make_interval(
        secs => least({limit_s}, {first_s} * 2 ^ (attempt - hand_backs - 1)) / 2)
    ELSE updated_at END AS due_at
FROM {table} WHERE state IN ({states})
{more}
"""
_HELD = "AND coalesce(lease_expires_at > now(), false)"
_PARKED = f"WHEN step = '{WAITS_FOR_PROVIDER}' THEN send_at"
_SCHEDULED = f"""
UNION ALL SELECT false, '', send_at FROM {TEXTS.table}
WHERE state = '{TextState.SCHEDULED}' AND send_at <= now()
"""
_WORKERS = """
SELECT kind, instance_id, state, jobs, extract(epoch FROM now() - seen_at)::double precision,
    coalesce(spot_notice_at > now() - make_interval(secs => %(within_s)s), false)
FROM workers ORDER BY started_at, instance_id
"""
_FORGET = f"DELETE FROM workers WHERE seen_at < now() - interval '{_DAYS_KEPT} day'"


def fleets(within_s: float) -> dict[str, FleetFact]:
    """Return the facts of every fleet, its losses of Spot instances those of `within_s` seconds.

    Raises: django.db.DatabaseError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WORKERS, {"within_s": within_s})
        workers = cursor.fetchall()
        found = {}
        for kind, jobs in FLEETS.items():
            cursor.execute(statement(jobs))
            mine = [row[1:] for row in workers if row[0] == kind]
            found[kind] = _fleet(cursor.fetchone(), mine)
    return found


def forget_workers() -> int:
    """Delete the rows of workers that were not seen for a day; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        return int(cursor.rowcount)


@cache
def statement(kind: JobKind) -> str:
    """Return the statement that reads a kind's jobs."""
    texts = kind is TEXTS
    of_open = _OPEN.format(
        running=kind.running,
        held="" if kind.lost else _HELD,
        parked=_PARKED if texts else "",
        limit_s=BACKOFF_LIMIT_S,
        first_s=BACKOFF_FIRST_S,
        table=kind.table,
        states=", ".join(f"'{state}'" for state in (*kind.waiting, kind.running)),
        more=_SCHEDULED if texts else "",
    )
    mean = _MEAN.format(table=kind.table, done=kind.done, least=MEAN_OF_LEAST, of=MEAN_OF)
    return _JOBS.format(mean=mean, open=of_open)


def _fleet(jobs: Sequence[Any], workers: Sequence[Sequence[Any]]) -> FleetFact:
    waiting, running, oldest_s, mean_job_s, holders = jobs
    named = [_worker(row, holders or ()) for row in workers]
    return FleetFact(
        waiting=waiting,
        running=running,
        oldest_s=oldest_s,
        mean_job_s=mean_job_s,
        spot_losses=sum(lost for *_, lost in workers),
        workers=tuple(each for each in named if each.leases or each.silent_s < NAMED_S),
        unnamed=len(holders or ()) - sum(each.leases for each in named),
    )


def _worker(row: Sequence[Any], holders: Sequence[str]) -> WorkerFact:
    instance_id, state, jobs, silent_s, _ = row
    return WorkerFact(
        instance_id=instance_id,
        state=WorkerState(state),
        jobs=jobs,
        leases=sum(holder.startswith(instance_id) for holder in holders),
        silent_s=max(0.0, silent_s),
    )

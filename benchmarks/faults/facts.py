"""What is there when a run has ended: asked of the database, the buckets, the queues, the logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.chaos import Chaos
from benchmarks.faults.fleet import CONCURRENCY, Fleet
from benchmarks.faults.orders import SHARED, Orders
from benchmarks.faults.plan import Fault
from benchmarks.faults.videos import VideoFacts, look_at
from benchmarks.faults.world import JOB_TABLES, World
from config.contracts.queues import QUEUES
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS

KINDS = {kind.table: kind for kind in (VIDEO_JOBS, AI_JOBS, TEXTS)}
_JOBS = """
SELECT id::text, state, attempt, hand_backs, error_code,
    extract(epoch FROM finished_at - created_at)::double precision
FROM {table} ORDER BY created_at
"""
_TOTALS = """
SELECT coalesce(sum((result->>'created_students_count')::int), 0),
    coalesce(sum((result->>'enrolled_count')::int), 0)
FROM ai_jobs WHERE job_type = 'excel_parsing' AND state = 'DONE'
"""


@dataclass(frozen=True)
class JobFacts:
    """A job at the end. `finals` are the times it entered a final state, `revived` those it left
    one, `seconds` its age at its end.
    """

    table: str
    job_id: str
    state: str
    attempt: int
    hand_backs: int
    error_code: str
    seconds: float | None
    finals: int
    revived: int

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in KINDS[self.table].open


@dataclass(frozen=True)
class Torment:
    """The video that was killed: `started` counts ffmpegs of parts, `parts` those recorded."""

    state: str
    kills: int
    interruptions: int
    parts: int
    started: int


@dataclass(frozen=True)
class Facts:
    """Everything that the checks judge. Texts go by their recipient's number."""

    jobs: Sequence[JobFacts]
    unsent: int
    queued: int
    dead_letters: Counter[str]
    poison: Counter[str]
    poison_job: str
    ordered: Sequence[str]
    texts: dict[str, str]
    sent: Counter[str]
    cuts: int
    enrolled: dict[int, int]
    enrolled_wanted: dict[int, int]
    students: int
    students_wanted: int
    told_created: int
    told_enrolled: int
    excel_keys: frozenset[str]
    excel_keys_wanted: frozenset[str]
    videos: Sequence[VideoFacts]
    stray: Sequence[str]
    torment: Torment


def open_jobs(world: World) -> int:
    """Return how many jobs have not ended."""
    count = "SELECT count(*) FROM {table} WHERE state = ANY(%s)"
    return sum(
        int(world.rows(count.format(table=table), [str(state) for state in kind.open])[0][0])
        for table, kind in KINDS.items()
    )


def unsent(world: World) -> int:
    """Return how many messages the outbox still holds."""
    return int(world.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0])


def queued(world: World, *, dead: bool = False) -> int:
    """Return how many messages the queues hold, hidden ones too; or their dead-letter queues."""
    service: Any = world.aws.services["sqs"]
    names = {world.environ[queue.variable] + ("-dlq" if dead else "") for queue in QUEUES}
    gauges = [gauge for gauge in service.gauges() if gauge.name in names]
    return sum(gauge.visible + gauge.not_visible + gauge.delayed for gauge in gauges)


def gather(world: World, orders: Orders, fleet: Fleet, chaos: Chaos) -> Facts:
    """Ask everything."""
    lectures = dict(world.rows("SELECT lecture_id, count(*) FROM enrollments GROUP BY 1"))
    [(created, enrolled)] = world.rows(_TOTALS)
    whole = [expected for expected in orders.rosters.values() if expected]
    own = sum(expected - SHARED for expected in whole)
    videos, stray = look_at(world, orders.videos)
    exports = (
        "SELECT result->>'file_key' FROM ai_jobs WHERE job_type LIKE '%%export' AND state = 'DONE'"
    )
    [(poison_file, poison_state)] = world.rows(
        "SELECT payload->>'file_key', state FROM ai_jobs WHERE id = %s", orders.poison_job
    )
    return Facts(
        jobs=_jobs(world),
        unsent=unsent(world),
        queued=queued(world),
        dead_letters=Counter(_dead_letters(world)),
        poison=Counter(chaos.poison),
        poison_job=poison_state,
        ordered=orders.texts,
        texts=dict(world.rows("SELECT recipient, state FROM text_messages")),
        sent=Counter(form["receiver"] for form in world.provider.out),
        cuts=_cuts(fleet, chaos),
        enrolled=lectures,
        enrolled_wanted={lecture: n for lecture, n in orders.rosters.items() if n},
        students=world.rows("SELECT count(*) FROM students")[0][0],
        students_wanted=own + (SHARED if whole else 0),
        told_created=created,
        told_enrolled=enrolled,
        excel_keys=frozenset(_keys(world, "R2_EXCEL_BUCKET")),
        excel_keys_wanted=frozenset({poison_file, *(key for (key,) in world.rows(exports))}),
        videos=videos,
        stray=stray,
        torment=_torment(world, orders, chaos),
    )


def _jobs(world: World) -> list[JobFacts]:
    finals: Counter[str] = Counter()
    revived: Counter[str] = Counter()
    changes = "SELECT job_table, job_id::text, before, after FROM transitions WHERE before <> after"
    for table, job_id, before, after in world.rows(changes):
        still_open = KINDS[table].open
        finals[job_id] += after not in still_open
        revived[job_id] += before not in still_open
    return [
        JobFacts(table, *row, finals=finals[row[0]], revived=revived[row[0]])
        for table in JOB_TABLES
        for row in world.rows(_JOBS.format(table=table))
    ]


def _dead_letters(world: World) -> list[str]:
    """Return the bodies in the dead-letter queues; they stay there."""
    sqs, bodies = world.client("sqs"), {}
    for queue in QUEUES:
        url = sqs.get_queue_url(QueueName=f"{world.environ[queue.variable]}-dlq")["QueueUrl"]
        while found := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            bodies.update({message["MessageId"]: message["Body"] for message in found})
    return list(bodies.values())


def _keys(world: World, bucket: str) -> list[str]:
    pages = world.client("s3").get_paginator("list_objects_v2")
    return [
        found["Key"]
        for page in pages.paginate(Bucket=world.environ[bucket])
        for found in page.get("Contents", [])
    ]


def _cuts(fleet: Fleet, chaos: Chaos) -> int:
    """Return how many texts may have been cut in the midst of their call at most.

    Those in the hands of a worker that was killed, or of all while the database was away.
    """
    at_once = CONCURRENCY["messaging"]
    killed = sum(
        n for (kind, how), n in fleet.endings.items() if (kind, how) == ("messaging", "SIGKILL")
    )
    away = chaos.done[Fault.POSTGRES_AWAY, ""] + chaos.done[Fault.POSTGRES_FROZEN, ""]
    return at_once * (killed + away * 2)


def _torment(world: World, orders: Orders, chaos: Chaos) -> Torment:
    query = """
    SELECT j.state, j.attempt - 1, v.file_key,
        (SELECT count(*) FROM video_parts p WHERE p.job_id = j.id)
    FROM video_jobs j JOIN videos v ON v.id = j.video_id WHERE j.id = %s"""
    [(state, interruptions, file_key, parts)] = world.rows(query, orders.tormented_job)
    lines = world.encodes.read_text().splitlines()
    return Torment(
        state=state,
        kills=chaos.done["kill -9 of one video", "video"],
        interruptions=interruptions,
        parts=parts,
        started=sum(file_key in line and not line.startswith("other") for line in lines),
    )

"""What is there when a run has ended: asked of the database, the buckets, the queues, the logs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.faults.chaos import Chaos
from benchmarks.faults.fleet import CONCURRENCY, Fleet
from benchmarks.faults.orders import SHARED, Orders
from benchmarks.faults.plan import Fault
from benchmarks.faults.videos import VideoFacts, look_at
from benchmarks.faults.world import JOB_TABLES, ROOT, World
from config.contracts.queues import QUEUES

_JOBS = """
SELECT id::text, state, attempt, hand_backs, error_code,
    extract(epoch FROM finished_at - created_at)::double precision
FROM {table} ORDER BY created_at
"""
_LOOK = """
from worker_images.api import ports
from worker_images.api.rosters import Rosters
rosters = Rosters(ports.excel_storage())
print(rosters.look() + rosters.look())
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
        return self.state in JOB_TABLES[self.table].open


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
    left_rosters: int
    videos: Sequence[VideoFacts]
    stray: Sequence[str]
    torment: Torment


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
    [(poison,)] = world.rows("SELECT state FROM ai_jobs WHERE id = %s", orders.poison_job)
    left_rosters = _delete_left_rosters(world)
    return Facts(
        jobs=_jobs(world),
        unsent=world.unsent(),
        queued=world.queued(),
        dead_letters=Counter(_dead_letters(world)),
        poison=Counter(chaos.poison),
        poison_job=poison,
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
        excel_keys=frozenset(world.keys("R2_EXCEL_BUCKET")),
        excel_keys_wanted=frozenset(key for (key,) in world.rows(exports)),
        left_rosters=left_rosters,
        videos=videos,
        stray=stray,
        torment=_torment(world, orders, chaos),
    )


def _jobs(world: World) -> list[JobFacts]:
    finals: Counter[str] = Counter()
    revived: Counter[str] = Counter()
    changes = "SELECT job_table, job_id::text, before, after FROM transitions WHERE before <> after"
    for table, job_id, before, after in world.rows(changes):
        still_open = JOB_TABLES[table].open
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


def _delete_left_rosters(world: World) -> int:
    """Let the API look for rosters that no job will delete, twice, as its relay does in two hours.

    Some are left by calls that the database failed in the midst, one by the job that was given up.
    """
    command = [sys.executable, "-m", "worker_images.api.manage", "shell", "-v", "0", "-c", _LOOK]
    done = subprocess.run(command, cwd=ROOT, env=world.environ, check=True, capture_output=True)
    return int(done.stdout)


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

"""Everything around the workers: PostgreSQL, Redis, the embedded AWS, a provider, the API."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.contracts.queues import QUEUES
from local.clock import SystemClock
from local.hosts import spot
from local.server import EmbeddedAws
from tests.unit.api.servers import PORTS, Program
from tests.unit.messaging.provider_server import ProviderServer
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS

ROOT = Path(__file__).parents[2]
#: Attempts of a job by the fleet that runs it. A video is killed ten times and still has to end
#: well; the roster that kills its workers has to end, too.
ATTEMPTS = {"video": 14, "ai": 5, "messaging": 5}
#: So soon the work of a worker that was killed is somebody else's.
LEASE_S = 6
#: The group of all workers, and what its instances are of.
GROUP, IMAGE = "faults", "ami-12c6146b"
JOB_TABLES = {kind.table: kind for kind in (VIDEO_JOBS, AI_JOBS, TEXTS)}


@dataclass
class AheadClock(SystemClock):
    """The machine's clock, `ahead_s` seconds ahead."""

    ahead_s: float = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


@dataclass
class World:
    """What runs, and how it is asked. `environ` is what every process is told, `clock` SQS's."""

    folder: Path
    postgres: Program
    redis: Program
    aws: EmbeddedAws
    clock: AheadClock
    provider: ProviderServer
    spot: spot.SpotNotices
    environ: dict[str, str]
    api: str = ""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database; while it is away, again and again."""
        while True:
            try:
                with _connected() as connection:
                    cursor = connection.execute(query.encode(), values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                time.sleep(0.2)

    def client(self, service: str) -> Any:
        """Return a client that asks the embedded AWS in this process; faults meet it, too."""
        return self.aws.clients.client(service)

    def open_jobs(self) -> int:
        """Return how many jobs have not ended."""
        count = "SELECT count(*) FROM {table} WHERE state = ANY(%s)"
        return sum(
            int(self.rows(count.format(table=table), [str(state) for state in kind.open])[0][0])
            for table, kind in JOB_TABLES.items()
        )

    def unsent(self) -> int:
        """Return how many messages the outbox still holds."""
        return int(self.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0])

    def queued(self, *, dead: bool = False) -> int:
        """Return how many messages the queues or their dead-letter queues hold, hidden ones too."""
        service: Any = self.aws.services["sqs"]
        suffix = "-dlq" if dead else ""
        names = {self.environ[queue.variable] + suffix for queue in QUEUES}
        gauges = [gauge for gauge in service.gauges() if gauge.name in names]
        return sum(gauge.visible + gauge.not_visible + gauge.delayed for gauge in gauges)

    def keys(self, bucket: str) -> list[str]:
        """Return every key of a bucket, named by its variable."""
        pages = self.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.environ[bucket])
        return [each["Key"] for page in found for each in page.get("Contents", [])]

    @property
    def encodes(self) -> Path:
        """The file with a line for every ffmpeg that a worker started."""
        return self.folder / "encodes.log"


def _connected() -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1",
        port=PORTS["postgres"],
        user="academy",
        dbname="postgres",
        autocommit=True,
        connect_timeout=5,
    )

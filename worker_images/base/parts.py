"""What a worker's `compose` puts together: the parts of the runtime, made from the settings."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from config.contracts.queues import copy_after
from worker_images.base.clock import SystemClock
from worker_images.base.consumer import Consumer
from worker_images.base.database import open_database
from worker_images.base.gate import Gate
from worker_images.base.health import alive_path, polled_path
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.job_kinds import JobKind
from worker_images.base.lifecycle import Lifecycle, open_lifecycle
from worker_images.base.limits import Limits
from worker_images.base.metrics import AllMetrics, EmbeddedMetrics, Metrics
from worker_images.base.middleware import Middleware, through
from worker_images.base.outbox import Outbox
from worker_images.base.presence import NullPresence, Presence, Row
from worker_images.base.priority import PriorityQueues
from worker_images.base.prometheus import PrometheusMetrics
from worker_images.base.queue import Queue, SqsQueue
from worker_images.base.runner import Surroundings, job_runner, task_runner
from worker_images.base.settings import WorkerSettings
from worker_images.base.sqs_client import open_sqs
from worker_images.base.status import PostgresStatus
from worker_images.base.storage import Storage, open_storage
from worker_images.base.work import Handler, Runner


class Parts:
    """The parts that the settings describe; nothing is connected before it is used.

    Attributes: settings, clock, database.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.database = open_database(settings.database)
        self._gate = Gate(self._ask_database, self.clock)

    def status(self, kind: JobKind) -> PostgresStatus:
        """Return the transitions of a table of jobs."""
        return PostgresStatus(self.database.cursor, kind)

    def storage(self, role: str) -> Storage:
        """Return the storage of a bucket by its role: ai, video, excel or storage."""
        return open_storage(self.settings.storage, self.settings.buckets[role])

    def consumer(
        self,
        *,
        marker: str,
        queues: Sequence[str],
        decode: Callable[[str], Any],
        jobs: Mapping[type, tuple[JobKind, Handler]],
        tasks: Mapping[type, Callable[..., None]] | None = None,
        around_jobs: Sequence[Middleware] = (),
        short: bool = False,
    ) -> Consumer:
        """Return the consumer of `queues` (keys, the most urgent first).

        `jobs` and `tasks` say what runs what `decode` returns, by its class: a handler with the
        table of its jobs, or `task(message, cancellation)` for what has no row. `around_jobs` goes
        around the runners of jobs, the first one outermost. Jobs that are `short` are received by
        the ten, before there is a thread for each.
        """
        settings, queue = self.settings, self._queue(queues)
        lifecycle = open_lifecycle(settings, self.clock)
        around = self._surroundings(lifecycle)
        limits = Limits(settings.visibility_timeout_s, settings.time_limit_s, settings.hang_limit_s)
        runners: dict[type, Runner] = {
            work: through(around_jobs, job_runner(kind, self.status(kind), handler, around))
            for work, (kind, handler) in jobs.items()
        }
        return Consumer(
            queue=queue,
            decode=decode,
            runners=runners
            | {work: task_runner(task, around) for work, task in (tasks or {}).items()},
            heartbeat=Heartbeat(queue, self.clock, limits, alive_path().touch),
            lifecycle=lifecycle,
            presence=self._presence(lifecycle),
            gate=self._gate,
            clock=self.clock,
            idle_s=settings.idle_s,
            concurrency=settings.concurrency,
            short=short,
            marker=marker,
            polled=polled_path().touch,
        )

    def _surroundings(self, lifecycle: Lifecycle) -> Surroundings:
        """A job's row names its worker by its instance, as the table of workers does."""
        settings, own = self.settings, lifecycle.instance_id or socket.gethostname()
        return Surroundings(
            clock=self.clock,
            metrics=self._metrics(),
            worker_id=f"{own}_{uuid4().hex[:8]}",
            attempts=settings.attempts,
            lease_s=settings.visibility_timeout_s,
            copy_message=Outbox(self.database.cursor).copy,
            copy_after=copy_after(settings.attempts),
            away=self._gate.suspect,
        )

    def _presence(self, lifecycle: Lifecycle) -> Presence:
        if lifecycle.instance_id is None:
            return NullPresence()
        return Row(self.database.cursor, self.clock, lifecycle.instance_id, self.settings.kind)

    def _queue(self, keys: Sequence[str]) -> Queue:
        sqs = open_sqs(self.settings.region)
        seconds = self.settings.visibility_timeout_s
        made = [
            (key, SqsQueue(sqs, key, self.settings.queue_names[key], visibility_timeout_s=seconds))
            for key in keys
        ]
        return made[0][1] if len(made) == 1 else PriorityQueues(made)

    def _metrics(self) -> Metrics:
        settings = self.settings
        embedded = EmbeddedMetrics(
            sys.stdout, self.clock, environment=settings.environment, worker_kind=settings.kind
        )
        if settings.metrics_port is None:
            return embedded
        scraped = PrometheusMetrics(settings.kind)
        scraped.serve(settings.metrics_port)
        return AllMetrics((embedded, scraped))

    def _ask_database(self) -> None:
        with self.database.cursor() as cursor:
            cursor.execute("SELECT 1")

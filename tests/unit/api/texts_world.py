"""The whole way of a text: the API, its outbox and scheduler, the worker's runner, a provider.

The tables are the migrations' own; the queue between outbox and worker is a list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.utils import timezone

from tests.unit.api.servers import PORTS
from tests.unit.messaging.conftest import aligo_at
from tests.unit.messaging.provider_server import ProviderServer
from worker_images.api.models import OutboxEntry, TextMessage
from worker_images.base.clock import SystemClock
from worker_images.base.database import Database
from worker_images.base.job_kinds import TEXTS
from worker_images.base.middleware import through
from worker_images.base.outbox import Outbox
from worker_images.base.queue import Message
from worker_images.base.runner import Surroundings, job_runner
from worker_images.base.status import PostgresStatus
from worker_images.base.testing_run import RecordedMetrics
from worker_images.base.work import Delivery, Disposition, Runner
from worker_images.messaging.alert import Watch
from worker_images.messaging.circuit import Circuit
from worker_images.messaging.old_texts import Adopted, decode
from worker_images.messaging.pace import Pace
from worker_images.messaging.parking import Parked
from worker_images.messaging.provider import Provider
from worker_images.messaging.rows import TextRows
from worker_images.messaging.send import SendText

LEASE_S = 30.0


@dataclass
class Administrators:
    """boto3's SNS client, as far as it is called; `away` refuses."""

    told: list[str] = field(default_factory=list)
    away: bool = False

    def publish(self, **message: str) -> None:
        if self.away:
            raise ConnectionError("SNS is away")
        self.told.append(message["Subject"])


@dataclass
class World:
    """One provider, one worker process, and the administrators."""

    server: ProviderServer
    database: Database
    administrators: Administrators = field(default_factory=Administrators)
    _usual: Runner | None = None

    def circuit(self, provider: str = "aligo") -> Circuit:
        return Circuit(self.database.cursor, provider)

    def handler(self, provider: Provider | None = None) -> SendText:
        chosen = provider or aligo_at(self.server.endpoint)
        watch = Watch(
            self.circuit(chosen.name), self.administrators, "arn:topic", chosen.name, "unit"
        )
        return SendText(chosen, watch, Pace(1000, SystemClock()), alimtalk=True, jitter=lambda: 0.0)

    def worker(self, provider: Provider | None = None) -> Runner:
        """Return the runner of texts as `worker_images.messaging.__main__` puts it together."""
        rows = TextRows(self.database.cursor)
        around = Surroundings(
            clock=SystemClock(),
            metrics=RecordedMetrics(),
            worker_id="worker",
            attempts=5,
            lease_s=LEASE_S,
            copy_message=Outbox(self.database.cursor).copy,
            copy_after=10,
            jitter=lambda: 0.0,
            sleep=lambda seconds: None,
        )
        status = PostgresStatus(self.database.cursor, TEXTS)
        runner = job_runner(TEXTS, status, self.handler(provider), around)
        return through((Parked(rows), Adopted(rows)), runner)

    def run(self, body: str, worker: Runner | None = None) -> Disposition:
        """Let a worker run a message with this body."""
        message = Message(body, "receipt", "message", 1, SystemClock().now(), "messaging")
        if worker is None:
            worker = self._usual = self._usual or self.worker()
        return worker(Delivery(message, 0.0, decode(body)))

    def circuit_is_due(self) -> None:
        """Let the time pass for which the circuit is open."""
        with self.database.cursor() as cursor:
            cursor.execute("UPDATE provider_circuits SET open_until = now()")

    def texts_are_due(self) -> None:
        """Let the time pass for which texts wait."""
        TextMessage.objects.filter(send_at__isnull=False).update(send_at=timezone.now())


def open_world(server: ProviderServer) -> World:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=PORTS["postgres"], user="academy", dbname="postgres",
            autocommit=True,
        )  # fmt: skip

    return World(server, Database(connect))


def take_bodies() -> list[str]:
    """Take every message out of the outbox, as the relay sends them."""
    bodies = list(OutboxEntry.objects.order_by("id").values_list("body", flat=True))
    OutboxEntry.objects.all().delete()
    return bodies

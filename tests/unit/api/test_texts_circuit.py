"""One opinion of a provider, whoever asks: when it is trusted, asked first, left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone

from tests.unit.api.servers import PORTS, wait_until
from worker_images.api.models import OutboxEntry, ProviderCircuit, TextMessage
from worker_images.api.texts_schedule import queue_until
from worker_images.base.database import Database
from worker_images.messaging.circuit import (
    FIRST_OPEN_S,
    LONGEST_OPEN_S,
    OPEN_AFTER,
    Circuit,
    CircuitOpen,
    Passage,
)
from worker_images.messaging.circuit_sql import TAKE_PROBE

pytestmark = pytest.mark.server


@pytest.fixture
def workers(database: None) -> Iterator[Database]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE text_messages, provider_circuits, outbox")
    workers = Database(
        lambda: psycopg.connect(
            host="127.0.0.1", port=PORTS["postgres"], user="academy", dbname="postgres",
            autocommit=True,
        )
    )  # fmt: skip
    yield workers
    workers.close()


@pytest.fixture
def circuit(workers: Database) -> Circuit:
    return Circuit(workers.cursor, "aligo")


def opened(circuit: Circuit) -> Circuit:
    for _ in range(OPEN_AFTER):
        circuit.failed(Passage.FREE)
    return circuit


def due() -> None:
    ProviderCircuit.objects.update(open_until=timezone.now())


def test_a_provider_that_never_failed_is_trusted(circuit: Circuit) -> None:
    assert circuit.enter() is Passage.FREE
    assert not ProviderCircuit.objects.exists()


def test_after_a_failure_it_is_asked_first_until_it_answers(circuit: Circuit) -> None:
    assert circuit.failed(Passage.FREE) is None
    assert circuit.enter() is Passage.ASK_FIRST
    circuit.answered(Passage.ASK_FIRST)
    assert circuit.enter() is Passage.FREE


def test_failures_in_a_row_open_it(circuit: Circuit) -> None:
    opened(circuit)
    with pytest.raises(CircuitOpen) as refused:
        circuit.enter()
    assert 0 < refused.value.seconds <= FIRST_OPEN_S


def test_one_provider_does_not_close_the_others(workers: Database, circuit: Circuit) -> None:
    opened(circuit)
    assert Circuit(workers.cursor, "solapi").enter() is Passage.FREE


def test_one_of_the_workers_that_saw_it_due_probes(workers: Database, circuit: Circuit) -> None:
    opened(circuit)
    due()
    seen: list[Passage | None] = []

    class Between(Circuit):
        """Lets another worker enter between its own look and what it does about it."""

        def _one(self, statement: str, **parameters: object) -> Any:
            if statement == TAKE_PROBE:
                seen.append(circuit.enter())
            return super()._one(statement, **parameters)

    with pytest.raises(CircuitOpen):
        Between(workers.cursor, "aligo").enter()
    assert seen == [Passage.PROBE]


def test_each_probe_that_fails_doubles_the_wait_up_to_the_longest(circuit: Circuit) -> None:
    opened(circuit)
    waits = []
    for _ in range(8):
        due()
        seconds = circuit.failed(circuit.enter())
        assert seconds is not None
        waits.append(round(seconds))
    assert waits[:4] == [20, 40, 80, 160]
    assert waits[-1] == LONGEST_OPEN_S


def test_late_failures_of_others_do_not_lengthen_the_wait(circuit: Circuit) -> None:
    opened(circuit)
    before = ProviderCircuit.objects.get().open_until
    assert circuit.failed(Passage.FREE) is None
    row = ProviderCircuit.objects.get()
    assert (row.failures, row.open_until) == (OPEN_AFTER, before)


def test_a_late_answer_to_others_does_not_close_it(circuit: Circuit) -> None:
    opened(circuit)
    assert circuit.take_alert()
    assert circuit.answered(Passage.ASK_FIRST) is False
    with pytest.raises(CircuitOpen):
        circuit.enter()


def test_a_probe_that_is_answered_closes_it_and_ends_the_episode(circuit: Circuit) -> None:
    opened(circuit)
    assert (circuit.take_alert(), circuit.take_alert()) == (True, False)
    due()
    assert circuit.answered(circuit.enter()) is True
    assert circuit.enter() is Passage.FREE
    assert circuit.take_alert() is False


def test_an_alert_is_taken_by_one_worker(
    circuit: Circuit, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    opened(circuit)
    assert together(8, circuit.take_alert).count(True) == 1


def test_an_episode_that_nobody_was_told_of_needs_no_recovery(circuit: Circuit) -> None:
    circuit.failed(Passage.FREE)
    assert circuit.take_alert() is False
    assert circuit.answered(Passage.ASK_FIRST) is False


def test_the_scheduler_queues_what_is_due_and_outlives_a_lost_table(
    workers: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop that runs beside the relay, through an outage of its database."""
    stop = Event()

    def loop() -> None:
        try:
            queue_until(stop)
        finally:
            connections.close_all()

    with workers.cursor() as cursor:
        cursor.execute("ALTER TABLE text_messages RENAME TO away")
    thread = Thread(target=loop)
    thread.start()
    try:
        wait_until(lambda: "scheduled texts not looked for" in caplog.text)
        with workers.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO text_messages")
        TextMessage.objects.create(
            tenant_id=1, recipient="01012345678", sender="021234567", text="시작", mode="sms",
            state="SCHEDULED", send_at=timezone.now(),
        )  # fmt: skip
        wait_until(OutboxEntry.objects.exists)
    finally:
        stop.set()
        thread.join(20)
    assert TextMessage.objects.get().state == "QUEUED"
    assert OutboxEntry.objects.get().queue == "messaging"

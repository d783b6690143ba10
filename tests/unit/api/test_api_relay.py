"""The relay: what is pending is sent, in spite of outages, neighbours and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, transaction

from config.contracts.messages import VideoJob, encode
from tests.unit.api import stuck
from tests.unit.api.servers import wait_until
from worker_images.api.models import OutboxEntry
from worker_images.api.outbox import QueueUnavailable, deliver_next
from worker_images.api.relay import FIRST_WAIT_S, IDLE_S, LONGEST_WAIT_S, Relay, backoff_s
from worker_images.base.job_kinds import VIDEO_JOBS


def pending(count: int) -> list[OutboxEntry]:
    return [OutboxEntry.objects.create(queue="video", body=str(n)) for n in range(count)]


def refuse(queue: str, body: str) -> None:
    raise QueueUnavailable("down")


def test_messages_go_out_in_the_order_they_were_written(database: None) -> None:
    pending(3)
    sent: list[str] = []
    while deliver_next(lambda queue, body: sent.append(body)):
        pass
    assert sent == ["0", "1", "2"]


def test_a_message_the_queue_never_takes_does_not_hold_up_the_rest(database: None) -> None:
    pending(3)
    sent: list[str] = []

    def send(queue: str, body: str) -> None:
        if body == "0":
            raise QueueUnavailable("too long")
        sent.append(body)

    for _ in range(5):
        try:
            deliver_next(send)
        except QueueUnavailable:
            continue
    assert sent == ["1", "2"]
    assert OutboxEntry.objects.get(sent_at=None).last_error == "too long"


def test_a_message_that_another_process_is_sending_is_skipped(
    database: None, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    first, _ = pending(2)
    sent: list[str] = []
    with transaction.atomic():
        OutboxEntry.objects.select_for_update().get(pk=first.pk)
        assert together(1, lambda: deliver_next(lambda q, body: sent.append(body))) == [True]
    assert sent == ["1"]


def test_a_crash_between_sending_and_marking_sends_again(database: None) -> None:
    pending(1)
    sent: list[str] = []

    def send_and_crash(queue: str, body: str) -> None:
        sent.append(body)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver_next(send_and_crash)
    assert OutboxEntry.objects.get().sent_at is None
    assert deliver_next(lambda queue, body: sent.append(body))
    assert sent == ["0", "0"]


def test_an_outage_is_two_log_lines_however_long_it_lasts(
    database: None, caplog: pytest.LogCaptureFixture
) -> None:
    pending(1)
    outcomes = [refuse] * 20 + [lambda queue, body: None]
    relay = Relay(lambda: deliver_next(outcomes.pop(0)), chance=lambda: 1.0)
    with caplog.at_level("INFO", logger="academy.relay"):
        waits = [relay.step() for _ in range(21)]
    assert [record.message for record in caplog.records] == [
        "outbox delivery failing",
        "outbox delivery works again",
    ]
    assert waits[0] == FIRST_WAIT_S
    assert max(waits) == LONGEST_WAIT_S
    assert waits[-1] == 0.0


def test_an_outage_that_ends_with_an_empty_outbox_does_not_hide_the_next_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes: list[Exception | None] = [OperationalError("gone"), None, None, QueueUnavailable("")]

    def deliver() -> bool:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return False

    relay = Relay(deliver, chance=lambda: 1.0)
    with caplog.at_level("INFO", logger="academy.relay"):
        waits = [relay.step() for _ in range(4)]
    assert [record.message for record in caplog.records] == [
        "outbox delivery failing",
        "outbox holds nothing to send",
        "outbox delivery failing",
    ]
    assert waits == [FIRST_WAIT_S, IDLE_S, IDLE_S, FIRST_WAIT_S]


def test_a_lost_database_is_waited_for() -> None:
    def lost() -> bool:
        raise OperationalError("server closed the connection")

    assert Relay(lost, chance=lambda: 0.0).step() == FIRST_WAIT_S / 2
    assert Relay(lambda: False).step() == IDLE_S


@pytest.mark.parametrize("failures", [1, 2, 5, 17, 10_000])
def test_waits_stay_between_half_and_all_of_the_bound(failures: int) -> None:
    bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (min(failures, 50) - 1))
    assert backoff_s(failures, 0.0) == bound / 2
    assert backoff_s(failures, 1.0) == bound


def test_a_stopped_relay_ends_before_its_next_message(database: None) -> None:
    stop = Event()
    calls: list[int] = []

    def deliver() -> bool:
        calls.append(1)
        stop.set()
        return True

    Relay(deliver).run(stop)
    assert len(calls) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_delivers_sweeps_and_ends_cleanly_on_a_signal(
    database: None, queued_jobs: Callable[[], list[str]], environment: dict[str, str], number: int
) -> None:
    job_id = str(uuid.uuid4())
    body = encode(VideoJob(job_id=job_id, video_id=1, tenant_id=1, file_key="k"))
    OutboxEntry.objects.create(queue="video", body=body)
    lost = stuck.add(VIDEO_JOBS, state="RUNNING", attempt=1, **stuck.lease(-3600))
    relay = subprocess.Popen(
        [sys.executable, "-m", "worker_images.api.manage", "relay_outbox"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: OutboxEntry.objects.filter(job_id=lost.pk).count() == 2)
    wait_until(lambda: not OutboxEntry.objects.filter(sent_at=None).exists())
    relay.send_signal(number)
    _, log = relay.communicate(timeout=30)
    assert relay.returncode == 0, log
    assert set(queued_jobs()) == {job_id, str(lost.pk)}
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert sorted(events) == ["relay started", "relay stopped", "stuck job settled"]


def test_the_process_ends_to_be_started_again_when_one_of_its_works_breaks(
    database: None, environment: dict[str, str]
) -> None:
    program = (
        "import sys\n"
        "import django; django.setup()\n"
        "from worker_images.api import manage, texts_schedule\n"
        "texts_schedule.queue_until = lambda stop: 1 / 0\n"
        "sys.argv = ['manage', 'relay_outbox']\n"
        "manage.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "ended by itself: scheduled texts" in ended.stderr

"""The sweeper: no job of any kind waits for ever, and none that kills its worker runs for ever."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from django.db import connection

from tests.unit.api import stuck
from worker_images.api import lost_messages, outbox, ports, sweeper
from worker_images.api.housekeeping import Leader, keep_house
from worker_images.api.lost_messages import QUIET_S, REPLACEMENTS, Depth
from worker_images.api.models import OutboxEntry, Video
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind
from worker_images.base.status import PostgresStatus

pytestmark = pytest.mark.usefixtures("database")
LONG_S = QUIET_S + 60


def empty(queue: str) -> Depth:
    return Depth(messages=0, visibility_timeout_s=60)


def busy(queue: str) -> Depth:
    return Depth(messages=100, visibility_timeout_s=60)


def down(queue: str) -> Depth:
    raise outbox.QueueUnavailable("down")


def sweep(queues: Callable[[str], Depth] = busy) -> tuple[int, int]:
    scan = sweeper.sweep(60, 5, queues)
    return scan.recovered, scan.dead


def state(job: Any) -> str:
    job.refresh_from_db()
    return str(job.state)


@pytest.mark.parametrize("kind", [VIDEO_JOBS, AI_JOBS], ids=lambda kind: kind.table)
def test_a_job_whose_worker_vanished_waits_again_with_a_message(kind: JobKind) -> None:
    lost = stuck.add(kind, state=kind.running, attempt=1, **stuck.lease(-61))
    held = stuck.add(kind, state=kind.running, attempt=1, **stuck.lease(-59))
    assert sweep() == (1, 0)
    assert (state(lost), state(held)) == (kind.queued, kind.running)
    assert (stuck.messages(lost), stuck.messages(held)) == (2, 1)
    bodies = OutboxEntry.objects.filter(job_id=lost.pk).values_list("queue", "body")
    assert len(set(bodies)) == 1
    assert sweep() == (0, 0)


@pytest.mark.parametrize("kind", [VIDEO_JOBS, AI_JOBS], ids=lambda kind: kind.table)
def test_a_job_that_kills_every_worker_ends(kind: JobKind) -> None:
    job = stuck.add(kind)
    status = PostgresStatus(connection.cursor, kind)
    outcomes = []
    for _ in range(5):
        assert status.claim(str(job.pk), "i-1", 60) is not None
        stuck.age(job, 3600)
        outcomes.append(sweep())
    assert outcomes == [(1, 0)] * 4 + [(0, 1)]
    assert state(job) == kind.dead
    assert job.error_code == "ATTEMPTS_USED"
    assert "다시 요청해 주세요" in job.error_message
    assert job.finished_at is not None


def test_a_dead_video_job_fails_its_video() -> None:
    stuck.add(VIDEO_JOBS, state="RUNNING", attempt=5, **stuck.lease(-61))
    assert sweep() == (0, 1)
    assert Video.objects.get().state == "FAILED"


@pytest.mark.parametrize("attempt", [1, 5])
def test_a_text_that_was_being_sent_is_unknown_and_never_sent_again(attempt: int) -> None:
    text = stuck.add(TEXTS, state="SENDING", attempt=attempt, **stuck.lease(-61))
    assert sweep() == (0, 1)
    assert state(text) == "UNKNOWN"
    assert stuck.messages(text) == 1
    stuck.age(text, 10 * LONG_S)
    assert sweep(empty) == (0, 0)


@pytest.mark.parametrize("kind", stuck.KINDS, ids=lambda kind: kind.table)
def test_a_waiting_job_whose_queue_is_empty_gets_a_new_message(kind: JobKind) -> None:
    job = stuck.add(kind)
    assert sweep(empty) == (0, 0)
    stuck.age(job, LONG_S)
    assert sweep(down) == (0, 0)
    assert sweep(empty) == (1, 0)
    assert (state(job), stuck.messages(job)) == (kind.queued, 2)
    assert sweep(empty) == (0, 0)


@pytest.mark.parametrize("kind", [VIDEO_JOBS, AI_JOBS], ids=lambda kind: kind.table)
def test_a_job_that_waits_for_its_retry_is_looked_at_as_well(kind: JobKind) -> None:
    stuck.age(stuck.add(kind, state=kind.retry, attempt=2), LONG_S)
    assert sweep(empty) == (1, 0)


def test_a_long_backlog_is_no_loss() -> None:
    for _ in range(3):
        stuck.age(stuck.add(VIDEO_JOBS), 50 * LONG_S)
    assert sweep(busy) == (0, 0)


def test_a_message_that_later_ones_overtook_is_lost() -> None:
    lost, next_to_come = stuck.add(VIDEO_JOBS), stuck.add(VIDEO_JOBS)
    stuck.age(lost, 3 * LONG_S)
    taken = stuck.add(VIDEO_JOBS)
    stuck.age(taken, LONG_S + 60)
    assert PostgresStatus(connection.cursor).claim(str(taken.pk), "i-1", 60)
    stuck.age(next_to_come, LONG_S)
    assert sweep(busy) == (1, 0)
    assert (stuck.messages(lost), stuck.messages(next_to_come)) == (2, 1)


def test_messages_in_flight_of_running_jobs_are_nobody_elses() -> None:
    lost = stuck.add(VIDEO_JOBS)
    stuck.age(lost, LONG_S)
    stuck.add(VIDEO_JOBS, state="RUNNING", attempt=1, **stuck.lease(60))
    assert sweep(lambda queue: Depth(2, 60)) == (0, 0)
    assert sweep(lambda queue: Depth(1, 60)) == (1, 0)
    assert stuck.messages(lost) == 2


def test_a_queue_with_a_long_visibility_timeout_is_given_that_time() -> None:
    job = stuck.add(AI_JOBS)
    stuck.age(job, 3600 + LONG_S)
    assert sweep(lambda queue: Depth(0, 3600)) == (0, 0)
    stuck.age(job, 3600)
    assert sweep(lambda queue: Depth(0, 3600)) == (1, 0)


@pytest.mark.parametrize(
    "columns", [{"state": "SCHEDULED"}, {"step": "WAITS_FOR_PROVIDER"}, {"state": "CANCELLED"}]
)
def test_a_text_that_has_no_message_on_purpose_gets_none(columns: dict[str, object]) -> None:
    stuck.age(stuck.add(TEXTS, **columns), LONG_S)
    assert sweep(empty) == (0, 0)


def test_an_unsent_message_is_the_relays() -> None:
    job = stuck.add(VIDEO_JOBS)
    OutboxEntry.objects.update(sent_at=None)
    stuck.age(job, LONG_S)
    assert sweep(empty) == (0, 0)


@pytest.mark.parametrize("kind", stuck.KINDS, ids=lambda kind: kind.table)
def test_a_job_that_no_worker_ever_claims_is_given_up(kind: JobKind) -> None:
    job = stuck.add(kind)
    outcomes = []
    for _ in range(REPLACEMENTS + 1):
        OutboxEntry.objects.filter(sent_at=None).update(sent_at=job.created_at)
        stuck.age(job, LONG_S)
        outcomes.append(sweep(empty))
    assert outcomes == [(1, 0)] * REPLACEMENTS + [(0, 1)]
    assert (state(job), job.error_code) == (kind.dead, "NEVER_CLAIMED")


def test_a_sign_of_life_starts_the_count_anew() -> None:
    job = stuck.add(VIDEO_JOBS)
    status = PostgresStatus(connection.cursor)
    for _ in range(3 * REPLACEMENTS):
        OutboxEntry.objects.filter(sent_at=None).update(sent_at=job.created_at)
        stuck.age(job, LONG_S)
        assert sweep(empty) == (1, 0)
        claim = status.claim(str(job.pk), "i-1", 60)
        assert claim is not None
        assert status.release(str(job.pk), claim.token)


def test_sweeps_at_once_write_one_message(
    together: Callable[[int, Callable[[], Any]], list[Any]],
) -> None:
    waits, expired = stuck.add(VIDEO_JOBS), stuck.add(AI_JOBS)
    stuck.age(waits, LONG_S)
    type(expired).objects.update(state="RUNNING", attempt=1, **stuck.lease(-61))
    scans = together(4, lambda: sweep(empty))
    assert sorted(scans)[-1] >= (1, 0)
    assert sum(recovered for recovered, _ in scans) == 2
    assert (stuck.messages(waits), stuck.messages(expired)) == (2, 2)


def test_a_job_whose_message_is_in_the_dead_letter_queue_runs_in_the_end(
    api: Any, uploaded: Video, queue: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    job_id = api.complete(uploaded.pk).json()["job_id"]
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="academy-video-jobs")["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    job = uploaded.jobs.get()
    assert api.retry(uploaded.pk).status_code == 409
    stuck.age(job, LONG_S)
    depth = ports.sender().depth("video")
    assert (depth.messages, depth.visibility_timeout_s) == (0, 30)
    assert sweep(ports.sender().depth) == (1, 0)
    call_command("relay_outbox", "--once")
    assert queued_jobs() == [job_id]
    assert ports.sender().depth("video").messages == 1


def test_a_retry_sends_a_job_that_has_waited_quietly_again(
    api: Any, uploaded: Video, queue: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    job_id = api.complete(uploaded.pk).json()["job_id"]
    stuck.age(uploaded.jobs.get(), LONG_S)
    answer = api.retry(uploaded.pk)
    assert (answer.status_code, answer.json()["job_id"]) == (202, job_id)
    assert queued_jobs() == [job_id, job_id]
    assert api.retry(uploaded.pk).status_code == 409


@pytest.mark.parametrize("kind", stuck.KINDS, ids=lambda kind: kind.table)
def test_an_operator_ends_a_waiting_job_of_any_kind(
    internal: Callable[..., Any], kind: JobKind
) -> None:
    job = stuck.add(kind)
    answer = internal("POST", "video/dlq-mark-dead/", {"job_id": str(job.pk)})
    assert answer.json() == {"job_id": str(job.pk), "status": kind.dead, "marked": True}


def test_messages_sent_long_ago_are_forgotten_unless_their_job_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "_FORGET_BATCH", 2)
    month_s = (outbox.KEPT_DAYS + 1) * 86400
    kept = [stuck.add(kind) for kind in stuck.KINDS]
    ended = [stuck.add(kind, state=kind.done) for kind in stuck.KINDS for _ in range(2)]
    for job in (*kept, *ended):
        stuck.age(job, month_s)
    recent = stuck.add(VIDEO_JOBS, state="SUCCEEDED")
    OutboxEntry.objects.create(queue="video", body="{}")
    assert outbox.forget_sent() == len(ended)
    left = set(OutboxEntry.objects.values_list("job_id", flat=True))
    assert left == {*(job.pk for job in kept), recent.pk, None}
    assert outbox.forget_sent() == 0


def test_one_process_leads_until_its_connection_ends(
    together: Callable[[int, Callable[[], Any]], list[Any]],
) -> None:
    leader = Leader()
    assert [leader.leads(), leader.leads()] == [True, True]
    assert together(2, lambda: Leader().leads()) == [False, False]
    connection.close()
    assert together(1, lambda: Leader().leads()) == [True]


def test_housekeeping_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    stop, runs = Event(), []

    def tasks() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError("a bug")
        if len(runs) == 3:
            stop.set()

    keep_house(stop, tasks, every_s=0.01)
    assert len(runs) == 3
    assert [record.message for record in caplog.records] == ["not swept"]


def test_a_queue_that_is_down_is_told_as_such(queue: Any) -> None:
    queue.stop()
    with pytest.raises(outbox.QueueUnavailable):
        ports.sender().depth("video")
    assert lost_messages.replace(VIDEO_JOBS, ports.sender().depth) == (0, 0)

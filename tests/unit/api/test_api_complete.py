"""upload/complete: one job an upload, whatever the queue does and however often it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from worker_images.api.models import OutboxEntry, Video, VideoJob

REFUSAL = {"detail": "비디오 작업 큐 등록 실패(SQS)", "code": "QUEUE_UNAVAILABLE"}


def test_complete_queues_one_job_for_a_worker(
    api: Any, uploaded: Video, queued_jobs: Callable[[], list[str]]
) -> None:
    answer = api.complete(uploaded.pk)
    assert answer.status_code == 200
    assert answer.json()["video"]["status"] == "UPLOADED"
    assert queued_jobs() == [answer.json()["job_id"]]
    assert VideoJob.objects.get().state == "QUEUED"
    assert OutboxEntry.objects.get().sent_at is not None


def test_complete_called_twice_is_one_job_and_one_message(
    api: Any, uploaded: Video, queued_jobs: Callable[[], list[str]]
) -> None:
    first, second = api.complete(uploaded.pk), api.complete(uploaded.pk)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["job_id"] == second.json()["job_id"]
    assert len(queued_jobs()) == 1


def test_simultaneous_completes_are_one_job_and_one_message(
    api: Any,
    uploaded: Video,
    queued_jobs: Callable[[], list[str]],
    together: Callable[[int, Callable[[], Any]], list[Any]],
) -> None:
    answers = together(4, lambda: api.complete(uploaded.pk))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert VideoJob.objects.count() == 1
    assert len(queued_jobs()) == 1


@pytest.mark.parametrize("outage", ["refused connections", "queue deleted"])
def test_complete_with_the_queue_down_is_503_and_works_when_called_again(
    api: Any, uploaded: Video, queue: Any, queued_jobs: Callable[[], list[str]], outage: str
) -> None:
    import boto3

    sqs = boto3.client("sqs")
    if outage == "refused connections":
        queue.stop()
    else:
        url = sqs.get_queue_url(QueueName="academy-video-jobs")["QueueUrl"]
        sqs.delete_queue(QueueUrl=url)

    refused = api.complete(uploaded.pk)
    assert (refused.status_code, refused.json()) == (503, REFUSAL)
    uploaded.refresh_from_db()
    entry = OutboxEntry.objects.get()
    assert uploaded.state == "UPLOADED"
    assert VideoJob.objects.get().state == "QUEUED"
    assert (entry.sent_at, entry.attempts) == (None, 1)
    assert entry.last_error

    if outage == "refused connections":
        queue.start()
    else:
        sqs.create_queue(QueueName="academy-video-jobs")
    again = api.complete(uploaded.pk)
    assert again.status_code == 200
    assert queued_jobs() == [str(VideoJob.objects.get().pk)]
    assert OutboxEntry.objects.get().sent_at is not None


def test_the_relay_delivers_without_a_second_call(
    api: Any, uploaded: Video, queue: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    queue.stop()
    assert api.complete(uploaded.pk).status_code == 503
    with pytest.raises(CommandError, match="0 sent, then the queue refused"):
        call_command("relay_outbox", "--once")
    queue.start()
    call_command("relay_outbox", "--once")
    call_command("relay_outbox", "--once")
    assert queued_jobs() == [str(VideoJob.objects.get().pk)]


@pytest.mark.parametrize("ended_as", [("SUCCEEDED", "READY"), ("FAILED", "FAILED")])
def test_a_refused_call_may_be_repeated_after_the_relay_had_the_job_done(
    api: Any, uploaded: Video, queue: Any, ended_as: tuple[str, str]
) -> None:
    queue.stop()
    assert api.complete(uploaded.pk).status_code == 503
    queue.start()
    call_command("relay_outbox", "--once")
    VideoJob.objects.update(state=ended_as[0])
    Video.objects.update(state=ended_as[1])
    answer = api.complete(uploaded.pk)
    assert (answer.status_code, answer.json()["video"]["status"]) == (200, ended_as[1])
    assert VideoJob.objects.count() == 1


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("ended_as", [("SUCCEEDED", "READY"), ("DEAD", "FAILED")])
def test_a_call_whose_answer_was_lost_may_be_repeated_after_the_job_has_ended(
    api: Any, uploaded: Video, ended_as: tuple[str, str]
) -> None:
    job_id = api.complete(uploaded.pk).json()["job_id"]
    VideoJob.objects.update(state=ended_as[0])
    Video.objects.update(state=ended_as[1])
    answer = api.complete(uploaded.pk)
    assert (answer.status_code, answer.json()["job_id"]) == (200, job_id)
    assert answer.json()["video"]["status"] == ended_as[1]
    assert VideoJob.objects.count() == 1


@pytest.mark.usefixtures("queue")
def test_complete_without_the_object_is_409_and_changes_nothing(api: Any, aws: Any) -> None:
    video_id = api.init().json()["video"]["id"]
    answer = api.complete(video_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "OBJECT_MISSING")
    assert Video.objects.get().state == "PENDING"
    assert not VideoJob.objects.exists()


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("state", ["READY", "FAILED"])
def test_complete_of_a_finished_video_is_409_and_names_the_state(
    api: Any, uploaded: Video, state: str
) -> None:
    Video.objects.update(state=state)
    answer = api.complete(uploaded.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "WRONG_STATE")
    assert state in answer.json()["detail"]
    assert not VideoJob.objects.exists()


@pytest.mark.usefixtures("queue")
def test_complete_while_a_worker_encodes_is_200_with_the_same_job(
    api: Any, uploaded: Video
) -> None:
    job_id = api.complete(uploaded.pk).json()["job_id"]
    VideoJob.objects.update(state="RUNNING")
    Video.objects.update(state="PROCESSING")
    answer = api.complete(uploaded.pk)
    assert (answer.status_code, answer.json()["job_id"]) == (200, job_id)


def test_a_half_done_upload_of_the_old_system_gets_its_job(
    api: Any, uploaded: Video, queued_jobs: Callable[[], list[str]]
) -> None:
    Video.objects.update(state="UPLOADED")
    assert api.complete(uploaded.pk).status_code == 200
    assert len(queued_jobs()) == 1


@pytest.mark.usefixtures("queue")
def test_complete_with_the_store_out_of_reach_is_503_and_changes_nothing(
    api: Any, uploaded: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker_images.api import ports

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ports.storage.cache_clear()
    assert api.complete(uploaded.pk).status_code == 503
    assert Video.objects.get().state == "PENDING"

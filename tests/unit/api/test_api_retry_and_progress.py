"""retry and progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

from worker_images.api.models import OutboxEntry, Video, VideoJob
from worker_images.base.job_kinds import Ending
from worker_images.base.status import PostgresStatus
from worker_images.base.work import Result


@pytest.fixture
def completed(api: Any, uploaded: Video, queue: Any) -> Video:
    assert api.complete(uploaded.pk).status_code == 200
    return uploaded


def end(job_state: str, video_state: str) -> None:
    VideoJob.objects.update(state=job_state)
    Video.objects.update(state=video_state, error_code="BAD", error_message="손상된 파일입니다")


@pytest.mark.parametrize(
    "ended_as",
    [("FAILED", "FAILED"), ("DEAD", "FAILED"), ("SUCCEEDED", "READY"), ("CANCELLED", "UPLOADED")],
)
def test_retry_of_an_ended_video_queues_another_job(
    api: Any, completed: Video, queued_jobs: Callable[[], list[str]], ended_as: tuple[str, str]
) -> None:
    end(*ended_as)
    answer = api.retry(completed.pk)
    assert answer.status_code == 202
    assert set(answer.json()) == {"detail", "job_id"}
    assert answer.json()["job_id"] in queued_jobs()
    completed.refresh_from_db()
    assert (completed.state, completed.error_code) == ("UPLOADED", "")


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "RETRY_WAIT"])
def test_retry_while_a_job_is_open_is_409(api: Any, completed: Video, state: str) -> None:
    VideoJob.objects.update(state=state)
    answer = api.retry(completed.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_OPEN")
    assert VideoJob.objects.count() == 1


@pytest.mark.usefixtures("queue")
def test_retry_before_the_upload_is_complete_is_409(api: Any, uploaded: Video) -> None:
    assert api.retry(uploaded.pk).json()["code"] == "NOT_UPLOADED"


def test_retry_without_the_original_is_409_and_leaves_the_video(
    api: Any, completed: Video, aws: Any
) -> None:
    end("SUCCEEDED", "READY")
    aws.delete_object(Bucket="academy-video", Key=completed.file_key)
    answer = api.retry(completed.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "ORIGINAL_GONE")
    assert Video.objects.get().state == "READY"


def test_a_retry_that_the_queue_refused_may_be_repeated(
    api: Any, completed: Video, queue: Any, queued_jobs: Callable[[], list[str]]
) -> None:
    end("FAILED", "FAILED")
    queue.stop()
    assert api.retry(completed.pk).status_code == 503
    queue.start()
    answer = api.retry(completed.pk)
    assert answer.status_code == 202
    assert answer.json()["job_id"] in queued_jobs()
    assert VideoJob.objects.count() == 2


def test_simultaneous_retries_are_one_new_job(
    api: Any, completed: Video, together: Callable[[int, Callable[[], Any]], list[Any]]
) -> None:
    end("FAILED", "FAILED")
    codes = {answer.status_code for answer in together(4, lambda: api.retry(completed.pk))}
    assert codes <= {202, 409}
    assert 202 in codes
    assert VideoJob.objects.filter(state="QUEUED").count() == 1


def test_the_database_itself_refuses_a_second_open_job(completed: Video) -> None:
    with pytest.raises(IntegrityError, match="video_job_one_open"):
        VideoJob.objects.create(video=completed, tenant_id=1)


def test_raw_sql_may_leave_every_default_out(database: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO videos (tenant_id, file_key) VALUES (1, 'k') RETURNING id")
        video_id = cursor.fetchone()[0]
        cursor.execute("INSERT INTO video_jobs (video_id, tenant_id) VALUES (%s, 1)", [video_id])
        cursor.execute("INSERT INTO outbox (queue, body) VALUES ('video', '{}')")
        cursor.execute("INSERT INTO releases (tag) VALUES ('t')")
    assert (Video.objects.get().state, VideoJob.objects.get().state) == ("PENDING", "QUEUED")
    assert OutboxEntry.objects.get().created_at is not None


@pytest.mark.usefixtures("aws")
def test_progress_before_any_job_is_pending_without_moments(api: Any) -> None:
    body = api.progress(api.init().json()["video"]["id"]).json()
    assert (body["status"], body["percent"], body["queued_at"]) == ("PENDING", 0.0, None)


def test_progress_follows_a_worker_from_claim_to_ready(api: Any, completed: Video) -> None:
    status = PostgresStatus(connection.cursor)
    job_id = str(VideoJob.objects.get().pk)
    claim = status.claim(job_id, "i-1", 60)
    assert claim is not None
    assert status.progress(job_id, claim.token, 42.5, "encoding", 30.0)
    running = api.progress(completed.pk).json()
    assert (running["status"], running["percent"]) == ("PROCESSING", 42.5)
    assert (running["step"], running["seconds_left"]) == ("encoding", 30.0)
    assert "watch_url" not in running

    assert status.finish(job_id, claim.token, Result({"duration_s": 61.0}))
    ready = api.progress(completed.pk).json()
    assert (ready["status"], ready["percent"], ready["duration_s"]) == ("READY", 100.0, 61.0)
    moments = [ready[name] for name in ("queued_at", "sent_at", "started_at", "finished_at")]
    assert moments == sorted(moments)
    assert ready["watch_url"].startswith("http://testserver/watch/")


def test_progress_of_a_failed_video_says_why(api: Any, completed: Video) -> None:
    status = PostgresStatus(connection.cursor)
    claim = status.claim(str(VideoJob.objects.get().pk), "i-1", 60)
    assert status.end(
        claim.job_id, claim.token, Ending.FAILED, "NO_VIDEO", "영상이 없는 파일입니다"
    )
    body = api.progress(completed.pk).json()
    assert body["status"] == "FAILED"
    assert (body["error_code"], body["error_message"]) == ("NO_VIDEO", "영상이 없는 파일입니다")

"""backlog-count, scan-stuck and dlq-mark-dead."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from worker_images.api import outbox
from worker_images.api.models import OutboxEntry, Video, VideoJob
from worker_images.base.status import PostgresStatus
from worker_images.base.work import Result


def add_job(state: str, **columns: object) -> VideoJob:
    video = Video.objects.create(tenant_id=1, file_key=uuid.uuid4().hex, state="PROCESSING")
    job = VideoJob.objects.create(video=video, tenant_id=1, state=state, **columns)
    job.refresh_from_db()
    outbox.write_video(job, video.file_key)
    OutboxEntry.objects.filter(job_id=job.pk).update(sent_at=Now())
    return job


def lease(seconds: float) -> dict[str, object]:
    return {"lease_expires_at": timezone.now() + timedelta(seconds=seconds)}


def test_backlog_counts_what_waits_or_runs(internal: Callable[..., Any]) -> None:
    assert internal("GET", "video/backlog-count/").json() == {"backlog": 0}
    for state in ("QUEUED", "RETRY_WAIT", "RUNNING", "SUCCEEDED", "FAILED", "DEAD", "CANCELLED"):
        add_job(state)
    assert internal("GET", "video/backlog-count/").json() == {"backlog": 3}


def test_scan_puts_back_a_job_whose_worker_is_gone(
    internal: Callable[..., Any], queued_jobs: Callable[[], list[str]]
) -> None:
    lost = add_job("RUNNING", attempt=1, **lease(-100))
    add_job("RUNNING", attempt=1, **lease(-10))
    add_job("RUNNING", attempt=1, **lease(100))
    answer = internal("POST", "video/scan-stuck/", {"threshold": 60})
    assert answer.json() == {"recovered": 1, "dead": 0}
    call_command("relay_outbox", "--once")
    assert queued_jobs() == [str(lost.pk)]
    lost.refresh_from_db()
    assert lost.state == "QUEUED"
    assert VideoJob.objects.filter(state="RUNNING").count() == 2
    assert internal("POST", "video/scan-stuck/", {"threshold": 60}).json()["recovered"] == 0


def test_a_worker_that_was_scanned_away_writes_nothing_any_more(
    internal: Callable[..., Any], queue: Any
) -> None:
    job = add_job("QUEUED")
    status = PostgresStatus(connection.cursor)
    claim = status.claim(str(job.pk), "i-1", 60)
    VideoJob.objects.update(**lease(-1))
    assert internal("POST", "video/scan-stuck/", {"threshold": 0}).json()["recovered"] == 1
    assert claim is not None
    assert not status.finish(claim.job_id, claim.token, Result({"duration_s": 1.0}))


@pytest.mark.parametrize(("hand_backs", "state"), [(0, "DEAD"), (1, "QUEUED")])
def test_scan_gives_up_when_the_attempts_are_used_hand_backs_aside(
    internal: Callable[..., Any], queue: Any, hand_backs: int, state: str
) -> None:
    job = add_job("RUNNING", attempt=5, hand_backs=hand_backs, **lease(-100))
    answer = internal("POST", "video/scan-stuck/", {"threshold": 1}).json()
    assert answer == {"recovered": int(state == "QUEUED"), "dead": int(state == "DEAD")}
    job.refresh_from_db()
    job.video.refresh_from_db()
    assert job.state == state
    assert job.video.state == ("FAILED" if state == "DEAD" else "PROCESSING")


def test_scan_with_the_queue_down_leaves_the_message_to_the_relay(
    internal: Callable[..., Any], queue: Any
) -> None:
    job = add_job("RUNNING", attempt=1, **lease(-100))
    queue.stop()
    assert internal("POST", "video/scan-stuck/", {"threshold": 1}).json()["recovered"] == 1
    assert OutboxEntry.objects.get(job_id=job.pk, sent_at=None)


@pytest.mark.parametrize("body", [{}, {"threshold": -1}, {"threshold": "soon"}])
def test_scan_refuses_a_threshold_that_is_no_time(internal: Callable[..., Any], body: Any) -> None:
    answer = internal("POST", "video/scan-stuck/", body)
    assert answer.status_code == 400
    assert "threshold" in answer.json()


@pytest.mark.parametrize("state", ["QUEUED", "RETRY_WAIT"])
def test_a_waiting_job_is_marked_dead_and_its_video_failed(
    internal: Callable[..., Any], state: str
) -> None:
    job = add_job(state)
    answer = internal("POST", "video/dlq-mark-dead/", {"job_id": str(job.pk)})
    assert answer.json() == {"job_id": str(job.pk), "status": "DEAD", "marked": True}
    job.video.refresh_from_db()
    assert job.video.state == "FAILED"
    again = internal("POST", "video/dlq-mark-dead/", {"job_id": str(job.pk)})
    assert (again.status_code, again.json()["marked"]) == (200, False)


def test_a_running_job_is_never_marked_dead(internal: Callable[..., Any]) -> None:
    job = add_job("RUNNING", attempt=1, **lease(60))
    answer = internal("POST", "video/dlq-mark-dead/", {"job_id": str(job.pk)})
    assert (answer.status_code, answer.json()["code"]) == (409, "JOB_RUNNING")
    job.refresh_from_db()
    assert job.state == "RUNNING"


def test_marking_an_unknown_or_malformed_job_says_so(internal: Callable[..., Any]) -> None:
    unknown = internal("POST", "video/dlq-mark-dead/", {"job_id": str(uuid.uuid4())})
    assert unknown.status_code == 404
    assert internal("POST", "video/dlq-mark-dead/", {"job_id": "7"}).status_code == 400

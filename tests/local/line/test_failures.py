"""What goes wrong on the line: the queue is down, a worker dies, a file is no video."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import pytest

from config.contracts.storage_keys import hls_prefix
from tests.local.line.fleets import worker_pids
from tests.local.line.media import render_clip
from tests.local.line.platform import Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]


def test_complete_with_the_queue_down_is_503_and_the_outbox_delivers_later(
    platform: Platform, clip: Path
) -> None:
    video = platform.upload(clip)
    platform.set_fault("sqs", down=True)
    try:
        answer = platform.complete(video)
        assert answer.status_code == 503
        assert answer.json()["detail"] == "비디오 작업 큐 등록 실패(SQS)"
    finally:
        platform.set_fault("sqs", down=False)
    assert platform.ended(video)["status"] == "READY"
    assert platform.rows("select count(*) from video_jobs where video_id = %s", video) == [(1,)]


def test_complete_called_again_after_the_queue_returned_succeeds_with_one_job(
    platform: Platform, clip: Path
) -> None:
    video = platform.upload(clip)
    platform.set_fault("sqs", down=True)
    try:
        assert platform.complete(video).status_code == 503
    finally:
        platform.set_fault("sqs", down=False)
    assert platform.complete(video).status_code == 200
    assert platform.ended(video)["status"] == "READY"
    assert platform.rows("select count(*) from video_jobs where video_id = %s", video) == [(1,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.mp4", b""), ("notes.mp4", b"this is a text file\n" * 500)],
)
def test_a_file_that_is_no_video_fails_once_with_a_reason_for_the_teacher(
    platform: Platform, tmp_path: Path, name: str, content: bytes
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    video = platform.upload(source)
    assert platform.complete(video).status_code == 200
    ended = platform.ended(video)
    assert ended["status"] == "FAILED"
    assert "다시" in ended["error_message"]
    assert platform.rows("select state, attempt from video_jobs where video_id = %s", video) == [
        ("FAILED", 1)
    ]
    dead_letters = platform.client("sqs").get_queue_url(QueueName="academy-video-jobs-dlq")
    assert set(platform.queue_counts(dead_letters["QueueUrl"]).values()) == {0}


def digests(platform: Platform, video: int) -> dict[str, str]:
    """Return the SHA-256 of every object of a video's rendition."""
    s3, prefix = platform.client("s3"), hls_prefix(1, video)
    keys = [
        item["Key"]
        for item in s3.list_objects_v2(Bucket="academy-video", Prefix=prefix)["Contents"]
    ]
    return {
        key.removeprefix(prefix): hashlib.sha256(
            s3.get_object(Bucket="academy-video", Key=key)["Body"].read()
        ).hexdigest()
        for key in keys
    }


def test_a_worker_killed_in_the_middle_is_replaced_and_the_result_is_the_same(
    platform: Platform, tmp_path: Path
) -> None:
    source = render_clip(tmp_path / "long.mp4", seconds=24)
    undisturbed = platform.upload(source)
    assert platform.complete(undisturbed).status_code == 200
    assert platform.ended(undisturbed)["status"] == "READY"

    disturbed = platform.upload(source)
    assert platform.complete(disturbed).status_code == 200
    wait_for("the encode is under way", lambda: platform.progress(disturbed)["percent"] > 10)
    [(first,)] = platform.rows("select worker_id from video_jobs where video_id = %s", disturbed)
    [pid] = worker_pids(platform)
    os.kill(pid, signal.SIGKILL)

    assert platform.ended(disturbed, within_s=240)["status"] == "READY"
    [(second, attempt)] = platform.rows(
        "select worker_id, attempt from video_jobs where video_id = %s", disturbed
    )
    assert second != first
    assert attempt == 2
    assert digests(platform, disturbed) == digests(platform, undisturbed)

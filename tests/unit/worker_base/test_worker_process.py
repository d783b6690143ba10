"""The video worker as its container starts it: a real process, a real encode, a real SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from config.contracts import environment as names
from config.contracts.messages import VideoJob, encode
from tests.unit.video.conftest import HLS, KEY, make_clip
from worker_images.base.database import Database
from worker_images.base.main import STUCK_STATUS

ROOT = Path(__file__).parents[3]
QUEUE = "academy-video-jobs"


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class Platform:
    """Queue, bucket and database, and the environment of a worker that uses them."""

    environ: dict[str, str]
    database: Database
    sqs: Any
    s3: Any
    url: str

    def add_job(self, clip: Path) -> str:
        job_id = str(uuid4())
        self.s3.upload_file(str(clip), "academy-video", KEY)
        with self.database.cursor() as cursor:
            cursor.execute("INSERT INTO videos (id, tenant_id, file_key) VALUES (7, 1, %s)", [KEY])
            job = "INSERT INTO video_jobs (id, video_id, tenant_id) VALUES (%s, 7, 1)"
            cursor.execute(job, [job_id])
        self.sqs.send_message(QueueUrl=self.url, MessageBody=encode(VideoJob(job_id, 7, 1, KEY)))
        return job_id

    def state(self, job_id: str) -> str:
        with self.database.cursor() as cursor:
            cursor.execute("SELECT state FROM video_jobs WHERE id = %s", [job_id])
            row = cursor.fetchone()
        assert row is not None
        return str(row[0])

    def await_state(self, job_id: str, state: str, worker: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 60
        while self.state(job_id) != state:
            assert worker.poll() is None, "the worker ended"
            assert time.monotonic() < deadline, f"still {self.state(job_id)}"
            time.sleep(0.1)

    def start(self, folder: Path) -> subprocess.Popen[str]:
        with (folder / "worker.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "worker_images.video"],
                cwd=ROOT,
                env={**self.environ, "TMPDIR": str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )


@pytest.fixture
def platform(database: Database, postgres_uri: str, endpoint: str) -> Platform:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    options: Any = {"endpoint_url": endpoint, "region_name": "ap-northeast-2", **keys}
    sqs, s3 = boto3.client("sqs", **options), boto3.client("s3", **options)
    s3.create_bucket(
        Bucket="academy-video",
        CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"},
    )
    wanted = (*names.WORKERS, *names.WORKER_FLEET, *names.VIDEO_FLEET)
    environ = {
        **dict.fromkeys(wanted, "unused"),
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "ap-northeast-2",
        "DB_HOST": parse_qs(urlsplit(postgres_uri).query)["host"][0],
        "DB_PORT": "5432",
        "DB_NAME": "postgres",
        "DB_USER": "postgres",
        "DB_PASSWORD": "never-logged",
        "STORAGE_PROVIDER": "s3",
        "R2_VIDEO_BUCKET": "academy-video",
        "VIDEO_SQS_QUEUE_NAME": QUEUE,
        "ENVIRONMENT": "local",
        "WORKER_KIND": "video",
        "IDLE_S": "1",
        "ATTEMPTS": "3",
        "VISIBILITY_TIMEOUT_S": "30",
        "TIME_LIMIT_S": "600",
        "CONCURRENCY": "1",
        "HANG_LIMIT_S": "120",
        "VIDEO_LADDER": "180:200,360:800",
        "VIDEO_SEGMENT_S": "2",
        "VIDEO_PART_S": "60",
        "VIDEO_RATE_CONTROL": "abr",
    }
    del environ["AUTO_SCALING_GROUP_NAME"]
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    return Platform(environ, database, sqs, s3, url)


def visible(platform: Platform) -> str:
    name = "ApproximateNumberOfMessages"
    return str(
        platform.sqs.get_queue_attributes(QueueUrl=platform.url, AttributeNames=[name])[
            "Attributes"
        ][name]
    )


def test_a_worker_encodes_a_job_and_ends_cleanly_when_it_is_told_to(
    platform: Platform, tmp_path: Path
) -> None:
    job_id = platform.add_job(make_clip(tmp_path / "clip.mp4"))
    worker = platform.start(tmp_path)
    try:
        platform.await_state(job_id, "SUCCEEDED", worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    master = platform.s3.get_object(Bucket="academy-video", Key=f"{HLS}master.m3u8")
    assert master["ContentType"] == "application/vnd.apple.mpegurl"
    assert visible(platform) == "0"
    log = (tmp_path / "worker.log").read_text()
    assert "VIDEO-WORKER-SQS message received" in log
    assert '"Outcome": "SUCCEEDED"' in log
    assert "never-logged" not in log


def test_sigterm_in_the_middle_hands_the_job_back_at_once(
    platform: Platform, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size="1280x720", seconds=60)
    job_id = platform.add_job(clip)
    worker = platform.start(tmp_path)
    platform.await_state(job_id, "RUNNING", worker)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0
    assert platform.state(job_id) == "QUEUED"
    assert visible(platform) == "1"
    assert [path.name for path in tmp_path.iterdir() if "academy-video-" in path.name] == []


def test_a_worker_without_its_variables_does_not_start_and_names_them() -> None:
    worker = subprocess.run(
        [sys.executable, "-m", "worker_images.video"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert worker.returncode == 1
    assert "DB_HOST" in worker.stderr
    assert len(worker.stderr.splitlines()) == 1


STUCK = """
import sys, threading
from worker_images.base.main import run_worker

class Stuck:
    def run(self):
        threading.Thread(target=threading.Event().wait).start()
        return False

sys.exit(run_worker("video", lambda parts, environ: Stuck()))
"""


def test_a_process_with_a_stuck_handler_ends_for_all_its_threads(platform: Platform) -> None:
    worker = subprocess.run(
        [sys.executable, "-c", STUCK],
        cwd=ROOT,
        env=platform.environ,
        timeout=60,
        check=False,
    )
    assert worker.returncode == STUCK_STATUS

"""The API against a real PostgreSQL, a real Redis, and moto behind real sockets."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import django
import pytest
import requests

from tests.unit.api.excel_line import BUCKET, QUEUE, Line
from tests.unit.api.servers import (
    AWS,
    ENVIRONMENT,
    PORTS,
    Moto,
    Service,
    postgres_server,
    redis_server,
    takes_connections,
    wait_until,
)

with mock.patch.dict(os.environ, ENVIRONMENT):
    django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from config.contracts.messages import decode_video_message
from tests.unit.api import conformance
from worker_images.api import assets, cache, facts, ports
from worker_images.api.database.base import primary
from worker_images.api.models import (
    AiJob,
    Lecture,
    OutboxEntry,
    Release,
    StaffMember,
    Student,
    TextMessage,
    Video,
    VideoJob,
    Worker,
)
from worker_images.api.releases import migrate_once


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables of an API process, those of the AWS at its sockets among them."""
    return {**ENVIRONMENT, **AWS}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    server = postgres_server(tmp_path_factory.mktemp("postgres"))
    server.start()
    wait_until(takes_connections)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def schema(postgres: Service) -> None:
    assert migrate_once("unit", lambda: call_command("migrate", verbosity=0))


@pytest.fixture
def database(schema: None) -> Iterator[None]:
    """Empty tables, in a database that answers."""
    primary.worked()
    facts.forget()
    jobs = (Video, VideoJob, AiJob, TextMessage, OutboxEntry, Release, Worker)
    people = (Student, StaffMember, Lecture)
    tables = ", ".join(model._meta.db_table for model in jobs + people)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    yield
    connections.close_all()


@pytest.fixture(scope="session")
def _aws() -> Iterator[dict[str, Service]]:
    services = {name: Moto(PORTS[name]) for name in ("aws", "sqs")}
    services["aws"].start()
    yield services
    for service in services.values():
        service.stop()


@pytest.fixture
def queue(aws: Any, _aws: dict[str, Service]) -> Service:
    """SQS at its own port; its messages outlive a stop."""
    _aws["sqs"].start()
    boto3.client("sqs").create_queue(QueueName=ENVIRONMENT["VIDEO_SQS_QUEUE_NAME"])
    return _aws["sqs"]


@pytest.fixture
def aws(_aws: dict[str, Service], monkeypatch: pytest.MonkeyPatch) -> Any:
    """S3 with an empty video bucket; the answer is its client."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    requests.post(f"{AWS['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=10)
    ports.sender.cache_clear()
    ports.storage.cache_clear()
    client = boto3.client("s3")
    client.create_bucket(
        Bucket=ENVIRONMENT["R2_VIDEO_BUCKET"],
        CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"},
    )
    return client


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Service]:
    server = redis_server(tmp_path)
    server.start()
    cache.circuit.worked()
    yield server
    server.stop()


@dataclass
class Api:
    """Requests of a member of the staff of one tenant."""

    tenant_id: int = 1
    token: str = ENVIRONMENT["OPERATOR_API_TOKEN"]
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def get(self, path: str, **headers: str) -> Any:
        answer = self.client.get(path, headers=self._headers(headers))
        conformance.check("get", answer)
        return answer

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        answer = self.client.post(
            path, body or {}, content_type="application/json", headers=self._headers(headers)
        )
        conformance.check("post", answer)
        return answer

    def init(self, **changes: object) -> Any:
        body = {"title": "함수", "filename": "lecture.mp4", "content_type": "video/mp4"}
        return self.post("/api/v1/media/videos/upload/init/", {**body, **changes})

    def complete(self, video_id: int) -> Any:
        return self.post(f"/api/v1/media/videos/{video_id}/upload/complete/")

    def retry(self, video_id: int) -> Any:
        return self.post(f"/api/v1/media/videos/{video_id}/retry/")

    def progress(self, video_id: int) -> Any:
        return self.get(f"/api/v1/media/videos/{video_id}/progress/")

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}", "X-Tenant-Id": str(self.tenant_id)}
        return {**own, **{name.replace("_", "-"): value for name, value in more.items()}}


@pytest.fixture
def api(database: None) -> Api:
    return Api()


@pytest.fixture
def internal(database: None) -> Callable[..., Any]:
    """Call an internal endpoint: `internal("GET", "fleets/")`."""
    client = Client(raise_request_exception=False)

    def call(
        method: str, path: str, body: object = None, *, key: str | None = "unit-internal-key"
    ) -> Any:
        answer = client.generic(
            method,
            f"/api/v1/internal/{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={} if key is None else {"X-Internal-Key": key},
        )
        conformance.check(method.lower(), answer)
        return answer

    return call


@pytest.fixture
def uploaded(api: Api, aws: Any) -> Video:
    """A PENDING video of tenant 1 whose original lies in the bucket."""
    video = Video.objects.get(pk=api.init().json()["video"]["id"])
    aws.put_object(Bucket=ENVIRONMENT["R2_VIDEO_BUCKET"], Key=video.file_key, Body=b"film")
    return video


@pytest.fixture
def lecture(database: None) -> Lecture:
    """A lecture of tenant 1."""
    return Lecture.objects.create(tenant_id=1, title="미적분")


@pytest.fixture
def line(
    api: Api, lecture: Lecture, aws: Any, queue: Service, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    """The line of a roster, with an empty excel bucket and an empty queue."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
    ports.excel_storage.cache_clear()
    aws.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    boto3.client("sqs").create_queue(QueueName=QUEUE)
    line = Line(api, aws)
    yield line
    line.database.close()


@pytest.fixture
def page_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's files as an image holds them, hls.js among them."""
    for path in assets.STATIC_DIRECTORY.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "hls.min.js").write_text("window.Hls = null;")
    monkeypatch.setattr(assets, "STATIC_DIRECTORY", tmp_path)
    assets.asset.cache_clear()
    yield
    assets.asset.cache_clear()


@pytest.fixture
def queued_jobs(queue: Service) -> Callable[[], list[str]]:
    """Return the job ids of the messages that wait in the video queue."""

    def look() -> list[str]:
        client = boto3.client("sqs")
        url = client.get_queue_url(QueueName=ENVIRONMENT["VIDEO_SQS_QUEUE_NAME"])["QueueUrl"]
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [message["Body"] for message in answer.get("Messages", [])]
        return [decode_video_message(body).job_id for body in bodies]

    return look


@pytest.fixture
def together() -> Callable[[int, Callable[[], Any]], list[Any]]:
    """Run a call in several threads that start at once; return what each returned."""
    return _in_threads


def _in_threads(count: int, call: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(count)
    results: list[Any] = []

    def run() -> None:
        barrier.wait()
        try:
            results.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results

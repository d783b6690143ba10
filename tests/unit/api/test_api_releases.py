"""migrate_once: containers that start together migrate once, on a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from tests.unit.api.servers import wait_until
from worker_images.api import releases
from worker_images.api.models import Release


@pytest.fixture
def empty_database(schema: None, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a deployment whose database has no table yet."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE first_deploy")
    yield {**os.environ, **environment, "DB_NAME": "first_deploy"}
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE first_deploy WITH (FORCE)")


def start(environ: dict[str, str], tag: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "worker_images.api.manage", "migrate_once", "--release", tag],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def somebody_waits_for_the_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() is not None


def test_of_two_containers_at_once_one_migrates_and_both_succeed(
    empty_database: dict[str, str], environment: dict[str, str]
) -> None:
    containers = [start(empty_database, "abc123") for _ in range(2)]
    outputs = [container.communicate(timeout=120)[0] for container in containers]
    assert [container.returncode for container in containers] == [0, 0], outputs
    lines = sorted(output.splitlines()[-1] for output in outputs)
    assert lines == ["release abc123: had migrated before", "release abc123: migrated"]
    address = {"host": "127.0.0.1", "port": environment["DB_PORT"], "user": "academy"}
    with psycopg.connect(**address, dbname="first_deploy") as session:
        assert session.execute("SELECT tag FROM releases").fetchall() == [("abc123",)]
        assert session.execute("SELECT count(*) FROM video_jobs").fetchone() == (0,)


def test_a_container_waits_for_the_one_that_migrates(
    database: None, environment: dict[str, str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [releases._LOCK])
    waiting = start({**os.environ, **environment}, "abc123")
    wait_until(somebody_waits_for_the_lock)
    assert not Release.objects.exists()
    connection.close()
    assert waiting.communicate(timeout=60)[0].splitlines()[-1] == "release abc123: migrated"


def test_the_next_release_migrates_again(database: None) -> None:
    calls: list[str] = []
    for tag in ("one", "one", "two", "one"):
        releases.migrate_once(tag, lambda tag=tag: calls.append(tag))
    assert calls == ["one", "two"]


def test_a_failed_migration_is_not_recorded_and_frees_the_lock(database: None) -> None:
    def fail() -> None:
        raise RuntimeError("bad migration")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="bad migration"):
            releases.migrate_once("one", fail)
    assert not Release.objects.exists()
    assert releases.migrate_once("one", lambda: None)


def test_the_migrations_are_those_of_the_models(schema: None) -> None:
    call_command("makemigrations", "--check", "--dry-run")

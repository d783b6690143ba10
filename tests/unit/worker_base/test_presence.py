"""A worker's row, in a real PostgreSQL whose tables are those of the API's migrations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from config.contracts.fleet_facts import SIGN_EVERY_S, WorkerState
from worker_images.base.database import Database
from worker_images.base.leaving import Leave, Phase
from worker_images.base.presence import NullPresence, Row, Sign, state_of
from worker_images.base.testing import ManualClock

INSTANCE = "i-0123456789abcdef0"
IDLE = Sign(WorkerState.IDLE, jobs=0, version="7", lost=False)
BUSY = replace(IDLE, state=WorkerState.BUSY, jobs=2)
TAKEN = replace(BUSY, state=WorkerState.DRAINING, lost=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def row(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Row:
    monkeypatch.setattr("worker_images.base.presence._LOOK_EVERY_S", 0.01)
    return Row(database.cursor, clock, INSTANCE, "video")


def found(database: Database, columns: str = "kind, state, jobs, version") -> Any:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM workers WHERE instance_id = %s", (INSTANCE,))  # noqa: S608
        return cursor.fetchone()


def forget(database: Database) -> None:
    """Make what is written next tell itself apart from what was written before."""
    with database.cursor() as cursor:
        cursor.execute("UPDATE workers SET kind = 'seen', seen_at = 'epoch', started_at = 'epoch'")


def test_a_worker_signs_with_what_it_does(database: Database, row: Row) -> None:
    row.look(BUSY)
    assert found(database) == ("video", "busy", 2, "7")
    assert found(database, "started_at = seen_at, spot_notice_at") == (True, None)


def test_it_signs_again_when_its_state_changes_and_when_time_has_passed(
    database: Database, row: Row, clock: ManualClock
) -> None:
    row.look(IDLE)
    forget(database)
    row.look(replace(IDLE, jobs=1))
    assert found(database, "state, jobs") == ("idle", 0)
    row.look(BUSY)
    assert found(database, "state, jobs") == ("busy", 2)
    forget(database)
    clock.advance(SIGN_EVERY_S)
    row.look(BUSY)
    assert found(database, "seen_at > 'epoch', started_at = 'epoch'") == (True, True)


def test_a_spot_notice_is_stamped_once_and_its_row_outlives_the_worker(
    database: Database, row: Row, clock: ManualClock
) -> None:
    row.look(BUSY)
    row.look(TAKEN)
    assert found(database, "state, spot_notice_at IS NOT NULL") == ("draining", True)
    with database.cursor() as cursor:
        cursor.execute("UPDATE workers SET spot_notice_at = 'epoch'")
    clock.advance(SIGN_EVERY_S)
    row.start(lambda: replace(TAKEN, state=WorkerState.LEAVING))
    row.end()
    assert found(database, "state, spot_notice_at = 'epoch'") == ("leaving", True)


def test_the_row_goes_with_its_worker(database: Database, row: Row) -> None:
    signed = threading.Event()
    looks = iter(range(1000))

    def sign() -> Sign:
        if next(looks) == 2:
            signed.set()
        return BUSY

    row.start(sign)
    assert signed.wait(10)
    assert found(database) == ("video", "busy", 2, "7")
    row.end()
    assert found(database) is None


def test_a_database_that_was_away_is_signed_into_when_it_is_back(
    database: Database, row: Row, clock: ManualClock
) -> None:
    @contextmanager
    def away() -> Iterator[Any]:
        raise OSError("the database is away")
        yield

    there, row.cursor = row.cursor, away
    with pytest.raises(OSError, match="away"):
        row.look(IDLE)
    row.cursor = there
    row.look(BUSY)
    assert found(database) is None, "it tried a moment ago"
    clock.advance(SIGN_EVERY_S)
    row.look(BUSY)
    assert found(database, "state") == ("busy",)


def test_nobody_waits_long_for_a_database_that_does_not_answer(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_images.base.presence._FAREWELL_S", 0.01)
    asked, answer = threading.Event(), threading.Event()

    @contextmanager
    def hanging() -> Iterator[Any]:
        asked.set()
        answer.wait(30)
        raise OSError("gone")
        yield

    row.cursor = hanging
    row.start(lambda: IDLE)
    assert asked.wait(10)
    row.end()
    assert row._thread is not None
    assert row._thread.is_alive(), "the end of the worker waited for it"
    answer.set()
    row._thread.join(10)
    assert not row._thread.is_alive()


def test_a_worker_outside_a_group_signs_nowhere(database: Database) -> None:
    presence = NullPresence()
    presence.start(lambda: IDLE)
    presence.end()
    assert found(database) is None


@pytest.mark.parametrize(
    ("phase", "jobs", "state"),
    [
        (Phase.PROTECTING, 0, "idle"),
        (Phase.POLLING, 0, "idle"),
        (Phase.POLLING, 1, "busy"),
        (Phase.FINISHING, 1, "draining"),
        (Phase.HANDING_BACK, 1, "draining"),
        (Phase.UNPROTECTING, 0, "leaving"),
        (Phase.TERMINATING, 0, "leaving"),
        (Phase.ENDED, 0, "leaving"),
    ],
)
def test_the_state_follows_the_phase(phase: Phase, jobs: int, state: str) -> None:
    assert state_of(Leave(phase), jobs) == state

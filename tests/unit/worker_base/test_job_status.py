"""Both `Status` implementations answer alike, and a stale token writes nothing."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from worker_images.base.database import Database, open_database
from worker_images.base.errors import LostClaim
from worker_images.base.job_kinds import Ending
from worker_images.base.settings import DatabaseSettings
from worker_images.base.status import PostgresStatus
from worker_images.base.work import Result


def test_claim_runs_the_job_and_puts_the_video_in_process(world: Any) -> None:
    claim = world.status.claim(world.job_id, "w1", 30)
    assert (claim.job_id, claim.tenant_id) == (world.job_id, 3)
    assert (claim.token, claim.attempts_used) == (1, 1)
    assert claim.waited_s >= 0
    row = world.row()
    assert (row["state"], row["video_state"]) == ("RUNNING", "PROCESSING")


def test_a_running_job_is_claimed_by_nobody_else_until_its_lease_ends(world: Any) -> None:
    world.status.claim(world.job_id, "w1", 30)
    assert world.status.claim(world.job_id, "w2", 30) is None
    facts = world.status.facts(world.job_id)
    assert facts.open
    assert 0 < facts.lease_left_s <= 30
    world.end_lease()
    assert world.status.claim(world.job_id, "w2", 30).token == 2


def test_every_write_of_a_worker_that_lost_its_lease_is_refused(world: Any) -> None:
    stale = world.status.claim(world.job_id, "w1", 30).token
    world.end_lease()
    world.status.claim(world.job_id, "w2", 30)
    before = world.row()
    status, job_id = world.status, world.job_id
    assert not status.heartbeat(job_id, stale, 30)
    assert not status.progress(job_id, stale, 50, "encode", 1)
    assert not status.finish(job_id, stale, Result())
    assert not status.end(job_id, stale, Ending.FAILED, "X", "x")
    with pytest.raises(LostClaim), status.transaction(job_id, stale, 30):
        raise AssertionError("must not be entered")
    assert not status.retry_later(job_id, stale, "X", "x")
    assert not status.release(job_id, stale)
    assert world.row() == before


def test_the_holder_whose_lease_ended_goes_on_while_nobody_took_the_job(world: Any) -> None:
    token = world.status.claim(world.job_id, "w1", 30).token
    world.end_lease()
    assert world.status.heartbeat(world.job_id, token, 30)
    assert world.status.facts(world.job_id).lease_left_s > 0


def test_progress_is_recorded_and_a_new_attempt_starts_from_nothing(world: Any) -> None:
    token = world.status.claim(world.job_id, "w1", 30).token
    assert world.status.progress(world.job_id, token, 41.5, "encode", 12.0)
    row = world.row()
    assert (row["percent"], row["step"], row["seconds_left"]) == (41.5, "encode", 12.0)
    world.end_lease()
    world.status.claim(world.job_id, "w2", 30)
    row = world.row()
    assert (row["percent"], row["step"]) == (0, "")


def test_success_makes_the_video_ready_and_is_final(world: Any) -> None:
    token = world.status.claim(world.job_id, "w1", 30).token
    assert world.status.finish(world.job_id, token, Result({"duration_s": 61.25}))
    row = world.row()
    assert (row["state"], row["video_state"], row["percent"]) == ("SUCCEEDED", "READY", 100)
    assert row["duration_s"] == 61.25
    assert not world.status.facts(world.job_id).open
    assert world.status.claim(world.job_id, "w2", 30) is None
    assert not world.status.mark_dead(world.job_id, "X", "x")


@pytest.mark.parametrize(
    ("ending", "state"),
    [(Ending.FAILED, "FAILED"), (Ending.DEAD, "DEAD"), (Ending.REJECTED, "FAILED")],
)
def test_a_failure_is_stored_with_its_reason(world: Any, ending: Ending, state: str) -> None:
    token = world.status.claim(world.job_id, "w1", 30).token
    assert world.status.end(world.job_id, token, ending, "EMPTY_FILE", "빈 파일입니다.")
    row = world.row()
    assert (row["state"], row["video_state"]) == (state, "FAILED")
    assert (row["error_code"], row["error_message"]) == ("EMPTY_FILE", "빈 파일입니다.")


def test_a_retry_costs_an_attempt_and_a_hand_back_does_not(world: Any) -> None:
    status, job_id = world.status, world.job_id
    first = status.claim(job_id, "w1", 30)
    assert status.retry_later(job_id, first.token, "S3", "later")
    assert world.row()["state"] == "RETRY_WAIT"
    second = status.claim(job_id, "w1", 30)
    assert second.attempts_used == 2
    assert status.release(job_id, second.token)
    assert world.row()["state"] == "QUEUED"
    third = status.claim(job_id, "w1", 30)
    assert (third.token, third.attempts_used) == (3, 2)


def test_an_operator_cannot_kill_a_running_job(world: Any) -> None:
    world.status.claim(world.job_id, "w1", 30)
    assert world.status.has_live_job(7)
    assert not world.status.mark_dead(world.job_id, "DLQ", "x")
    world.end_lease()
    assert not world.status.has_live_job(7)
    assert world.status.mark_dead(world.job_id, "DLQ", "x")
    assert (world.row()["state"], world.row()["video_state"]) == ("DEAD", "FAILED")


def test_a_stuck_job_is_queued_again_only_after_the_grace(world: Any) -> None:
    assert not world.status.requeue_expired(world.job_id, 0)
    world.status.claim(world.job_id, "w1", 30)
    assert not world.status.requeue_expired(world.job_id, 0)
    world.end_lease()
    assert not world.status.requeue_expired(world.job_id, 3600)
    assert world.status.requeue_expired(world.job_id, 0)
    assert world.row()["state"] == "QUEUED"


def test_an_unknown_job_has_no_facts_and_no_claim(world: Any) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert world.status.facts(unknown) is None
    assert world.status.claim(unknown, "w1", 30) is None


def test_of_many_claimers_at_once_exactly_one_wins(database: Database, postgres_uri: str) -> None:
    job_id = "00000000-0000-4000-8000-000000000001"
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO videos (id, tenant_id, file_key) VALUES (7, 3, 'key')")
        cursor.execute(
            "INSERT INTO video_jobs (id, video_id, tenant_id) VALUES (%s, 7, 3)", [job_id]
        )
    start = threading.Barrier(8)
    claims: list[object] = []

    def compete(number: int) -> None:
        own = Database(lambda: psycopg.connect(postgres_uri, autocommit=True))
        status = PostgresStatus(own.cursor)
        start.wait()
        claims.append(status.claim(job_id, f"w{number}", 30))
        own.close()

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claims) == 8
    assert len([claim for claim in claims if claim is not None]) == 1


def test_a_broken_connection_is_replaced_by_the_next_statement(database: Database) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    with pytest.raises(psycopg.OperationalError), database.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", row)
        cursor.execute("SELECT 1")
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_a_server_that_vanished_is_given_up_within_a_minute(
    database: Database, postgres_uri: str
) -> None:
    socket = parse_qs(urlsplit(postgres_uri).query)["host"][0]
    opened = open_database(
        DatabaseSettings(
            socket,
            5432,
            "postgres",
            "postgres",
            "unused",
            secret_arn="arn:unused",
            region="ap-northeast-2",
            sslmode="prefer",
        )
    )
    with opened.cursor() as cursor:
        told = cursor.connection.info.get_parameters()
    opened.close()
    idle, interval, count = (
        int(told[f"keepalives_{name}"]) for name in ("idle", "interval", "count")
    )
    assert idle + interval * count <= 60
    assert int(told["tcp_user_timeout"]) <= 60_000

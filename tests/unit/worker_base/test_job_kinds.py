"""AI jobs and texts on the real tables: what each ending is called, and what is stored."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from worker_images.base.database import Database
from worker_images.base.errors import LostClaim
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, Ending, JobKind
from worker_images.base.outbox import Outbox
from worker_images.base.queue import Message
from worker_images.base.status import PostgresStatus
from worker_images.base.status_sql import statements
from worker_images.base.work import Result

AI_ROW = (
    "INSERT INTO ai_jobs (id, tenant_id, job_type, tier, payload)"
    " VALUES (%s, 3, 'ocr', 'lite', '{}')"
)
TEXT_ROW = (
    "INSERT INTO text_messages (id, tenant_id, recipient, sender, text, mode)"
    " VALUES (%s, 3, '01012345678', '0212345678', '안녕하세요', 'sms')"
)


def ask(database: Database, sql: str, *parameters: object) -> Any:
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)  # type: ignore[arg-type]
        return cursor.fetchone() if cursor.description else None


def added(database: Database, kind: JobKind) -> tuple[PostgresStatus, str]:
    job_id = str(uuid4())
    ask(database, AI_ROW if kind is AI_JOBS else TEXT_ROW, job_id)
    return PostgresStatus(database.cursor, kind), job_id


def column(database: Database, kind: JobKind, job_id: str, name: str) -> Any:
    return ask(database, f"SELECT {name} FROM {kind.table} WHERE id = %s", job_id)[0]  # noqa: S608


def end_lease(database: Database, kind: JobKind, job_id: str) -> None:
    ask(database, f"UPDATE {kind.table} SET lease_expires_at = now() WHERE id = %s", job_id)  # noqa: S608


@pytest.mark.parametrize(("review", "state"), [(False, "DONE"), (True, "REVIEW_REQUIRED")])
def test_an_ai_job_keeps_its_result_with_its_state(
    database: Database, review: bool, state: str
) -> None:
    status, job_id = added(database, AI_JOBS)
    claim = status.claim(job_id, "w1", 30)
    assert claim is not None
    assert column(database, AI_JOBS, job_id, "state") == "RUNNING"
    assert status.finish(job_id, claim.token, Result({"text": "한글"}, needs_review=review))
    assert column(database, AI_JOBS, job_id, "state") == state
    assert column(database, AI_JOBS, job_id, "result") == {"text": "한글"}
    facts = status.facts(job_id)
    assert facts is not None
    assert not facts.open


@pytest.mark.parametrize(
    ("kind", "ending", "state"),
    [
        (AI_JOBS, Ending.FAILED, "FAILED"),
        (AI_JOBS, Ending.REJECTED, "REJECTED_BAD_INPUT"),
        (AI_JOBS, Ending.DEAD, "FAILED"),
        (TEXTS, Ending.FAILED, "FAILED"),
        (TEXTS, Ending.AMBIGUOUS, "UNKNOWN"),
        (TEXTS, Ending.DEAD, "FAILED"),
    ],
)
def test_each_ending_has_its_state(
    database: Database, kind: JobKind, ending: Ending, state: str
) -> None:
    status, job_id = added(database, kind)
    claim = status.claim(job_id, "w1", 30)
    assert claim is not None
    assert status.end(job_id, claim.token, ending, "CODE", "이유")
    assert column(database, kind, job_id, "state") == state
    assert column(database, kind, job_id, "error_message") == "이유"
    assert status.claim(job_id, "w2", 30) is None


@pytest.mark.parametrize(("kind", "state"), [(AI_JOBS, "RETRYING"), (TEXTS, "QUEUED")])
def test_a_retried_job_waits_and_is_claimed_again(
    database: Database, kind: JobKind, state: str
) -> None:
    status, job_id = added(database, kind)
    first = status.claim(job_id, "w1", 30)
    assert first is not None
    assert status.retry_later(job_id, first.token, "DOWN", "later")
    assert column(database, kind, job_id, "state") == state
    second = status.claim(job_id, "w2", 30)
    assert second is not None
    assert (second.token, second.attempts_used) == (2, 2)


def test_a_text_whose_sender_vanished_is_never_sent_again(database: Database) -> None:
    status, job_id = added(database, TEXTS)
    assert status.claim(job_id, "w1", 30)
    assert not status.requeue_expired(job_id, 0)
    end_lease(database, TEXTS, job_id)
    assert status.claim(job_id, "w2", 30) is None
    assert status.requeue_expired(job_id, 0)
    assert column(database, TEXTS, job_id, "state") == "UNKNOWN"
    assert column(database, TEXTS, job_id, "error_code") == "WORKER_LOST"
    assert status.claim(job_id, "w3", 30) is None


def test_a_text_keeps_what_the_provider_said(database: Database) -> None:
    status, job_id = added(database, TEXTS)
    claim = status.claim(job_id, "w1", 30)
    assert claim is not None
    values = {"channel": "LMS", "provider": "aligo", "provider_reference": "r-1"}
    assert status.finish(job_id, claim.token, Result(values))
    row = ask(database, "SELECT state, channel, provider, provider_reference FROM text_messages")
    assert row == ("SENT", "LMS", "aligo", "r-1")


def test_effects_and_claim_stand_or_fall_together(database: Database) -> None:
    status, job_id = added(database, AI_JOBS)
    claim = status.claim(job_id, "w1", 30)
    assert claim is not None
    with status.transaction(job_id, claim.token, 30) as cursor:
        cursor.execute("INSERT INTO outbox (queue, body) VALUES ('ai_lite', 'effect')")
    with pytest.raises(ZeroDivisionError), status.transaction(job_id, claim.token, 30) as cursor:
        cursor.execute("INSERT INTO outbox (queue, body) VALUES ('ai_lite', 'undone')")
        raise ZeroDivisionError
    end_lease(database, AI_JOBS, job_id)
    assert status.claim(job_id, "w2", 30)
    with pytest.raises(LostClaim), status.transaction(job_id, claim.token, 30):
        raise AssertionError("must not be entered")
    assert ask(database, "SELECT array_agg(body) FROM outbox") == (["effect"],)


def test_nobody_claims_a_job_during_its_transaction_and_the_lease_is_fresh_after_it(
    database: Database, postgres_uri: str
) -> None:
    status, job_id = added(database, AI_JOBS)
    claim = status.claim(job_id, "w1", 30)
    assert claim is not None

    def impatient() -> psycopg.Connection[Any]:
        options = "-c lock_timeout=100"
        return psycopg.connect(postgres_uri, autocommit=True, options=options)

    other = Database(impatient)
    with status.transaction(job_id, claim.token, 30):
        pass
    end_lease(database, AI_JOBS, job_id)
    with (
        status.transaction(job_id, claim.token, 30),
        pytest.raises(psycopg.errors.LockNotAvailable),
    ):
        PostgresStatus(other.cursor, AI_JOBS).claim(job_id, "w2", 30)
    assert PostgresStatus(other.cursor, AI_JOBS).claim(job_id, "w2", 30) is None
    other.close()


def test_a_fresh_copy_lies_where_the_relay_finds_it(database: Database) -> None:
    _, job_id = added(database, AI_JOBS)
    Outbox(database.cursor).copy(Message("body", "r", "m", 9, 0.0, "ai_lite"), job_id)
    row = ask(database, "SELECT queue, body, job_id::text, sent_at, attempts FROM outbox")
    assert row == ("ai_lite", "body", job_id, None, 0)


@pytest.mark.parametrize("kind", [VIDEO_JOBS, AI_JOBS, TEXTS])
def test_every_state_of_a_kind_is_one_that_the_table_allows(
    database: Database, kind: JobKind
) -> None:
    definition = ask(
        database,
        "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'c'",
        kind.table,
    )[0]
    used = {kind.running, kind.queued, kind.retry, kind.done, kind.review, *kind.waiting}
    used |= {kind.ended_as(ending) for ending in Ending} | ({kind.lost} if kind.lost else set())
    assert [state for state in used if f"'{state}'" not in definition] == []
    assert statements(kind) is statements(kind)

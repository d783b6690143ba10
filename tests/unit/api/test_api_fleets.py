"""`GET fleets/`: what each fleet has to do, who does it, and what the answer costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config.contracts.fleet_facts import FleetFact, WorkerFact, WorkerState, decode_fleets
from config.contracts.text_messages import WAITS_FOR_PROVIDER
from tests.unit.api.stuck import add, lease
from worker_images.api.fleets import FLEETS, MEAN_OF, fleets, forget_workers, statement
from worker_images.api.management.commands import relay_outbox
from worker_images.api.models import Worker
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind
from worker_images.base.status import PostgresStatus
from worker_images.base.work import Result

NOTHING = FleetFact(waiting=0, running=0, oldest_s=None, mean_job_s=None, spot_losses=0)
HELD = {"worker_id": "i-0a-1", "attempt": 1}
EVERY_KIND = pytest.mark.parametrize("fleet", FLEETS)


@pytest.fixture
def look(internal: Callable[..., Any]) -> Callable[..., FleetFact]:
    """Return one fleet's facts, as the controller reads them."""

    def ask(fleet: str, query: str = "") -> FleetFact:
        answer = internal("GET", f"fleets/{query}")
        assert answer.status_code == 200, answer.content
        return decode_fleets(answer.content.decode())[fleet]

    return ask


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def worker(instance_id: str, kind: str = "video", **columns: Any) -> None:
    Worker.objects.create(instance_id=instance_id, kind=kind, **{"state": "idle", **columns})


def done(kind: JobKind, seconds: float, *, before_s: float = 10, **columns: Any) -> None:
    """Add a job that took `seconds` and was over `before_s` ago."""
    times = {"started_at": ago(before_s + seconds), "finished_at": ago(before_s)}
    add(kind, **{"state": kind.done, "attempt": 1, **times, **columns})


def test_fleets_without_jobs_and_workers_are_all_there(internal: Callable[..., Any]) -> None:
    found = decode_fleets(internal("GET", "fleets/").content.decode())
    assert found == dict.fromkeys(("video", "ai", "messaging"), NOTHING)


@EVERY_KIND
def test_jobs_wait_until_a_worker_holds_them_and_count_no_more_when_done(
    look: Callable[..., FleetFact], fleet: str
) -> None:
    kind = FLEETS[fleet]
    job, _ = add(kind), add(kind)
    found = look(fleet)
    assert (found.waiting, found.running) == (2, 0)
    status = PostgresStatus(connection.cursor, kind)
    claim = status.claim(str(job.pk), "i-0a-1", 60)
    found = look(fleet)
    assert (found.waiting, found.running) == (1, 1)
    assert claim is not None
    assert status.finish(claim.job_id, claim.token, Result({}))
    found = look(fleet)
    assert (found.waiting, found.running) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        *((VIDEO_JOBS, state) for state in ("SUCCEEDED", "FAILED", "DEAD", "CANCELLED")),
        *((AI_JOBS, state) for state in ("DONE", "FAILED", "REJECTED_BAD_INPUT")),
        (AI_JOBS, "REVIEW_REQUIRED"),
        *((TEXTS, state) for state in ("SENT", "FAILED", "UNKNOWN", "CANCELLED")),
    ],
)
def test_ended_jobs_are_nobodys_work(database: None, kind: JobKind, state: str) -> None:
    add(kind, state=state)
    assert all((found.waiting, found.running) == (0, 0) for found in fleets(1).values())


@pytest.mark.parametrize(
    ("fleet", "waiting", "running"), [("video", 1, 0), ("ai", 1, 0), ("messaging", 0, 1)]
)
def test_a_job_whose_lease_is_over_waits_unless_nobody_may_run_it_again(
    look: Callable[..., FleetFact], fleet: str, waiting: int, running: int
) -> None:
    kind = FLEETS[fleet]
    add(kind, state=kind.running, **HELD, **lease(-20))
    found = look(fleet)
    assert (found.waiting, found.running) == (waiting, running)


@EVERY_KIND
@pytest.mark.parametrize(
    ("tries", "failed_s", "waiting"),
    [
        ((1, 0), 3, 0),  # the first backoff is 5 to 10 s
        ((1, 0), 6, 1),
        ((3, 0), 16, 0),  # the third one 20 to 40 s
        ((3, 0), 23, 1),
        ((3, 2), 6, 1),  # hand-backs are no attempts
        ((40, 0), 420, 0),  # never more than 15 minutes
        ((40, 0), 455, 1),
    ],
)
def test_a_failed_job_waits_again_when_its_backoff_may_be_over(
    look: Callable[..., FleetFact],
    fleet: str,
    tries: tuple[int, int],
    failed_s: float,
    waiting: int,
) -> None:
    kind, (attempt, hand_backs) = FLEETS[fleet], tries
    job = add(kind, state=kind.running, attempt=attempt, hand_backs=hand_backs, **lease(60))
    assert PostgresStatus(connection.cursor, kind).retry_later(str(job.pk), attempt, "X", "x")
    type(job).objects.filter(pk=job.pk).update(updated_at=ago(failed_s))
    assert look(fleet).waiting == waiting


@pytest.mark.parametrize(("send_in_s", "waiting"), [(60, 0), (-1, 1)])
@pytest.mark.parametrize(
    "columns", [{"state": "SCHEDULED"}, {"step": WAITS_FOR_PROVIDER}], ids=["scheduled", "parked"]
)
def test_a_text_waits_from_the_moment_it_is_due(
    look: Callable[..., FleetFact], columns: dict[str, str], send_in_s: float, waiting: int
) -> None:
    add(TEXTS, send_at=ago(-send_in_s), **columns)
    found = look("messaging")
    assert found.waiting == waiting
    assert found.oldest_s is None or 1 <= found.oldest_s < 60


def test_the_oldest_job_is_the_one_that_could_start_first(look: Callable[..., FleetFact]) -> None:
    add(VIDEO_JOBS, updated_at=ago(1000), created_at=ago(9000))
    add(VIDEO_JOBS, updated_at=ago(700))
    add(VIDEO_JOBS, state="RUNNING", updated_at=ago(5000), **HELD, **lease(60))
    oldest_s = look("video").oldest_s
    assert oldest_s is not None
    assert 1000 <= oldest_s < 5000


@EVERY_KIND
def test_the_mean_is_unknown_before_enough_jobs_are_done(
    look: Callable[..., FleetFact], fleet: str
) -> None:
    for seconds in (10, 20, 30, 40):
        done(FLEETS[fleet], seconds)
    assert look(fleet).mean_job_s is None
    done(FLEETS[fleet], 50)
    assert look(fleet).mean_job_s == pytest.approx(30)


def test_the_mean_is_that_of_the_latest_jobs_of_the_last_day(
    look: Callable[..., FleetFact],
) -> None:
    for place in range(MEAN_OF):
        done(VIDEO_JOBS, 100, before_s=place)
    done(VIDEO_JOBS, 9000, before_s=MEAN_OF)
    assert look("video").mean_job_s == pytest.approx(100)
    for _ in range(5):
        done(AI_JOBS, 9000, before_s=25 * 3600)
    assert look("ai").mean_job_s is None


def test_jobs_that_failed_or_began_twice_say_nothing_of_a_jobs_time(
    look: Callable[..., FleetFact],
) -> None:
    for _ in range(5):
        done(VIDEO_JOBS, 100)
        done(VIDEO_JOBS, 9000, attempt=2)
        done(VIDEO_JOBS, 1, state="FAILED")
    assert look("video").mean_job_s == pytest.approx(100)


def test_workers_are_named_with_the_jobs_whose_rows_name_them(
    look: Callable[..., FleetFact],
) -> None:
    worker("i-0a", state="busy", jobs=3)
    worker("i-0b", kind="ai")
    add(VIDEO_JOBS, state="RUNNING", **HELD, **lease(60))
    add(VIDEO_JOBS, state="RUNNING", **HELD, **lease(-60))
    add(VIDEO_JOBS, state="RUNNING", worker_id="i-0c-1", **lease(60))
    add(AI_JOBS, state="RUNNING", **HELD, **lease(60))
    video, ai = look("video"), look("ai")
    (found,) = video.workers
    assert found == WorkerFact("i-0a", WorkerState.BUSY, 3, 2, pytest.approx(0, abs=60))
    assert video.unnamed == 1
    (other,) = ai.workers
    assert (other.instance_id, other.leases, ai.unnamed) == ("i-0b", 0, 1)


def test_a_worker_silent_for_long_is_named_only_while_it_holds_a_job(
    look: Callable[..., FleetFact],
) -> None:
    worker("i-0a", state="busy", seen_at=ago(4000))
    worker("i-0b", state="leaving", seen_at=ago(4000))
    worker("i-0c", seen_at=ago(2000))
    add(VIDEO_JOBS, state="RUNNING", **HELD, **lease(60))
    silent = {each.instance_id: each.silent_s for each in look("video").workers}
    assert set(silent) == {"i-0a", "i-0c"}
    assert silent["i-0a"] >= 4000
    assert 2000 <= silent["i-0c"] < 4000


def test_spot_losses_are_those_of_the_fleet_within_the_asked_time(
    look: Callable[..., FleetFact],
) -> None:
    worker("i-0a", spot_notice_at=ago(100), seen_at=ago(90))
    worker("i-0b", spot_notice_at=ago(3000), seen_at=ago(2990))
    worker("i-0c", spot_notice_at=ago(5000), seen_at=ago(4990))
    worker("i-0d", kind="ai", spot_notice_at=ago(100))
    worker("i-0e")
    assert look("video").spot_losses == 2
    assert look("video", "?within_s=6000").spot_losses == 3
    assert look("video", "?within_s=200").spot_losses == 1
    assert look("messaging").spot_losses == 0


@pytest.mark.parametrize("within_s", ["0", "soon", "86401", "nan", "1.5"])
def test_a_time_that_is_none_is_refused(internal: Callable[..., Any], within_s: str) -> None:
    answer = internal("GET", f"fleets/?within_s={within_s}")
    assert answer.status_code == 400
    assert "within_s" in answer.json()


def test_a_workers_state_is_one_of_the_contract(database: None) -> None:
    with pytest.raises(Exception, match="worker_state_known"):
        worker("i-0a", state="asleep")


def test_a_worker_may_write_its_row_with_plain_sql(look: Callable[..., FleetFact]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workers (instance_id, kind, state) VALUES ('i-0a', 'video', 'idle')"
        )
    (found,) = look("video").workers
    assert found == WorkerFact("i-0a", WorkerState.IDLE, 0, 0, pytest.approx(0, abs=60))


def test_the_relay_forgets_workers_that_were_not_seen_for_a_day(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker("i-0a", seen_at=ago(25 * 3600))
    worker("i-0b", seen_at=ago(23 * 3600))
    worker("i-0c", seen_at=ago(26 * 3600))
    monkeypatch.setattr(relay_outbox.sweeper, "sweep", lambda *_: None)
    relay_outbox._tasks()
    assert list(Worker.objects.values_list("instance_id", flat=True)) == ["i-0b"]
    assert forget_workers() == 0


@pytest.fixture(scope="module")
def history(schema: None) -> Any:
    """100,000 jobs of each kind ended within the last ten days, 20,000 texts go out tomorrow."""
    rows = {
        "videos": "tenant_id, file_key, state) SELECT 1, n::text, 'READY'",
        "video_jobs": f"video_id, tenant_id, {_ENDED}) SELECT id, 1, 'SUCCEEDED', {_TIMES}",
        "ai_jobs": f"tenant_id, job_type, tier, payload, {_ENDED})"
        f" SELECT 1, 'ocr', 'lite', '{{}}', 'DONE', {_TIMES}",
        "text_messages": f"tenant_id, recipient, sender, text, mode, {_ENDED})"
        f" SELECT 1, '', '', '', 'sms', 'SENT', {_TIMES}",
    }
    tables = ", ".join(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        for table, values in rows.items():
            source = "videos, LATERAL (SELECT id AS n) m" if table == "video_jobs" else _NUMBERS
            cursor.execute(f"INSERT INTO {table} ({values} FROM {source}")
        cursor.execute(
            "INSERT INTO text_messages (tenant_id, recipient, sender, text, mode, state, send_at)"
            " SELECT 1, '', '', '', 'sms', 'SCHEDULED', now() + interval '1 day'"
            " FROM generate_series(1, 20000)"
        )
        cursor.execute(f"ANALYZE {tables}")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


_ENDED = "state, attempt, started_at, finished_at"
_TIMES = "1, now() - (n * 8 + 60) * interval '1 s', now() - n * 8 * interval '1 s'"
_NUMBERS = "generate_series(1, 100000) n"


@EVERY_KIND
def test_ended_jobs_are_never_gone_through(history: None, fleet: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement(FLEETS[fleet])}")
        ((plan,),) = cursor.fetchone()
    scans = [node for node in nodes(plan["Plan"]) if "Relation Name" in node]
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}
    assert sum(node["Actual Rows"] for node in scans) <= MEAN_OF
    buffers = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    assert buffers < 3 * MEAN_OF
    assert fleets(3600)[fleet].mean_job_s == pytest.approx(60)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a plan's nodes, the plan itself first."""
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]

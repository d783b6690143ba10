"""Receives are spent on drains, duplicates and outages; none of them costs a healthy job."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.contracts.messages import VideoJob
from config.contracts.queues import copy_after, max_receive_count
from config.contracts.states import VideoJobState
from tests.unit.worker_base.bench import VISIBILITY_S, Bench, raising
from worker_images.base.claims import AWAY_LIMIT_S
from worker_images.base.errors import HandedBack, Retryable
from worker_images.base.gate import FRESH_S, Gate
from worker_images.base.queue import Message
from worker_images.base.testing import ManualClock
from worker_images.base.work import Context, Result

ATTEMPTS = 3
LIMIT = copy_after(ATTEMPTS)


def bench_with_copies() -> Bench:
    """A bench whose fresh copies come back through the queue, as the relay sends them."""
    bench = Bench(
        attempts=ATTEMPTS,
        copy_after=LIMIT,
        copy=lambda message, job_id: bench.queue.send(message.body),
    )
    bench.queue.max_receive_count = max_receive_count(ATTEMPTS)
    return bench


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["drain", "away", "busy"]), max_size=60))
def test_no_number_of_drains_and_outages_moves_a_healthy_job_to_the_dead_letter_queue(
    events: list[str],
) -> None:
    bench = bench_with_copies()
    bench.handler = raising(HandedBack("DRAINED", "SIGTERM"))
    job_id = bench.add_job()
    for event in events:
        claim, elsewhere = bench.status.claim, None
        if event == "away":
            bench.status.claim = _away  # type: ignore[method-assign]
        elif event == "busy":
            elsewhere = claim(job_id, "w2", 3600)
        bench.step()
        bench.status.claim = claim  # type: ignore[method-assign]
        if elsewhere is not None:
            assert bench.status.release(job_id, elsewhere.token)
        bench.clock.advance(3600)
    bench.handler = lambda job, context: Result()
    bench.step()
    assert (bench.queue.bodies, bench.queue.dead) == ([], [])
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def _away(*arguments: object) -> None:
    raise OSError("the database is away")


def test_a_moment_without_a_database_costs_no_more_than_a_moment_however_often_received() -> None:
    bench = bench_with_copies()
    bench.add_job()
    bench.status.claim = _away  # type: ignore[method-assign]
    for _ in range(12):
        delay_s = bench.step().visible_in_s or 0
        assert 0 < delay_s <= AWAY_LIMIT_S
        bench.clock.advance(delay_s)


def test_a_message_received_too_often_is_deleted_only_after_its_copy_is_stored() -> None:
    stored: list[tuple[str, str | None]] = []
    answers = iter([OSError("the database is away"), None])

    def copy(message: Message, job_id: str | None) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer
        stored.append((message.body, job_id))

    bench = Bench(raising(HandedBack("DRAINED", "SIGTERM")), copy_after=2, copy=copy)
    job_id = bench.add_job()
    (body,) = bench.queue.bodies
    bench.step()
    bench.step()
    assert (bench.queue.bodies, stored) == ([body], [])
    bench.step()
    assert (bench.queue.bodies, stored) == ([], [(body, job_id)])


def test_a_failed_claim_costs_no_attempt_and_stops_the_receiving() -> None:
    bench = Bench()
    job_id = bench.add_job()
    bench.status.claim, claim = _away, bench.status.claim  # type: ignore[method-assign]
    assert bench.step().outcome == "DATABASE_AWAY"
    assert bench.delay_s() == 10
    bench.probe = _away  # type: ignore[assignment]
    assert bench.gate.pause_s() > 0
    bench.probe = lambda: None
    assert bench.gate.pause_s() == 0
    bench.status.claim = claim  # type: ignore[method-assign]
    bench.clock.advance(10)
    bench.step()
    assert (bench.row(job_id).state, bench.row(job_id).attempt) == ("SUCCEEDED", 1)


def test_nothing_is_received_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_images.base.gate.FIRST_PAUSE_S", 0.001)
    asked: list[int] = []

    def probe() -> None:
        asked.append(1)
        if len(asked) < 5:
            assert bench.queue.entries[0].receive_count == 0
            raise OSError("away")

    bench = Bench(probe=probe)
    job_id = bench.add_job()
    bench.consumer.run()
    assert len(asked) >= 5
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def test_the_gate_asks_seldom_and_waits_longer_each_time() -> None:
    clock, answers = ManualClock(), iter([None, OSError("a"), OSError("b"), OSError("c"), None])
    asked: list[object] = []

    def probe() -> None:
        asked.append(answer := next(answers))
        if answer is not None:
            raise answer

    gate = Gate(probe, clock)
    assert [gate.pause_s(), gate.pause_s()] == [0, 0]
    assert len(asked) == 1
    clock.advance(FRESH_S)
    assert [gate.pause_s() for _ in range(4)] == [1, 2, 4, 0]


def test_a_retry_is_counted_in_the_database_and_not_by_receives() -> None:
    def failing(job: VideoJob, context: Context) -> Result:
        raise Retryable("S3", "later")

    bench = bench_with_copies()
    job_id = bench.add_job()
    bench.handler = raising(HandedBack("DRAINED", "SIGTERM"))
    for _ in range(LIMIT + 4):
        bench.step()
    assert bench.row(job_id).attempts_used == 0
    bench.handler = failing
    for _ in range(ATTEMPTS):
        bench.step()
        bench.clock.advance(3600)
    assert bench.row(job_id).state == VideoJobState.DEAD
    assert (bench.queue.bodies, bench.queue.dead) == ([], [])


def test_the_message_of_a_killed_worker_returns_when_its_lease_ends_however_often_received() -> (
    None
):
    bench = Bench(attempts=20)
    bench.queue.max_receive_count = 100
    job_id = bench.add_job()
    delays = []
    for _ in range(12):
        # The lease counts from the claim, the message's visibility from the receive before it.
        assert bench.status.claim(job_id, "killed", VISIBILITY_S)
        bench.clock.advance(VISIBILITY_S - 2)
        delays.append(bench.step().visible_in_s)
        bench.clock.advance(2)
    assert delays == [2] * 12
    bench.step()
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def test_a_duplicate_of_a_job_that_runs_elsewhere_comes_back_less_and_less_often() -> None:
    bench = Bench()
    job_id = bench.add_job()
    claim = bench.status.claim(job_id, "elsewhere", VISIBILITY_S)
    assert claim is not None
    delays = []
    for _ in range(4):
        delays.append(bench.step().visible_in_s)
        bench.clock.advance(delays[-1] or 0)
        assert bench.status.heartbeat(job_id, claim.token, VISIBILITY_S)
    assert delays == [VISIBILITY_S, 2 * VISIBILITY_S, 4 * VISIBILITY_S, 8 * VISIBILITY_S]

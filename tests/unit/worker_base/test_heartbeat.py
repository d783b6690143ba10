"""What keeps a delivery ours, and what ends it: limits, a lost claim, a handler that is stuck."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.contracts.messages import VideoJob
from config.contracts.queues import MAX_IN_FLIGHT_S
from config.contracts.states import VideoJobState
from tests.unit.worker_base.bench import HANG_LIMIT_S, VISIBILITY_S, Bench
from worker_images.base.errors import Hung, LostClaim, TimedOut
from worker_images.base.limits import Limits
from worker_images.base.work import Context, Delivery, Result


def during(bench: Bench, act: Any) -> Delivery:
    """Run one job whose handler calls `act(delivery, context)`; return its delivery."""
    deliveries: list[Delivery] = []

    def handler(job: VideoJob, context: Context) -> Result:
        act(deliveries[0], context)
        return Result()

    bench.handler = handler
    deliveries.append(bench.take())
    disposition = bench.consumer.dispose(deliveries[0])
    bench.consumer.settler.settle([(deliveries[0], disposition)])
    return deliveries[0]


def test_a_beat_renews_lease_and_visibility_at_a_third() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def act(delivery: Delivery, context: Context) -> None:
        bench.clock.advance(VISIBILITY_S / 3)
        bench.heartbeat.beat()
        facts = bench.status.facts(job_id)
        assert facts is not None
        assert facts.lease_left_s == VISIBILITY_S
        assert bench.delay_s() == VISIBILITY_S

    during(bench, act)
    assert bench.beats


def test_the_visibility_is_never_renewed_past_the_ceiling() -> None:
    bench = Bench()
    bench.add_job()
    delivery = bench.take()
    for _ in range(2 * MAX_IN_FLIGHT_S // 10):
        bench.clock.advance(10)
        bench.heartbeat.beat()
        (entry,) = bench.queue.entries
        assert entry.visible_at - delivery.received_at < MAX_IN_FLIGHT_S


def test_what_waits_for_a_thread_stays_hidden_too() -> None:
    bench = Bench(concurrency=5)
    for _ in range(3):
        bench.add_job()
    messages = bench.queue.receive(0, 10)
    bench.heartbeat.keep([Delivery(message, bench.clock.monotonic()) for message in messages])
    for _ in range(4):
        bench.clock.advance(VISIBILITY_S / 3)
        bench.heartbeat.beat()
    assert bench.queue.receive(0, 10) == []


def test_a_job_over_its_time_limit_is_told_to_stop_and_retried() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def act(delivery: Delivery, context: Context) -> None:
        bench.clock.advance(3601)
        context.report(50.0, "encode", None)
        bench.heartbeat.beat()
        context.cancellation.check()
        raise AssertionError("the handler was not told to stop")

    during(bench, act)
    assert (bench.row(job_id).state, bench.row(job_id).error_code) == ("RETRY_WAIT", "TIME_LIMIT")


def test_a_job_without_progress_is_hung_and_one_with_progress_is_not() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def act(delivery: Delivery, context: Context) -> None:
        for percent in (1.0, 2.0, 3.0):
            bench.clock.advance(HANG_LIMIT_S)
            context.report(percent, "encode", None)
            bench.heartbeat.beat()
            context.cancellation.check()
        bench.clock.advance(HANG_LIMIT_S + 1)
        bench.heartbeat.beat()
        context.cancellation.check()

    during(bench, act)
    row = bench.row(job_id)
    assert (row.state, row.error_code, row.attempts_used) == ("RETRY_WAIT", "HUNG", 1)


def test_a_report_that_says_the_same_is_no_progress() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def act(delivery: Delivery, context: Context) -> None:
        for left_s in (9.0, 8.0, 7.0, 6.0):
            bench.clock.advance(HANG_LIMIT_S / 2)
            context.report(1.0, "encode", left_s)
            bench.heartbeat.beat()
        context.cancellation.check()

    during(bench, act)
    assert bench.row(job_id).error_code == "HUNG"


@given(
    started=st.floats(0, 1e5),
    ran=st.floats(0, 1e5),
    still=st.floats(0, 1e5),
    limits=st.builds(Limits, *[st.floats(3, 1e5)] * 3),
)
def test_a_limit_ends_exactly_what_exceeds_it(
    started: float, ran: float, still: float, limits: Limits
) -> None:
    now = started + ran
    delivery = Delivery(None, started)  # type: ignore[arg-type]
    assert limits.exceeded(delivery, now) is None
    delivery.begin(started)
    delivery.progressed_at = max(started, now - still)
    reason = limits.exceeded(delivery, now)
    assert isinstance(reason, TimedOut) == (now - started > limits.time_limit_s)
    if reason is None or isinstance(reason, Hung):
        stood_s = now - delivery.progressed_at
        assert isinstance(reason, Hung) == (stood_s > limits.hang_limit_s)


def test_a_worker_that_lost_its_lease_is_told_to_stop_and_hides_nothing() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def act(delivery: Delivery, context: Context) -> None:
        bench.clock.advance(VISIBILITY_S + 1)
        assert bench.status.claim(job_id, "w2", VISIBILITY_S)
        before = bench.queue.entries[0].visible_at
        bench.heartbeat.beat()
        assert bench.queue.entries[0].visible_at == before
        with pytest.raises(LostClaim):
            context.cancellation.check()

    during(bench, act)
    assert bench.row(job_id).state == VideoJobState.RUNNING
    assert bench.outcomes() == ["LOST"]


def test_a_database_that_is_away_does_not_stop_the_visibility_beats() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def away(*arguments: object) -> bool:
        raise OSError("no route to host")

    def act(delivery: Delivery, context: Context) -> None:
        bench.status.heartbeat, kept = away, bench.status.heartbeat  # type: ignore[method-assign]
        for _ in range(9):
            bench.clock.advance(VISIBILITY_S / 3)
            bench.heartbeat.beat()
            assert bench.delay_s() == VISIBILITY_S
        bench.status.heartbeat = kept  # type: ignore[method-assign]

    during(bench, act)
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def test_a_stuck_handler_ends_the_process_and_its_job_goes_to_another_worker() -> None:
    bench = Bench(grace_s=60)
    job_id = bench.add_job()
    entered, leave = threading.Event(), threading.Event()

    def stuck(job: VideoJob, context: Context) -> Result:
        entered.set()
        leave.wait(30)
        return Result()

    bench.handler = stuck
    ended: list[bool] = []
    running = threading.Thread(target=lambda: ended.append(bench.consumer.run()))
    running.start()
    assert entered.wait(10)
    bench.clock.advance(HANG_LIMIT_S + 1)
    bench.heartbeat.beat()
    bench.clock.advance(61)
    bench.heartbeat.beat()
    running.join(10)
    assert ended == [False]
    row = bench.row(job_id)
    assert (row.state, row.error_code) == (VideoJobState.RETRY_WAIT, "HUNG")
    assert bench.delay_s() == 10
    leave.set()
    bench.clock.advance(10)
    assert bench.status.claim(job_id, "w2", VISIBILITY_S)

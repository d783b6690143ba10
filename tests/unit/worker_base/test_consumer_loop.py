"""What becomes of a message and its job, for every way in which work can end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from config.contracts.messages import DeleteVideo, VideoJob, encode
from config.contracts.states import VideoJobState, VideoState
from tests.unit.worker_base.bench import VISIBILITY_S, Bench, Instance, raising
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, Permanent, Retryable
from worker_images.base.queue import Message
from worker_images.base.retry import backoff_s
from worker_images.base.work import Context, Result


def test_a_finished_job_is_recorded_before_its_message_goes() -> None:
    bench = Bench()
    order: list[str] = []
    job_id = bench.add_job()
    delete, finish = bench.queue.delete, bench.status.finish
    bench.queue.delete = lambda m: (order.append("delete"), delete(m))[1]  # type: ignore[method-assign]
    bench.status.finish = lambda *a: (order.append("finish"), finish(*a))[1]  # type: ignore[method-assign]
    bench.consumer.run()
    assert order == ["finish", "delete"]
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED
    assert bench.queue.bodies == []
    assert bench.outcomes() == ["SUCCEEDED"]


def test_a_permanent_failure_is_final_and_spends_no_retry() -> None:
    bench = Bench(raising(Permanent("EMPTY_FILE", "빈 파일입니다.")))
    job_id = bench.add_job()
    bench.consumer.run()
    row = bench.row(job_id)
    assert (row.state, row.error_code, row.attempt) == (VideoJobState.FAILED, "EMPTY_FILE", 1)
    assert row.error_message == "빈 파일입니다."
    assert (bench.queue.bodies, bench.queue.dead) == ([], [])


@pytest.mark.parametrize("error", [Retryable("S3", "later"), RuntimeError("defect")])
def test_a_passing_failure_waits_longer_each_time_and_ends_dead(error: Exception) -> None:
    bench = Bench(raising(error))
    job_id = bench.add_job()
    bench.step()
    assert bench.row(job_id).state == VideoJobState.RETRY_WAIT
    assert bench.delay_s() == 10
    bench.clock.advance(10)
    bench.step()
    assert bench.delay_s() == 20
    bench.clock.advance(20)
    bench.step()
    row = bench.row(job_id)
    assert (row.state, row.video_state) == (VideoJobState.DEAD, VideoState.FAILED)
    assert "관리자" in row.error_message
    assert (bench.queue.bodies, bench.queue.dead) == ([], [])
    assert bench.outcomes() == ["RETRY_WAIT", "RETRY_WAIT", "DEAD"]


def test_a_job_that_kills_its_workers_is_declared_dead_after_its_attempts() -> None:
    bench = Bench()
    job_id = bench.add_job()
    for _ in range(3):
        assert bench.status.claim(job_id, "killed", VISIBILITY_S)
        bench.clock.advance(VISIBILITY_S)
    bench.step()
    assert bench.row(job_id).state == VideoJobState.DEAD
    assert bench.row(job_id).error_code == "WORKER_LOST"


def test_a_duplicate_of_a_finished_job_is_deleted_without_work() -> None:
    runs: list[str] = []
    bench = Bench(lambda job, context: (runs.append(job.job_id), Result())[1])
    job_id = bench.add_job()
    bench.send(job_id)
    bench.consumer.run()
    assert runs == [job_id]
    assert bench.queue.bodies == []


def test_a_message_of_a_job_that_runs_elsewhere_returns_later_at_no_cost() -> None:
    bench = Bench(raising(AssertionError("must not run")))
    job_id = bench.add_job()
    elsewhere = bench.status.claim(job_id, "w2", VISIBILITY_S)
    assert elsewhere is not None
    bench.step()
    assert bench.delay_s() == VISIBILITY_S
    bench.clock.advance(VISIBILITY_S - 5)
    assert bench.status.heartbeat(job_id, elsewhere.token, VISIBILITY_S)
    bench.clock.advance(5)
    bench.step()
    assert bench.delay_s() == 2 * (VISIBILITY_S - 5)
    assert bench.row(job_id).attempt == 1


def test_the_message_of_a_lost_worker_is_taken_up_when_its_lease_ends() -> None:
    bench = Bench()
    job_id = bench.add_job()
    assert bench.queue.receive(0)
    assert bench.status.claim(job_id, "killed", VISIBILITY_S)
    bench.clock.advance(VISIBILITY_S)
    bench.step()
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED
    assert bench.row(job_id).attempt == 2


def test_a_worker_that_lost_its_job_writes_nothing_and_leaves_the_message() -> None:
    bench = Bench()
    job_id = bench.add_job()

    def overtaken(job: VideoJob, context: Context) -> Result:
        bench.clock.advance(VISIBILITY_S + 1)
        assert bench.status.claim(job_id, "w2", VISIBILITY_S)
        return Result()

    bench.handler = overtaken
    bench.step()
    assert bench.row(job_id).state == VideoJobState.RUNNING
    assert len(bench.queue.bodies) == 1
    assert bench.outcomes() == ["LOST"]


def test_an_undecodable_body_reaches_the_dead_letter_queue_and_is_never_deleted() -> None:
    bench = Bench()
    bench.queue.send("{broken")
    job_id = bench.add_job()
    bench.consumer.run()
    assert bench.queue.dead == ["{broken"]
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def test_a_message_of_an_unknown_job_reaches_the_dead_letter_queue() -> None:
    bench = Bench(raising(AssertionError("must not run")))
    bench.send(str(uuid4()))
    bench.consumer.run()
    assert len(bench.queue.dead) == 1


def test_draining_hands_the_running_job_back_and_takes_no_other() -> None:
    bench = Bench()
    first, second = bench.add_job(), bench.add_job()

    def drained(job: VideoJob, context: Context) -> Result:
        bench.consumer.drain("SIGTERM")
        context.cancellation.check()
        raise AssertionError("the handler was not told to stop")

    bench.handler = drained
    bench.consumer.run()
    assert [bench.row(job).state for job in (first, second)] == [VideoJobState.QUEUED] * 2
    assert bench.row(first).attempts_used == 0
    assert all(entry.visible_at <= bench.clock.now() for entry in bench.queue.entries)
    assert bench.outcomes() == ["HANDED_BACK"]


def test_an_idle_worker_leaves_only_when_it_may() -> None:
    bench = Bench(lifecycle=Instance(refusals=2))
    started = bench.clock.now()
    bench.consumer.run()
    assert len(bench.lifecycle.terminations) == 3
    assert bench.clock.now() - started == 3 * 60
    assert bench.beats > 3


def test_a_failing_receive_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    job_id = bench.add_job()
    monkeypatch.setattr("worker_images.base.consumer.RECEIVE_RETRY_S", 0)
    receive, failures = bench.queue.receive, iter([OSError("no route")])

    def flaky(wait_s: int, limit: int) -> list[Message]:
        for failure in failures:
            raise failure
        return receive(wait_s, limit)

    bench.queue.receive = flaky  # type: ignore[method-assign]
    bench.consumer.run()
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED


def test_a_broken_connection_at_the_end_does_not_cost_the_work() -> None:
    bench = Bench()
    job_id = bench.add_job()
    finish, failures = bench.status.finish, iter([OSError("gone"), OSError("gone")])

    def flaky(*arguments: Any) -> bool:
        for failure in failures:
            raise failure
        return finish(*arguments)

    bench.status.finish = flaky  # type: ignore[method-assign]
    bench.step()
    assert bench.row(job_id).state == VideoJobState.SUCCEEDED
    assert bench.queue.bodies == []


def test_a_broken_connection_in_the_middle_does_not_cost_the_work() -> None:
    def reporting(job: VideoJob, context: Context) -> Result:
        for percent, step in ((1.0, "download"), (2.0, "probe"), (3.0, "encode")):
            context.report(percent, step, None)
            context.cancellation.check()
        return Result()

    bench = Bench(reporting)
    job_id = bench.add_job()
    progress, failures = bench.status.progress, iter([OSError("gone"), OSError("gone")])

    def flaky(*arguments: Any) -> bool:
        for failure in failures:
            raise failure
        return progress(*arguments)

    bench.status.progress = flaky  # type: ignore[method-assign]
    bench.step()
    assert (bench.row(job_id).state, bench.row(job_id).attempt) == (VideoJobState.SUCCEEDED, 1)
    assert bench.row(job_id).step == "encode"


def deletion() -> str:
    return encode(DeleteVideo(1, 7, "tenants/1/video/raw/s/a.mp4", "tenants/1/video/hls/7/", "t"))


def test_a_deletion_is_done_and_its_message_goes() -> None:
    bench = Bench()
    bench.queue.send(deletion())
    bench.consumer.run()
    assert [message.video_id for message in bench.deletions] == [7]
    assert bench.queue.bodies == []


@pytest.mark.parametrize(
    ("error", "delay_s"),
    [(Retryable("BUSY", "x"), 10), (HandedBack("D", "x"), 0), (Permanent("FOREIGN_KEYS", "x"), 0)],
)
def test_a_deletion_that_cannot_be_done_stays_in_the_queue(
    error: Exception, delay_s: float
) -> None:
    def task(message: DeleteVideo, cancellation: Cancellation) -> None:
        raise error

    bench = Bench(task=task)
    bench.queue.send(deletion())
    bench.step()
    assert bench.delay_s() == delay_s


def test_the_backoff_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [backoff_s(attempt, 0) for attempt in (1, 2, 3, 20)] == [10, 20, 40, 900]
    assert backoff_s(1, 0.999) > 5


def test_a_job_publishes_its_waits_and_its_outcome() -> None:
    def slow(job: VideoJob, context: Context) -> Result:
        bench.clock.advance(5)
        return Result()

    bench = Bench(slow)
    bench.add_job()
    bench.clock.advance(12)
    bench.step()
    (job,) = bench.metrics.jobs
    assert (job.queue_age_s, job.time_to_start_s, job.duration_s) == (12, 12, 5)

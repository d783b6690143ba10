"""Short jobs: ten at a time, several at once, settled in batches; and several queues as one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

import pytest

from config.contracts.messages import VideoJob
from tests.unit.worker_base.bench import Bench
from worker_images.base.crew import Crew
from worker_images.base.priority import PriorityQueues, Turns
from worker_images.base.queue import Message
from worker_images.base.settler import TRIES, Settler
from worker_images.base.testing import ManualClock, MemoryQueue
from worker_images.base.work import Context, Delivery, Disposition, Result


def test_many_jobs_run_at_once_and_each_is_done_once() -> None:
    together = threading.Barrier(5, timeout=10)
    runs: Counter[str] = Counter()

    def handler(job: VideoJob, context: Context) -> Result:
        runs[job.job_id] += 1
        together.wait()
        return Result()

    bench = Bench(handler, concurrency=5)
    bench.queue.visibility_timeout_s = 3600
    jobs = [bench.add_job() for _ in range(25)]
    bench.consumer.run()
    assert runs == dict.fromkeys(jobs, 1)
    assert {bench.row(job).state for job in jobs} == {"SUCCEEDED"}
    assert (bench.queue.bodies, bench.queue.dead) == ([], [])


def test_duplicates_in_any_order_are_done_once_by_two_workers() -> None:
    runs: Counter[str] = Counter()

    def handler(job: VideoJob, context: Context) -> Result:
        runs[job.job_id] += 1
        return Result()

    first = Bench(handler, concurrency=3)
    second = Bench(handler, concurrency=3, clock=first.clock)
    second.consumer.queue = second.consumer.settler.queue = first.queue
    second.heartbeat.queue = first.queue
    second.status.rows = first.status.rows
    first.queue.visibility_timeout_s = 3600
    jobs = [first.add_job() for _ in range(12)]
    for job_id in [*reversed(jobs), *jobs]:
        first.send(job_id)
    workers = [threading.Thread(target=bench.consumer.run) for bench in (first, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert not worker.is_alive()
    assert runs == dict.fromkeys(jobs, 1)
    assert {first.row(job).state for job in jobs} == {"SUCCEEDED"}
    assert first.queue.dead == []


def settled(queue: MemoryQueue, dispositions: Sequence[Disposition]) -> list[Delivery]:
    deliveries = [Delivery(message, 0.0) for message in queue.receive(0, 10)]
    done: list[Delivery] = []
    settler = Settler(queue, lambda: False, done.append)
    settler.settle(list(zip(deliveries, dispositions, strict=True)))
    return done


def test_a_batch_deletes_what_is_done_and_hides_the_rest_by_its_delay() -> None:
    queue = MemoryQueue(ManualClock())
    for number in range(5):
        queue.send(str(number))
    done = settled(
        queue,
        [
            Disposition("SUCCEEDED", delete=True),
            Disposition("RETRY_WAIT", visible_in_s=10),
            Disposition("HANDED_BACK", visible_in_s=0),
            Disposition("LOST"),
            Disposition("DUPLICATE", delete=True),
        ],
    )
    now = queue.clock.now()
    assert {entry.body: entry.visible_at - now for entry in queue.entries} == {
        "1": 10,
        "2": 0,
        "3": queue.visibility_timeout_s,
    }
    assert len(done) == 5


def test_what_a_batch_refused_is_tried_again_alone() -> None:
    queue = MemoryQueue(ManualClock())
    for number in range(4):
        queue.send(str(number))
    queue.refuse = {queue.entries[2].message_id + "#1"}
    calls: list[int] = []
    delete = queue.delete
    queue.delete = lambda messages: (calls.append(len(messages)), delete(messages))[1]  # type: ignore[method-assign]
    settled(queue, [Disposition("SUCCEEDED", delete=True)] * 4)
    assert (calls, queue.bodies) == ([4, 1], [])


def test_a_queue_that_is_away_is_tried_a_few_times_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = MemoryQueue(ManualClock())
    queue.send("x")
    calls: list[int] = []

    def away(messages: Sequence[Message]) -> list[Message]:
        calls.append(1)
        raise OSError("no route")

    queue.delete = away  # type: ignore[method-assign]
    assert len(settled(queue, [Disposition("SUCCEEDED", delete=True)])) == 1
    assert len(calls) == TRIES
    assert "not settled: delete" in caplog.text


@pytest.mark.parametrize(
    ("size", "ahead", "rooms"), [(1, False, [1, 0]), (2, False, [2, 1]), (5, True, [10, 10])]
)
def test_a_crew_takes_what_it_has_threads_for_and_short_work_by_the_ten(
    size: int, ahead: bool, rooms: list[int]
) -> None:
    working, leave = threading.Event(), threading.Event()

    def work(delivery: Delivery) -> None:
        working.set()
        leave.wait(10)

    crew = Crew(size, ahead, work)
    crew.start()
    found = [crew.room]
    crew.put([Delivery(None, 0.0)])  # type: ignore[arg-type]
    assert working.wait(10)
    found.append(crew.room)
    crew.put(Delivery(None, 0.0) for _ in range(10))  # type: ignore[arg-type]
    assert crew.room == 0
    assert len(crew.withdraw()) >= 11 - size
    leave.set()
    assert crew.join(10)
    assert [*found, crew.room] == [*rooms, rooms[0]]


def test_urgent_queues_come_first_and_none_starves() -> None:
    turns = Turns(3)
    firsts = Counter(turns.next()[0] for _ in range(70))
    assert firsts == {0: 40, 1: 20, 2: 10}
    assert all(sorted(turns.next()) == [0, 1, 2] for _ in range(7))


def tiers() -> tuple[PriorityQueues, list[MemoryQueue]]:
    clock = ManualClock()
    queues = [MemoryQueue(clock, key=key) for key in ("premium", "basic", "lite")]
    return PriorityQueues([(queue.key, queue) for queue in queues]), queues


def test_under_load_each_tier_gets_its_share() -> None:
    together, queues = tiers()
    for queue in queues:
        for number in range(70):
            queue.send(str(number))
    taken = [message for _ in range(70) for message in together.receive(0)]
    assert Counter(message.queue for message in taken) == {"premium": 40, "basic": 20, "lite": 10}
    assert together.delete(taken) == []
    assert [len(queue.entries) for queue in queues] == [30, 50, 60]


def test_the_wait_is_for_all_queues_at_once() -> None:
    together, queues = tiers()
    waiting = threading.Barrier(4, timeout=10)

    def polled(queue: MemoryQueue) -> None:
        receive = queue.receive

        def wait(wait_s: int, limit: int = 1) -> list[Message]:
            if wait_s:
                waiting.wait()
                waiting.wait()
            return receive(0, limit)

        queue.receive = wait  # type: ignore[method-assign]

    for queue in queues:
        polled(queue)
    found: list[Message] = []
    receiver = threading.Thread(target=lambda: found.extend(together.receive(20)))
    receiver.start()
    waiting.wait()
    queues[2].send("lite work")
    waiting.wait()
    receiver.join(10)
    assert [(message.queue, message.body) for message in found] == [("lite", "lite work")]


def test_what_a_slower_queue_brings_is_visible_again_at_once() -> None:
    together, queues = tiers()
    late = threading.Event()
    quick, slow = queues[0].receive, queues[2].receive
    queues[0].receive = lambda wait_s, limit=1: quick(0, limit) if wait_s else []  # type: ignore[method-assign]

    def slowly(wait_s: int, limit: int = 1) -> list[Message]:
        if wait_s == 0:
            return []
        late.wait(10)
        return slow(0, limit)

    queues[2].receive = slowly  # type: ignore[method-assign]
    queues[0].send("urgent")
    queues[2].send("not now")
    assert [message.body for message in together.receive(20)] == ["urgent"]
    over = threading.Event()
    ending = threading.Thread(target=lambda: (together.end_receives(), over.set()))
    ending.start()
    assert not over.wait(0.05), "a poll is under way"
    late.set()
    assert over.wait(10)
    (entry,) = queues[2].entries
    assert (entry.receive_count, entry.visible_at <= queues[2].clock.now()) == (1, True)

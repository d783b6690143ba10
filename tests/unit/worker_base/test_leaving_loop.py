"""The loop between its first protection and its end: when it polls, and in what order it leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from config.contracts.fleet_facts import WorkerState
from config.contracts.messages import VideoJob
from tests.unit.worker_base.bench import Bench, Instance
from worker_images.base.departure import PAUSES_S, Departure
from worker_images.base.leaving import Answer, Event, Leave, Phase
from worker_images.base.work import Context, Result

PATIENCE_S = PAUSES_S
NOTICES = (Event.REBALANCE, Event.INTERRUPTION, Event.TAKEN, Event.TOLD)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_images.base.departure.PAUSES_S", (0.001,))


def phases(bench: Bench) -> list[Phase]:
    return [leave.phase for leave in bench.lifecycle.calls]


def received(bench: Bench) -> list[int]:
    return [entry.receive_count for entry in bench.queue.entries]


@pytest.mark.parametrize("answer", [Answer.UNKNOWN, Answer.REFUSED])
def test_a_worker_that_is_not_known_to_be_protected_takes_nothing(answer: Answer) -> None:
    bench = Bench()
    answers: Iterator[Answer | None] = iter([answer] * 5)

    def before(leave: Leave) -> Answer | None:
        if leave.phase is Phase.PROTECTING:
            assert received(bench) == [0]
            return next(answers, None)
        return None

    bench.lifecycle.before = before
    job_id = bench.add_job()
    bench.consumer.run()
    assert bench.row(job_id).state == "SUCCEEDED"
    assert phases(bench).count(Phase.PROTECTING) == 6


def test_a_worker_whose_instance_is_gone_already_takes_nothing_and_ends() -> None:
    bench = Bench(lifecycle=Instance(before=lambda leave: Answer.LEFT))
    bench.add_job()
    bench.consumer.run()
    assert (received(bench), len(bench.lifecycle.calls)) == ([0], 1)


def test_a_job_that_comes_while_the_worker_leaves_is_not_taken_before_it_is_protected() -> None:
    bench = Bench(lifecycle=Instance(refusals=1))
    jobs: list[str] = []

    def before(leave: Leave) -> None:
        if leave.phase is Phase.TERMINATING and not jobs:
            jobs.append(bench.add_job())
        if jobs and bench.row(jobs[0]).state == "QUEUED":
            assert received(bench) == [0]

    bench.lifecycle.before = before
    bench.consumer.run()
    assert bench.row(jobs[0]).state == "SUCCEEDED"
    leaving = [Phase.UNPROTECTING, Phase.TERMINATING]
    assert phases(bench) == [Phase.PROTECTING, *leaving, Phase.PROTECTING, *leaving]


def test_a_termination_without_an_answer_is_tried_again_and_nothing_is_polled() -> None:
    bench = Bench()
    answers = iter([Answer.UNKNOWN, Answer.UNKNOWN, Answer.LEFT])

    def before(leave: Leave) -> Answer | None:
        if leave.phase is not Phase.TERMINATING:
            return None
        bench.add_job()
        return next(answers)

    bench.lifecycle.before = before
    bench.consumer.run()
    assert received(bench) == [0, 0, 0]


def test_an_outdated_worker_that_is_idle_goes_at_once_and_keeps_its_place_for_another() -> None:
    bench = Bench(lifecycle=Instance(stale=0))
    began = bench.clock.now()
    bench.add_job()
    bench.consumer.run()
    assert bench.clock.now() == began
    assert received(bench) == [0]
    assert bench.lifecycle.terminations == [Leave(Phase.TERMINATING, Event.OUTDATED, False)]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_outdated_worker_ends_what_it_has_and_takes_no_more(concurrency: int) -> None:
    deployed = threading.Event()

    def handler(job: VideoJob, context: Context) -> Result:
        deployed.wait(10)
        return Result()

    bench = Bench(handler, concurrency=concurrency)
    jobs = [bench.add_job() for _ in range(30)]

    def before(leave: Leave) -> None:
        if leave.phase is Phase.PROTECTING:
            bench.lifecycle.stale = 1
            threading.Timer(0.05, deployed.set).start()
        else:
            assert bench.consumer.crew.load == 0

    bench.lifecycle.before = before
    bench.consumer.run()
    states = [bench.row(job).state for job in jobs]
    taken = [entry for entry in bench.queue.entries if entry.receive_count]
    assert (set(states), taken) == ({"SUCCEEDED", "QUEUED"}, [])
    assert bench.lifecycle.terminations == [Leave(Phase.TERMINATING, Event.OUTDATED, False)]


def test_a_recommendation_lets_the_job_end_and_no_other_begin() -> None:
    bench = Bench()
    first, second = bench.add_job(), bench.add_job()

    def noticed(job: VideoJob, context: Context) -> Result:
        bench.lifecycle.noticed(Event.REBALANCE, "EC2 recommends to leave")
        sign = bench.consumer.sign()
        assert (sign.state, sign.lost) == (WorkerState.DRAINING, True)
        context.cancellation.check()
        return Result()

    bench.handler = noticed
    assert bench.consumer.run()
    assert [bench.row(job).state for job in (first, second)] == ["SUCCEEDED", "QUEUED"]
    assert bench.lifecycle.terminations == [Leave(Phase.TERMINATING, Event.REBALANCE)]


@pytest.mark.parametrize(
    ("events", "terminations"),
    [
        ((Event.INTERRUPTION,), 1),
        ((Event.REBALANCE, Event.INTERRUPTION), 1),
        ((Event.TAKEN,), 0),
        ((Event.INTERRUPTION, Event.TAKEN), 0),
        ((Event.TOLD,), 0),
    ],
)
def test_a_notice_in_the_middle_hands_the_job_back_and_the_instance_goes_last(
    events: tuple[Event, ...], terminations: int
) -> None:
    bench = Bench()
    first, second = bench.add_job(), bench.add_job()

    def noticed(job: VideoJob, context: Context) -> Result:
        for event in events:
            bench.lifecycle.noticed(event, "the instance goes")
        context.cancellation.check()
        raise AssertionError("the handler was not told to stop")

    def before(leave: Leave) -> None:
        if leave.phase is Phase.TERMINATING:
            assert bench.row(first).state == "QUEUED"
            assert leave.decrement

    bench.handler, bench.lifecycle.before = noticed, before
    assert bench.consumer.run()
    assert len(bench.lifecycle.terminations) == terminations
    assert [bench.row(job).state for job in (first, second)] == ["QUEUED", "QUEUED"]
    assert bench.row(first).attempts_used == 0
    assert all(entry.visible_at <= bench.clock.now() for entry in bench.queue.entries)


def test_where_the_group_keeps_its_place_an_interrupted_instance_goes_without() -> None:
    bench = Bench(lifecycle=Instance(refusals=1))
    bench.add_job()

    def noticed(job: VideoJob, context: Context) -> Result:
        bench.lifecycle.noticed(Event.INTERRUPTION, "EC2 takes this Spot instance back")
        context.cancellation.check()
        return Result()

    bench.handler = noticed
    bench.consumer.run()
    assert [leave.decrement for leave in bench.lifecycle.terminations] == [True, False]


@pytest.mark.parametrize("event", NOTICES)
def test_a_message_that_a_receive_brings_after_the_notice_goes_back(event: Event) -> None:
    bench = Bench()
    job_id = bench.add_job()
    receive = bench.queue.receive

    def late(wait_s: int, limit: int = 1) -> object:
        found = receive(wait_s, limit)
        bench.lifecycle.noticed(event, "the instance goes")
        return found

    bench.queue.receive = late  # type: ignore[method-assign,assignment]
    bench.consumer.run()
    (entry,) = bench.queue.entries
    assert entry.visible_at <= bench.clock.now()
    assert (bench.row(job_id).state, bench.row(job_id).attempts_used) == ("QUEUED", 0)


def test_the_protection_is_kept_while_a_receive_is_under_way() -> None:
    bench = Bench()
    order: list[str] = []
    bench.queue.end_receives = lambda: order.append("receives over")  # type: ignore[method-assign]
    bench.lifecycle.before = lambda leave: order.append(leave.phase)
    bench.consumer.run()
    assert order == ["protecting", "receives over", "unprotecting", "terminating"]


def test_a_worker_says_what_it_does() -> None:
    bench = Bench()
    said: list[tuple[str, int, bool]] = []

    def say() -> None:
        sign = bench.consumer.sign()
        said.append((sign.state, sign.jobs, sign.lost))

    def handler(job: VideoJob, context: Context) -> Result:
        say()
        bench.lifecycle.noticed(Event.INTERRUPTION, "EC2 takes this Spot instance back")
        say()
        return Result()

    bench.handler, bench.lifecycle.before = handler, lambda leave: say()
    bench.add_job()
    bench.consumer.run()
    assert said == [
        ("idle", 0, False),
        ("busy", 1, False),
        ("draining", 1, True),
        ("leaving", 0, True),
    ]


def test_a_worker_tells_of_its_first_look_once_it_is_protected_and_before_it_takes_anything() -> (
    None
):
    bench = Bench()
    seen: list[object] = []
    bench.lifecycle.before = lambda leave: seen.append(leave.phase)
    bench.consumer.polled = lambda: seen.append(received(bench))
    bench.add_job()
    bench.consumer.run()
    assert seen[:2] == [Phase.PROTECTING, [0]]


def test_a_worker_that_is_outdated_when_it_starts_never_looks_into_its_queue() -> None:
    bench = Bench(lifecycle=Instance(stale=0))
    looks: list[None] = []
    bench.consumer.polled = lambda: looks.append(None)
    bench.add_job()
    bench.consumer.run()
    assert (looks, received(bench)) == ([], [0])
    assert [leave.decrement for leave in bench.lifecycle.terminations] == [False]


def test_a_call_is_made_again_after_ever_longer_pauses_until_it_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker_images.base.departure.PAUSES_S", PATIENCE_S)
    answers = iter([Answer.UNKNOWN] * 4 + [Answer.DONE, Answer.UNKNOWN, Answer.DONE])
    departure = Departure(Instance(before=lambda leave: next(answers)))
    pauses: list[float] = []
    departure.pause = pauses.append  # type: ignore[method-assign]
    for _ in range(5):
        departure.call()
    assert departure.polling
    for event in (Event.IDLE, Event.EMPTY):
        departure.tell(event)
    departure.call()
    assert departure.leave.phase is Phase.PROTECTING, "the protection may be given up or not"
    departure.call()
    assert departure.polling
    assert pauses == [1, 2, 5, 5, 1]


def test_a_word_to_stop_ends_the_pause_before_the_next_call() -> None:
    departure = Departure(Instance())
    threading.Timer(0.01, departure.tell, (Event.TOLD,)).start()
    departure.pause(60)
    assert departure.leave.phase is Phase.ENDED

"""The queue's state machine, on its own."""

from __future__ import annotations

import contextlib

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from local.services.sqs.message import Message, State
from local.services.sqs.queue import (
    VISIBILITY_CEILING_S,
    BeyondCeilingError,
    MessageQueue,
    NotInFlightError,
    UnknownReceiptError,
)

START = 1_000.0


def queue_with(*bodies: str, retention_s: float = 1e6, sent_at: float = START) -> MessageQueue:
    queue = MessageQueue(retention_s)
    for body in bodies:
        queue.send(Message(body, {}, sent_at), sent_at)
    return queue


def bodies(taken: list[tuple[Message, str]]) -> list[str]:
    return [message.body for message, _ in taken]


def test_a_received_message_is_hidden_until_its_timeout_has_passed() -> None:
    queue = queue_with("a")
    assert bodies(queue.receive(START, visibility_s=30)) == ["a"]
    assert queue.receive(START + 29.9, visibility_s=30) == []
    assert bodies(queue.receive(START + 30, visibility_s=30)) == ["a"]


def test_a_delayed_message_shows_when_its_delay_is_over() -> None:
    queue = MessageQueue(1e6)
    queue.send(Message("a", {}, START), START, delay_s=10)
    assert queue.count(State.DELAYED) == 1
    assert queue.receive(START + 9, visibility_s=30) == []
    assert bodies(queue.receive(START + 10, visibility_s=30)) == ["a"]


def test_extending_the_visibility_keeps_the_message_hidden_past_the_first_timeout() -> None:
    queue = queue_with("a")
    [(_, receipt)] = queue.receive(START, visibility_s=30)
    queue.change_visibility(receipt, 60, START + 20)
    assert queue.receive(START + 31, visibility_s=30) == []
    assert bodies(queue.receive(START + 80, visibility_s=30)) == ["a"]


def test_shortening_the_visibility_shows_the_message_once_only() -> None:
    queue = queue_with("a")
    [(_, receipt)] = queue.receive(START, visibility_s=30)
    queue.change_visibility(receipt, 0, START + 1)
    assert bodies(queue.receive(START + 1, visibility_s=100, limit=10)) == ["a"]
    assert queue.receive(START + 31, visibility_s=100, limit=10) == []


def test_visibility_ends_twelve_hours_after_the_receive_however_often_extended() -> None:
    queue = queue_with("a")
    [(_, receipt)] = queue.receive(START, visibility_s=VISIBILITY_CEILING_S)
    queue.change_visibility(receipt, 3600, START + VISIBILITY_CEILING_S - 3600)
    with pytest.raises(BeyondCeilingError):
        queue.change_visibility(receipt, 3601, START + VISIBILITY_CEILING_S - 3600)


def test_the_receipt_of_an_earlier_receive_neither_deletes_nor_extends() -> None:
    queue = queue_with("a")
    [(_, first)] = queue.receive(START, visibility_s=5)
    [(_, second)] = queue.receive(START + 5, visibility_s=5)
    queue.delete(first, START + 6)
    with pytest.raises(NotInFlightError):
        queue.change_visibility(first, 9, START + 6)
    assert queue.count(State.IN_FLIGHT) == 1
    queue.delete(second, START + 6)
    assert queue.count(State.IN_FLIGHT) == 0


def test_a_message_visible_again_can_still_be_deleted_with_its_last_receipt() -> None:
    queue = queue_with("a")
    [(_, receipt)] = queue.receive(START, visibility_s=5)
    queue.delete(receipt, START + 6)
    assert queue.receive(START + 7, visibility_s=5) == []
    queue.delete(receipt, START + 8)
    assert queue.deleted == 1


@pytest.mark.parametrize("receipt", ["", "x", "bm90IGEgdXVpZCAx", "é"])
def test_a_receipt_that_no_queue_gave_is_refused(receipt: str) -> None:
    with pytest.raises(UnknownReceiptError):
        queue_with("a").delete(receipt, START)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_after_exactly_n_receives_the_message_goes_to_the_dead_letters(limit: int) -> None:
    queue, dead = queue_with("a"), list[Message]()
    now, receives = START, 0
    while not dead:
        taken = queue.receive(now, visibility_s=1, max_receives=limit, bury=dead.append)
        receives += len(taken)
        now += 1
        assert receives <= limit
    assert receives == limit
    assert [message.body for message in dead] == ["a"]
    assert queue.receive(now + 99, visibility_s=1) == []


def test_messages_past_their_retention_expire_in_flight_or_not() -> None:
    queue = queue_with("waiting", "running", retention_s=60)
    queue.receive(START, visibility_s=600)
    queue.advance(START + 60)
    assert (queue.expired, queue.count(State.READY), queue.count(State.IN_FLIGHT)) == (2, 0, 0)


def test_a_dead_letter_keeps_its_first_send_time_and_so_expires_first() -> None:
    queue = queue_with("new", retention_s=100, sent_at=START + 50)
    queue.send(Message("old", {}, START), START + 60)
    assert queue.oldest_age_s(START + 70) == 70
    queue.advance(START + 100)
    assert bodies(queue.receive(START + 100, visibility_s=1, limit=10)) == ["new"]


def test_a_heartbeat_for_hours_does_not_grow_the_timetable() -> None:
    queue = queue_with("a")
    [(_, receipt)] = queue.receive(START, visibility_s=30)
    for step in range(4_000):
        queue.change_visibility(receipt, 30, START + 10 * step)
    assert len(queue._hidden) < 100


class QueueLife(RuleBasedStateMachine):
    """No message is ever lost or doubled, whatever is done and however time passes."""

    receipts = Bundle("receipts")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.queue = MessageQueue(retention_s=500)
        self.dead: list[Message] = []

    @rule(delay_s=st.integers(0, 60))
    def send(self, delay_s: int) -> None:
        self.queue.send(Message("m", {}, self.now), self.now, delay_s)

    @rule(target=receipts, limit=st.integers(1, 10), visibility_s=st.integers(0, 60))
    def receive(self, limit: int, visibility_s: int) -> str:
        taken = self.queue.receive(
            self.now,
            visibility_s=visibility_s,
            limit=limit,
            max_receives=3,
            bury=self.dead.append,
        )
        assert len({message.id for message, _ in taken}) == len(taken) <= limit
        assert all(message.receives <= 3 for message, _ in taken)
        return taken[0][1] if taken else ""

    @rule(receipt=consumes(receipts))
    def delete(self, receipt: str) -> None:
        if receipt:
            self.queue.delete(receipt, self.now)

    @rule(receipt=receipts, visibility_s=st.integers(0, 60))
    def change_visibility(self, receipt: str, visibility_s: int) -> None:
        if receipt:
            with contextlib.suppress(NotInFlightError):
                self.queue.change_visibility(receipt, visibility_s, self.now)

    @rule(seconds=st.integers(0, 200))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def purge(self) -> None:
        self.queue.purge()

    @invariant()
    def every_message_is_accounted_for(self) -> None:
        self.queue.advance(self.now)
        live = [self.queue.count(s) for s in (State.READY, State.IN_FLIGHT, State.DELAYED)]
        gone = [self.queue.deleted, self.queue.expired, len(self.dead)]
        assert self.queue.sent == sum(live) + sum(gone)
        assert min(live) >= 0
        assert sum(live) == len(self.queue._live)
        ready = [m for m in self.queue._ready if m.state is State.READY]
        assert len(ready) == len({m.id for m in ready}) == live[0]


TestQueueLife = QueueLife.TestCase
TestQueueLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
@settings(deadline=None)
def test_whatever_the_delays_all_messages_come_out_once(delays: list[int]) -> None:
    queue = MessageQueue(1e6)
    for number, delay_s in enumerate(delays):
        queue.send(Message(str(number), {}, START), START, delay_s)
    out = []
    while taken := queue.receive(START + 50, visibility_s=1e5, limit=7):
        out += bodies(taken)
    assert sorted(out, key=int) == [str(number) for number in range(len(delays))]

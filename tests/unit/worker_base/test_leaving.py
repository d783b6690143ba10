"""The leave protocol, step by step; tests/fleet explores it against a group and a queue."""

from __future__ import annotations

from itertools import product

import pytest

from worker_images.base.leaving import START, Answer, Event, Leave, Phase, answered, told

POLLING = Leave(Phase.POLLING)
#: The calls and waits of a worker, and what they came to: an event, or the answer of the phase.
Step = Event | Answer


def after(*steps: Step, leave: Leave = START) -> Leave:
    for step in steps:
        leave = told(leave, step) if isinstance(step, Event) else answered(leave, leave.phase, step)
    return leave


def test_a_worker_polls_only_when_it_was_protected() -> None:
    assert START.phase is Phase.PROTECTING
    assert after(Answer.UNKNOWN, Answer.REFUSED) == START
    assert after(Answer.UNKNOWN, Answer.DONE) == POLLING


@pytest.mark.parametrize(("event", "decrement"), [(Event.IDLE, True), (Event.OUTDATED, False)])
def test_it_stops_polling_then_gives_up_its_protection_then_ends(
    event: Event, decrement: bool
) -> None:
    leave = after(Answer.DONE, event)
    assert leave == Leave(Phase.FINISHING, event, decrement)
    leave = after(Event.EMPTY, leave=leave)
    assert leave == Leave(Phase.UNPROTECTING, event, decrement)
    leave = after(Answer.DONE, leave=leave)
    assert leave == Leave(Phase.TERMINATING, event, decrement)
    assert after(Answer.DONE, leave=leave).phase is Phase.ENDED


@pytest.mark.parametrize("event", [Event.IDLE, Event.OUTDATED])
def test_a_refused_worker_is_protected_again_before_it_polls(event: Event) -> None:
    refused = after(Answer.DONE, event, Event.EMPTY, Answer.DONE, Answer.REFUSED)
    assert refused == START
    assert after(Answer.DONE, leave=refused) == POLLING
    assert after(Answer.LEFT, leave=refused).phase is Phase.ENDED


def test_an_idle_worker_that_the_group_can_spare_goes_without_a_place_to_take_with_it() -> None:
    terminating = after(Answer.DONE, Event.IDLE, Event.EMPTY, Answer.DONE)
    spare = after(Answer.SPARE, leave=terminating)
    assert spare == Leave(Phase.TERMINATING, Event.IDLE, decrement=False)
    assert after(Answer.REFUSED, leave=spare) == START


def test_a_call_without_an_answer_is_made_again_and_nothing_is_polled() -> None:
    unprotecting = after(Answer.DONE, Event.IDLE, Event.EMPTY)
    assert after(Answer.UNKNOWN, leave=unprotecting) == START
    terminating = after(Answer.DONE, leave=unprotecting)
    assert after(Answer.UNKNOWN, Answer.UNKNOWN, leave=terminating) == terminating
    assert after(Answer.UNKNOWN, Answer.LEFT, leave=terminating).phase is Phase.ENDED


def test_running_work_ends_before_a_recommended_leave() -> None:
    leave = after(Answer.DONE, Event.REBALANCE)
    assert leave.phase is Phase.FINISHING
    assert after(Event.EMPTY, leave=leave) == Leave(Phase.TERMINATING, Event.REBALANCE)


@pytest.mark.parametrize("before", [(), (Event.IDLE,), (Event.OUTDATED,), (Event.REBALANCE,)])
@pytest.mark.parametrize("event", [Event.INTERRUPTION, Event.TAKEN, Event.TOLD])
def test_a_notice_hands_back_what_is_in_hand(before: tuple[Event, ...], event: Event) -> None:
    leave = after(Answer.DONE, *before, event)
    assert leave == Leave(Phase.HANDING_BACK, event)
    left = after(Event.EMPTY, leave=leave)
    assert left.phase is (Phase.TERMINATING if event is Event.INTERRUPTION else Phase.ENDED)


@pytest.mark.parametrize("event", [Event.INTERRUPTION, Event.REBALANCE])
def test_where_the_group_keeps_its_place_the_instance_goes_without(event: Event) -> None:
    leave = after(Answer.DONE, event, Event.EMPTY)
    assert leave.decrement
    without = after(Answer.REFUSED, leave=leave)
    assert without == Leave(Phase.TERMINATING, event, decrement=False)
    assert after(Answer.DONE, leave=without).phase is Phase.ENDED
    refused = after(Answer.REFUSED, leave=without)
    assert refused.phase is (Phase.ENDED if event is Event.INTERRUPTION else Phase.PROTECTING)


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        (Event.TOLD, Event.INTERRUPTION, Event.INTERRUPTION),
        (Event.INTERRUPTION, Event.TOLD, Event.INTERRUPTION),
        (Event.INTERRUPTION, Event.TAKEN, Event.TAKEN),
        (Event.TAKEN, Event.INTERRUPTION, Event.TAKEN),
        (Event.TAKEN, Event.REBALANCE, Event.TAKEN),
    ],
)
def test_of_two_notices_the_stronger_counts(first: Event, second: Event, cause: Event) -> None:
    assert after(Answer.DONE, first, second) == Leave(Phase.HANDING_BACK, cause)


def test_a_notice_during_a_call_outlives_its_answer() -> None:
    unprotecting = after(Answer.DONE, Event.IDLE, Event.EMPTY)
    interrupted = told(unprotecting, Event.INTERRUPTION)
    assert interrupted == Leave(Phase.TERMINATING, Event.INTERRUPTION)
    assert answered(interrupted, Phase.UNPROTECTING, Answer.UNKNOWN) == interrupted
    assert answered(interrupted, Phase.UNPROTECTING, Answer.LEFT).phase is Phase.ENDED
    protecting = told(START, Event.INTERRUPTION)
    assert answered(protecting, Phase.PROTECTING, Answer.DONE) == protecting


def test_a_recommendation_before_the_first_look_is_not_followed() -> None:
    assert after(Event.REBALANCE, Answer.DONE).phase is Phase.POLLING
    assert after(Event.INTERRUPTION).phase is Phase.TERMINATING


def test_only_an_answer_that_it_is_protected_makes_a_worker_poll() -> None:
    causes = (None, *Event)
    states = [Leave(*each) for each in product(set(Phase) - {Phase.POLLING}, causes, (True, False))]
    for leave in states:
        assert all(told(leave, event).phase is not Phase.POLLING for event in Event)
        for phase, answer in product(Phase, Answer):
            polls = answered(leave, phase, answer).phase is Phase.POLLING
            asked = leave.phase is phase is Phase.PROTECTING
            assert polls == (asked and answer is Answer.DONE)


def test_nothing_brings_an_ended_worker_back() -> None:
    ended = Leave(Phase.ENDED, Event.IDLE)
    assert {told(ended, event) for event in Event} == {ended}
    assert {answered(ended, *each) for each in product(Phase, Answer)} == {ended}

"""The leave protocol of workers, explored exhaustively, and the faults that this would find.

Nobody loses a job, nobody but EC2 ends a busy worker, and from every state there is a way to rest
by what happens of itself: all jobs done, no instance above the minimum, none of an old template.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fleet.leave_check import Explorer, Verdict
from tests.fleet.leave_model import Rules, Scenario
from tests.fleet.leave_steps import EVENTS
from worker_images.base.leaving import Answer, Event, Leave, Phase, answered, told

pytestmark = pytest.mark.timeout(300)
POLLING = Leave(Phase.POLLING)


def explored(
    workers: int,
    *events: str,
    jobs: int = 1,
    slots: int = 1,
    minimum: int = 0,
    rules: Rules | None = None,
) -> Verdict:
    """Return what is found; the group may have as many instances as there are workers."""
    may = frozenset(("send", *events))
    scenario = Scenario(workers, jobs, slots, minimum, workers, may, rules or Rules())
    return Explorer(scenario).verdict()


@pytest.mark.parametrize("minimum", [0, 1])
def test_one_worker_leaves_well_whatever_happens(minimum: int) -> None:
    found = explored(1, *EVENTS, jobs=2, slots=2, minimum=minimum)
    assert (found.fault, found.trace) == ("", ())
    assert found.states > 20_000
    assert found.happened > EVENTS - {"lower max", "scale in"}, "these take two"


@pytest.mark.parametrize(
    ("jobs", "minimum", "events"),
    [
        (2, 0, ("lost call", "scale in", "lower max")),
        (2, 1, ("lost call", "deploy", "refresh")),
        (1, 0, ("refused call", "scale in", "deploy", "refresh", "lower max")),
        (1, 1, ("lost call", "rebalance")),
        (1, 0, ("lost call", "lost receive", "interruption")),
        (1, 0, ("lost call", "taken by hand", "told to stop")),
    ],
)
def test_two_workers_leave_well_beside_each_other(
    jobs: int, minimum: int, events: tuple[str, ...]
) -> None:
    found = explored(2, *events, jobs=jobs, minimum=minimum)
    assert (found.fault, found.trace) == ("", ())
    assert found.states > 10_000
    assert found.happened > {*events}


def polls_before_it_is_protected() -> Rules:
    return Rules(start=POLLING)


def polls_while_it_ends() -> Rules:
    return Rules(polls_in=frozenset(Phase) - {Phase.PROTECTING, Phase.ENDED})


def unprotects_while_a_receive_is_under_way() -> Rules:
    return Rules(empty=lambda worker: not worker.hand)


def leaves_with_a_job_in_hand() -> Rules:
    return Rules(empty=lambda worker: not worker.receive)


def follows_a_recommendation_at_once() -> Rules:
    def mutant(leave: Leave, event: Event) -> Leave:
        if event is Event.REBALANCE and leave.phase is Phase.POLLING:
            return Leave(Phase.TERMINATING, event)
        return told(leave, event)

    return Rules(told=mutant)


def polls_after(phase: Phase, *answers: Answer) -> Rules:
    """Take some answers of a call for the word that the worker is protected."""

    def mutant(leave: Leave, called: Phase, answer: Answer) -> Leave:
        if leave.phase is called is phase and answer in answers:
            return POLLING
        return answered(leave, called, answer)

    return Rules(answered=mutant)


def decides(event: Event, *, decrement: bool) -> Rules:
    """Leave with the place, or without it, where it should be the other way."""

    def mutant(leave: Leave, happened: Event) -> Leave:
        after = told(leave, happened)
        return replace(after, decrement=decrement) if after.cause is event else after

    return Rules(told=mutant)


def is_deaf_to(*events: Event) -> Rules:
    return Rules(told=lambda leave, event: leave if event in events else told(leave, event))


def hears(heard: Answer, answer: Answer, phase: Phase) -> Rules:
    """Take one answer of a call for another."""
    return Rules(
        answered=lambda leave, called, came: answered(
            leave, called, heard if (called, came) == (phase, answer) else came
        )
    )


def is_deaf_to_its_end() -> Rules:
    """Neither a notice nor an answer says that the instance is gone."""
    return Rules(
        told=is_deaf_to(Event.TAKEN).told,
        answered=lambda leave, called, answer: answered(
            leave, called, Answer.REFUSED if answer is Answer.LEFT else answer
        ),
    )


def asks_for_ever_when_it_is_refused() -> Rules:
    return hears(Answer.UNKNOWN, Answer.REFUSED, Phase.TERMINATING)


def takes_a_late_answer_for_that_of_its_present_call() -> Rules:
    return Rules(answered=lambda leave, called, answer: answered(leave, leave.phase, answer))


UNPROTECTED = "a worker that polls or works is not protected"
ENDED_ITSELF = "a busy worker ended itself"
RESTLESS = "never comes to rest"


@pytest.mark.parametrize(
    ("rules", "minimum", "events", "fault"),
    [
        (polls_before_it_is_protected(), 0, "", UNPROTECTED),
        (polls_after(Phase.PROTECTING, Answer.UNKNOWN), 0, "lost call", UNPROTECTED),
        (polls_after(Phase.PROTECTING, Answer.REFUSED), 0, "refused call", UNPROTECTED),
        (polls_after(Phase.UNPROTECTING, Answer.UNKNOWN), 0, "lost call", UNPROTECTED),
        (polls_after(Phase.TERMINATING, Answer.UNKNOWN), 0, "lost call", UNPROTECTED),
        (polls_after(Phase.TERMINATING, Answer.REFUSED), 1, "", UNPROTECTED),
        (polls_while_it_ends(), 0, "", UNPROTECTED),
        (unprotects_while_a_receive_is_under_way(), 0, "", UNPROTECTED),
        (leaves_with_a_job_in_hand(), 0, "rebalance", ENDED_ITSELF),
        (follows_a_recommendation_at_once(), 0, "rebalance", ENDED_ITSELF),
        (decides(Event.OUTDATED, decrement=True), 0, "deploy", "a deploy took a place away"),
        (is_deaf_to(Event.OUTDATED), 1, "deploy", RESTLESS),
        (decides(Event.IDLE, decrement=False), 0, "", RESTLESS),
        (is_deaf_to(Event.IDLE), 0, "", RESTLESS),
        (asks_for_ever_when_it_is_refused(), 1, "", RESTLESS),
        (is_deaf_to_its_end(), 0, "taken by hand", RESTLESS),
        (takes_a_late_answer_for_that_of_its_present_call(), 0, "rebalance", RESTLESS),
    ],
)
def test_a_fault_in_the_protocol_is_found_with_the_way_to_it(
    rules: Rules, minimum: int, events: str, fault: str
) -> None:
    found = explored(1, events, minimum=minimum, rules=rules)
    assert found.fault == fault
    assert found.trace


def test_a_worker_hears_of_its_end_from_a_notice_or_from_an_answer() -> None:
    for rules in (
        is_deaf_to(Event.TAKEN),
        hears(Answer.REFUSED, Answer.LEFT, Phase.PROTECTING),
    ):
        assert explored(1, "lost call", "taken by hand", rules=rules).fault == ""


def test_one_instance_too_many_goes_without_the_groups_help() -> None:
    deaf = hears(Answer.REFUSED, Answer.SPARE, Phase.TERMINATING)
    found = explored(2, "lower max", minimum=1, rules=deaf)
    assert (found.fault, "lower max" in found.trace) == (RESTLESS, True)
    assert explored(2, "lower max", minimum=1).fault == ""

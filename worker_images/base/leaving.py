"""How a worker leaves its group: the protocol, without any I/O.

    leave = START
    while leave.phase is not Phase.ENDED:
        ...  # do what the phase says
        leave = told(leave, Event.IDLE)                        # what happened
        leave = answered(leave, Phase.TERMINATING, Answer.DONE)  # what a call came to

A worker polls only while it is known to be protected, and nobody but itself and EC2 ends a
protected instance. So it stops polling first, waits for the receives under way, gives its
protection up, and ends its instance last. A call without an answer may have had its effect: until
one says how things stand, the worker polls nothing and asks again. tests/fleet explores every
interleaving of this with a group, a queue and calls that are lost.

It is taken for granted that a call whose answer was lost has had its effect, or never has it, by
the time the next one is answered: no token guards a termination against coming late.
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Phase(StrEnum):
    """What a worker does now.

    PROTECTING, UNPROTECTING and TERMINATING make a call each, again until it is answered. FINISHING
    and HANDING_BACK poll no more: what is in hand runs to its end, or is cancelled and handed back.
    """

    PROTECTING = "protecting"
    POLLING = "polling"
    FINISHING = "finishing"
    HANDING_BACK = "handing-back"
    UNPROTECTING = "unprotecting"
    TERMINATING = "terminating"
    ENDED = "ended"


class Event(StrEnum):
    """What happens to a worker.

    IDLE: nothing to do for long enough. OUTDATED: the group launches from a later template. EMPTY:
    nothing is in hand, and no receive is under way. REBALANCE and INTERRUPTION are EC2's notices to
    a Spot instance. TAKEN: the group ends the instance. TOLD: the process is to stop, and the
    instance is somebody else's business.
    """

    IDLE = "idle"
    OUTDATED = "outdated"
    EMPTY = "empty"
    REBALANCE = "rebalance"
    INTERRUPTION = "interruption"
    TAKEN = "taken"
    TOLD = "told"


class Answer(StrEnum):
    """What a call came to.

    REFUSED: for good, and nothing was changed. SPARE: refused for the place alone, and the group
    has more instances than it wants. LEFT: the instance is in service no more. UNKNOWN: no answer,
    or one that asks to try again.
    """

    DONE = "done"
    REFUSED = "refused"
    SPARE = "spare"
    LEFT = "left"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Leave:
    """Where a worker stands. `cause` is why it leaves; `decrement` whether its place goes too."""

    phase: Phase
    cause: Event | None = None
    decrement: bool = True


START = Leave(Phase.PROTECTING)
_POLLING = Leave(Phase.POLLING)
#: With these a worker may still have something in hand.
_IN_HAND = frozenset({Phase.POLLING, Phase.FINISHING, Phase.HANDING_BACK})

#: How much a cause to hand work back weighs: the group's own termination most.
_WEIGHTS = {Event.TOLD: 1, Event.INTERRUPTION: 2, Event.TAKEN: 3}


def told(leave: Leave, event: Event) -> Leave:
    """Return where a worker stands after an event; one that changes nothing is ignored.

    A recommendation to rebalance may never become an interruption, so running work ends first. Its
    place goes with an instance that EC2 takes: whoever sizes the fleet knows whether it is needed.
    """
    if leave.phase is Phase.ENDED:
        return leave
    match event:
        case Event.IDLE | Event.OUTDATED if leave.phase is Phase.POLLING:
            return Leave(Phase.FINISHING, event, decrement=event is Event.IDLE)
        case Event.EMPTY:
            return _emptied(leave)
        case Event.REBALANCE:
            return _recommended(leave)
        case Event.INTERRUPTION | Event.TAKEN | Event.TOLD:
            return _forced(leave, event)
    return leave


def answered(leave: Leave, phase: Phase, answer: Answer) -> Leave:
    """Return where a worker stands after the call of `phase` was answered.

    An answer that comes when an event has led elsewhere counts only if it says that the instance
    is gone.
    """
    if leave.phase is Phase.ENDED:
        return leave
    if answer is Answer.LEFT or (phase is Phase.TERMINATING and answer is Answer.DONE):
        return _ended(leave)
    if leave.phase is not phase:
        return leave
    if phase is Phase.PROTECTING:
        return _POLLING if answer is Answer.DONE else leave
    if phase is Phase.UNPROTECTING:
        return replace(leave, phase=Phase.TERMINATING) if answer is Answer.DONE else START
    return leave if answer is Answer.UNKNOWN else _kept(leave, spare=answer is Answer.SPARE)


def _emptied(leave: Leave) -> Leave:
    """EC2's notices leave no time for the protection, which holds nobody who ends himself."""
    if leave.phase not in (Phase.FINISHING, Phase.HANDING_BACK):
        return leave
    if leave.cause in (Event.TAKEN, Event.TOLD):
        return _ended(leave)
    if leave.cause in (Event.IDLE, Event.OUTDATED):
        return replace(leave, phase=Phase.UNPROTECTING)
    return replace(leave, phase=Phase.TERMINATING)


def _recommended(leave: Leave) -> Leave:
    """One that meets a worker before its first look is not followed: the next one may meet it too.

    A fleet whose instances all come from a pool at risk would otherwise never do anything.
    """
    if leave == START or leave.phase is Phase.HANDING_BACK or leave.cause is Event.INTERRUPTION:
        return leave
    phase = Phase.FINISHING if leave.phase in _IN_HAND else Phase.TERMINATING
    return Leave(phase, Event.REBALANCE)


def _forced(leave: Leave, event: Event) -> Leave:
    if leave.phase is Phase.HANDING_BACK:
        weightier = leave.cause is None or _WEIGHTS[event] > _WEIGHTS.get(leave.cause, 0)
        return replace(leave, cause=event) if weightier else leave
    if leave.phase in _IN_HAND:
        return Leave(Phase.HANDING_BACK, event)
    if event is Event.INTERRUPTION:
        return Leave(Phase.TERMINATING, event)
    return _ended(leave, event)


def _kept(leave: Leave, *, spare: bool) -> Leave:
    """A refusal: an idle worker goes on, unless the group can do without it as it is.

    Otherwise one instance too many would be refused for ever, at a desired capacity that is the
    minimum. Whom EC2 has given notice goes in any case.
    """
    noticed = leave.cause in (Event.REBALANCE, Event.INTERRUPTION)
    if leave.decrement and (noticed or spare):
        return replace(leave, decrement=False)
    return _ended(leave) if leave.cause is Event.INTERRUPTION else START


def _ended(leave: Leave, cause: Event | None = None) -> Leave:
    return replace(leave, phase=Phase.ENDED, cause=cause or leave.cause)

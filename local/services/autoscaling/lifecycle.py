"""An instance's way through its states, hooks included. Pure: every call takes the time."""

from __future__ import annotations

from local.services.autoscaling.model import (
    IN_SERVICE,
    LAUNCHING_TRANSITION,
    PENDING,
    PENDING_WAIT,
    TERMINATING,
    TERMINATING_TRANSITION,
    TERMINATING_WAIT,
    WARM_PENDING,
    WARM_PENDING_WAIT,
    Activity,
    Group,
    Member,
    Wait,
    invalid,
)
from local.services.autoscaling.texts import at

#: Held by the launching hooks.
_LAUNCHING = frozenset({PENDING_WAIT, WARM_PENDING_WAIT})


def enter(group: Group, member: Member, now: float) -> None:
    """Add a launched instance: in service, or waiting for the launching hooks."""
    group.members[member.instance_id] = member
    if _hold(group, member, LAUNCHING_TRANSITION, now):
        member.state = PENDING_WAIT
        member.activity.status = "MidLifecycleAction"
    else:
        _serve(member, now)


def enter_pool(group: Group, member: Member, now: float) -> None:
    """Add an instance to the warm pool: about to be stopped, or waiting for the launching hooks."""
    group.members[member.instance_id] = member
    if _hold(group, member, LAUNCHING_TRANSITION, now):
        member.state = WARM_PENDING_WAIT
        member.activity.status = "MidLifecycleAction"
    else:
        _prepared(member, now)


def draw(group: Group, member: Member, activity: Activity, now: float) -> None:
    """Take a stopped instance out of the warm pool; the launching hooks hold it once more."""
    member.activity, member.launched_at, member.state = activity, now, PENDING
    enter(group, member, now)


def leave(group: Group, member: Member, cause: str, now: float) -> Activity:
    """Begin an instance's termination: at once, or when the terminating hooks are done.

    An instance on its way out already goes on with the activity it has.
    """
    if not (member.active or member.warm):
        return member.activity
    if member.state in _LAUNCHING:
        member.activity.end("Cancelled", now)
    member.waits.clear()
    description = f"Terminating EC2 instance: {member.instance_id}"
    member.activity = Activity(group.name, description, cause, now)
    group.activities.insert(0, member.activity)
    if _hold(group, member, TERMINATING_TRANSITION, now):
        member.state = TERMINATING_WAIT
        member.activity.status = "MidLifecycleAction"
    else:
        member.state = TERMINATING
    return member.activity


def complete(group: Group, member: Member, hook: str, result: str, now: float) -> None:
    """End one hook's wait with CONTINUE or ABANDON.

    ABANDON ends the other hooks' waits too; on launch it terminates the instance.
    """
    wait = member.waits.pop(hook)
    if result == "ABANDON":
        member.waits.clear()
        if member.state in _LAUNCHING:
            cause = (
                f"At {at(now)} an instance was taken out of service: {wait.hook.name} abandoned it."
            )
            member.activity.end("Cancelled", now, "The launching lifecycle hook was abandoned.")
            leave(group, member, cause, now)
            return
    if member.waits:
        return
    if member.state == PENDING_WAIT:
        _serve(member, now)
    elif member.state == WARM_PENDING_WAIT:
        _prepared(member, now)
    elif member.state == TERMINATING_WAIT:
        member.state = TERMINATING
        member.activity.status = "InProgress"


def time_out(group: Group, now: float) -> None:
    """End the waits whose time is over with their hook's default result."""
    for member in list(group.members.values()):
        for name, wait in list(member.waits.items()):
            if name in member.waits and now >= min(wait.deadline, wait.last_deadline):
                complete(group, member, name, wait.hook.default_result, now)


def waiting_for(member: Member, hook: str, token: str | None) -> Wait:
    """Return the wait of a hook. Raises: ServiceError when the instance does not wait for it."""
    wait = member.waits.get(hook)
    if wait is None or (token and token != wait.token):
        raise invalid(
            f"No active Lifecycle Action found with instance ID {member.instance_id}"
            if not token
            else f"No active Lifecycle Action found with token {token}"
        )
    return wait


def heartbeat(wait: Wait, now: float) -> None:
    """Begin the hook's time anew."""
    wait.deadline = now + wait.hook.heartbeat_s


def _serve(member: Member, now: float) -> None:
    member.state = IN_SERVICE
    member.in_service_at = now
    member.activity.end("Successful", now)


def _prepared(member: Member, now: float) -> None:
    member.state = WARM_PENDING
    member.activity.end("Successful", now)


def _hold(group: Group, member: Member, transition: str, now: float) -> bool:
    for hook in group.hooks.values():
        if hook.transition == transition:
            last = now + hook.global_timeout_s
            member.waits[hook.name] = Wait(hook, now + hook.heartbeat_s, last)
    return bool(member.waits)

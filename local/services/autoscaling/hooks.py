"""Operations on lifecycle hooks and on the instances that wait for them."""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.services.autoscaling import describe, lifecycle
from local.services.autoscaling.model import (
    LAUNCHING_TRANSITION,
    TERMINATING_TRANSITION,
    Group,
    Hook,
    Member,
    Store,
    invalid,
)

_RESULTS = ("CONTINUE", "ABANDON")
_HEARTBEAT_RANGE_S = (30, 7200)


class HookOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put_lifecycle_hook(self, params: dict[str, Any]) -> dict[str, Any]:
        """Add a hook, or change what is given of an existing one."""
        group = self._store.group(params["AutoScalingGroupName"])
        hook = hook_from(params, group.hooks.get(params["LifecycleHookName"]))
        group.hooks[hook.name] = hook
        return {}

    def delete_lifecycle_hook(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a hook; launching instances abandon it, terminating ones go on."""
        group = self._store.group(params["AutoScalingGroupName"])
        hook = group.hooks.pop(params["LifecycleHookName"], None)
        if hook is None:
            raise invalid("No Lifecycle Hook found")
        result = "ABANDON" if hook.transition == LAUNCHING_TRANSITION else "CONTINUE"
        for member in list(group.members.values()):
            if hook.name in member.waits:
                lifecycle.complete(group, member, hook.name, result, self._clock.now())
        return {}

    def describe_lifecycle_hooks(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a group's hooks."""
        group = self._store.group(params["AutoScalingGroupName"])
        names = params.get("LifecycleHookNames") or []
        hooks = [hook for hook in group.hooks.values() if not names or hook.name in names]
        return {"LifecycleHooks": [describe.hook_of(group, hook) for hook in hooks]}

    def complete_lifecycle_action(self, params: dict[str, Any]) -> dict[str, Any]:
        """End an instance's wait for a hook."""
        group, member = self._waiting(params)
        result = params["LifecycleActionResult"]
        if result not in _RESULTS:
            raise invalid(f"LifecycleActionResult {result!r}; allowed: {', '.join(_RESULTS)}")
        lifecycle.complete(group, member, params["LifecycleHookName"], result, self._clock.now())
        return {}

    def record_lifecycle_action_heartbeat(self, params: dict[str, Any]) -> dict[str, Any]:
        """Begin the hook's time-out anew."""
        _, member = self._waiting(params)
        lifecycle.heartbeat(member.waits[params["LifecycleHookName"]], self._clock.now())
        return {}

    def _waiting(self, params: dict[str, Any]) -> tuple[Group, Member]:
        group = self._store.group(params["AutoScalingGroupName"])
        name, token = params["LifecycleHookName"], params.get("LifecycleActionToken")
        instance_id = params.get("InstanceId")
        for member in group.members.values():
            waits = member.waits.get(name)
            if instance_id == member.instance_id or (waits and token and waits.token == token):
                lifecycle.waiting_for(member, name, token)
                return group, member
        raise invalid(f"No active Lifecycle Action found with instance ID {instance_id}")


def hook_from(params: dict[str, Any], before: Hook | None) -> Hook:
    """Return a hook from request parameters, the rest kept from the hook before.

    Raises: ServiceError naming the value and what is allowed.
    """
    name = params["LifecycleHookName"]
    transition = params.get("LifecycleTransition") or (before.transition if before else None)
    allowed = (LAUNCHING_TRANSITION, TERMINATING_TRANSITION)
    if transition not in allowed:
        raise invalid(
            f"LifecycleTransition {transition!r} of {name}; allowed: {', '.join(allowed)}"
        )
    base = before or Hook(name, transition)
    low, high = _HEARTBEAT_RANGE_S
    heartbeat_s = int(params.get("HeartbeatTimeout", base.heartbeat_s))
    if not low <= heartbeat_s <= high:
        raise invalid(f"HeartbeatTimeout {heartbeat_s} of {name} must be between {low} and {high}")
    result = params.get("DefaultResult", base.default_result)
    if result not in _RESULTS:
        raise invalid(f"DefaultResult {result!r} of {name}; allowed: {', '.join(_RESULTS)}")
    return Hook(
        name=name,
        transition=transition,
        heartbeat_s=heartbeat_s,
        default_result=result,
        metadata=params.get("NotificationMetadata", base.metadata),
        target_arn=params.get("NotificationTargetARN", base.target_arn) or None,
        role_arn=params.get("RoleARN", base.role_arn),
    )

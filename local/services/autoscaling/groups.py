"""Operations on groups: create, update, delete, describe, size, suspend."""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.protocol import ServiceError
from local.services.autoscaling import describe, lifecycle, texts
from local.services.autoscaling.hooks import hook_from
from local.services.autoscaling.model import PROCESSES, Group, Store, identifier, invalid
from local.services.autoscaling.sizing import (
    TERMINATION_POLICIES,
    check_limits,
    clamp,
    in_cooldown,
)
from local.services.autoscaling.sources import ClientSource, Sources, changed_mix
from local.services.autoscaling.tags import matches, tag_values
from local.services.autoscaling.warm_pools import check_no_spot

#: Kept as given, with the value that stands for an absent one.
_SETTINGS: dict[str, Any] = {
    "CapacityRebalance": False,  # kept, and idle: nobody takes a Spot instance back here
    "Context": None,
    "DefaultCooldown": 300,
    "DefaultInstanceWarmup": None,
    "HealthCheckGracePeriod": 0,
    "HealthCheckType": "EC2",
    "LaunchTemplate": None,
    "MaxInstanceLifetime": None,
    "MixedInstancesPolicy": None,
    "NewInstancesProtectedFromScaleIn": False,
    "ServiceLinkedRoleARN": None,
    "TerminationPolicies": ["Default"],
    "VPCZoneIdentifier": None,
    "AvailabilityZones": None,
}
_OWN = {
    "AutoScalingGroupName",
    "DesiredCapacity",
    "LifecycleHookSpecificationList",
    "MaxSize",
    "MinSize",
    "Tags",
    "TargetGroupARNs",
}


class GroupOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock, clients: ClientSource) -> None:
        self._store = store
        self._clock = clock
        self._sources = Sources(clients)

    def create_auto_scaling_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a group; without a desired capacity it starts at its minimum."""
        _refuse_unknown(params)
        name = params["AutoScalingGroupName"]
        if name in self._store.groups:
            raise ServiceError(
                "AlreadyExists", f"AutoScalingGroup by this name already exists - {name}"
            )
        minimum, maximum = int(params["MinSize"]), int(params["MaxSize"])
        desired = int(params.get("DesiredCapacity", minimum))
        given = {k: params[k] for k in _SETTINGS if k in params}
        settings = self._settled({**_SETTINGS, **given})
        arn = (
            f"arn:aws:autoscaling:{self._store.region}:{self._store.account}:autoScalingGroup:"
            f"{identifier()}:autoScalingGroupName/{name}"
        )
        now = self._clock.now()
        group = Group(name, arn, settings, minimum, maximum, desired, now)
        check_limits(group, minimum, maximum, desired)
        group.target_groups = list(params.get("TargetGroupARNs") or [])
        group.tags = tag_values(params.get("Tags") or [])
        for specification in params.get("LifecycleHookSpecificationList") or []:
            hook = hook_from(specification, None)
            group.hooks[hook.name] = hook
        if desired:
            group.causes.append(texts.set_by_update(0, desired, now))
        self._store.groups[name] = group
        return {}

    def update_auto_scaling_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a group; the desired capacity follows limits that no longer hold it."""
        _refuse_unknown(params)
        group = self._store.group(params["AutoScalingGroupName"])
        minimum = int(params.get("MinSize", group.minimum))
        maximum = int(params.get("MaxSize", group.maximum))
        fitting = max(minimum, min(maximum, group.desired))
        desired = int(params.get("DesiredCapacity", fitting))
        check_limits(group, minimum, maximum, desired)
        settings = {**group.settings, **{k: params[k] for k in _SETTINGS if k in params}}
        if "LaunchTemplate" in params:
            settings.pop("MixedInstancesPolicy", None)
        elif "MixedInstancesPolicy" in params:
            settings.pop("LaunchTemplate", None)
            before = group.settings.get("MixedInstancesPolicy") or {}
            settings["MixedInstancesPolicy"] = changed_mix(before, params["MixedInstancesPolicy"])
        check_no_spot(settings, group.pool is not None)
        group.settings = self._settled(settings)
        group.minimum, group.maximum = minimum, maximum
        if desired != group.desired:
            group.causes.append(texts.set_by_update(group.desired, desired, self._clock.now()))
            group.desired = desired
        group.launch_not_before, group.launch_failures = 0.0, 0
        return {}

    def delete_auto_scaling_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete an empty group, or with ForceDelete any: no hook then holds an instance."""
        group = self._store.group(params["AutoScalingGroupName"])
        if group.members and not params.get("ForceDelete"):
            raise ServiceError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group.",
            )
        group.deleting = True
        group.minimum = group.desired = 0
        group.hooks.clear()
        now = self._clock.now()
        for member in group.members.values():
            for hook in list(member.waits):
                lifecycle.complete(group, member, hook, "CONTINUE", now)
            lifecycle.leave(group, member, texts.taken_out("a user request", now), now)
        if not group.members:
            del self._store.groups[group.name]
        return {}

    def describe_auto_scaling_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return groups by name or tag; unknown names are left out."""
        names = params.get("AutoScalingGroupNames") or []
        groups = [
            group
            for group in sorted(self._store.groups.values(), key=lambda g: g.name)
            if (not names or group.name in names or group.arn in names)
            and matches(group, params.get("Filters") or [])
        ]
        shown, more = describe.page(groups, params, 50)
        full = params.get("IncludeInstances", True)
        return {
            "AutoScalingGroups": [describe.group_of(g, with_members=full) for g in shown],
            **more,
        }

    def set_desired_capacity(self, params: dict[str, Any]) -> dict[str, Any]:
        """Set the desired capacity, within the limits."""
        group = self._store.group(params["AutoScalingGroupName"])
        size, now = int(params["DesiredCapacity"]), self._clock.now()
        for limit, word, outside in (
            (group.maximum, "max", size > group.maximum),
            (group.minimum, "min", size < group.minimum),
        ):
            if outside:
                side = "above" if word == "max" else "below"
                raise invalid(
                    f"New SetDesiredCapacity value {size} is {side} {word} value {limit} for the "
                    "AutoScalingGroup."
                )
        cooldown_s = group.settings["DefaultCooldown"]
        if params.get("HonorCooldown") and in_cooldown(group, cooldown_s, now):
            raise ServiceError(
                "ScalingActivityInProgress",
                f"Group {group.name} is in its cooldown of {cooldown_s} seconds",
            )
        if size != group.desired:
            group.causes.append(texts.set_by_user(group.desired, size, now))
            group.desired, group.scaled_at = clamp(group, size), now
        return {}

    def suspend_processes(self, params: dict[str, Any]) -> dict[str, Any]:
        """Suspend the named processes, all without names."""
        self._store.group(params["AutoScalingGroupName"]).suspended |= _processes(params)
        return {}

    def resume_processes(self, params: dict[str, Any]) -> dict[str, Any]:
        """Resume the named processes, all without names."""
        self._store.group(params["AutoScalingGroupName"]).suspended -= _processes(params)
        return {}

    def describe_scaling_activities(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return activities, newest first."""
        name, ids = params.get("AutoScalingGroupName"), params.get("ActivityIds") or []
        groups = [self._store.group(name)] if name else list(self._store.groups.values())
        found = [activity for group in groups for activity in group.activities]
        if params.get("IncludeDeletedGroups"):
            found += self._store.past_activities
        found = [activity for activity in found if not ids or activity.id in ids]
        found.sort(key=lambda activity: -activity.started_at)
        shown, more = describe.page(found, params, 100)
        return {"Activities": [describe.activity_of(a) for a in shown], **more}

    def _settled(self, settings: dict[str, Any]) -> dict[str, Any]:
        settings = {name: value for name, value in settings.items() if value is not None}
        if settings.get("DefaultInstanceWarmup") == -1:
            del settings["DefaultInstanceWarmup"]
        if settings.get("MaxInstanceLifetime") == 0:
            del settings["MaxInstanceLifetime"]
        for policy in settings["TerminationPolicies"]:
            if policy not in TERMINATION_POLICIES:
                raise invalid(
                    f"TerminationPolicies {policy!r} is not played here; "
                    f"allowed: {', '.join(TERMINATION_POLICIES)}"
                )
        return self._sources.settle(settings)


def _refuse_unknown(params: dict[str, Any]) -> None:
    unknown = sorted(k for k in params if k not in _SETTINGS and k not in _OWN)
    if unknown:
        raise invalid(f"The embedded Auto Scaling does not play {', '.join(unknown)}")


def _processes(params: dict[str, Any]) -> set[str]:
    names = set(params.get("ScalingProcesses") or PROCESSES)
    if unknown := names - set(PROCESSES):
        raise invalid(f"Invalid process names {sorted(unknown)}; allowed: {', '.join(PROCESSES)}")
    return names

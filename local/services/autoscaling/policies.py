"""Scaling policies: step and simple ones are played, target tracking and predictive refused."""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.protocol import ServiceError
from local.services.autoscaling import describe, texts
from local.services.autoscaling.model import Group, Store, identifier, invalid
from local.services.autoscaling.sizing import adjusted, by_steps, clamp, in_cooldown

_ADJUSTMENTS = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
_PLAYED = ("StepScaling", "SimpleScaling")


class PolicyOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put_scaling_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """Add or replace a policy; its ARN stays."""
        group = self._store.group(params["AutoScalingGroupName"])
        name = params["PolicyName"]
        kind = params.get("PolicyType") or "SimpleScaling"
        if kind not in _PLAYED:
            raise invalid(f"PolicyType {kind!r} is not played here; allowed: {', '.join(_PLAYED)}")
        _check(params, kind)
        before = group.policies.get(name)
        arn = before["PolicyARN"] if before else self._arn(group, name)
        group.policies[name] = {
            "Enabled": True,
            **params,
            "AutoScalingGroupName": group.name,
            "PolicyType": kind,
            "PolicyARN": arn,
            "Alarms": [],
        }
        return {"PolicyARN": arn, "Alarms": []}

    def describe_policies(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return policies by group, name or ARN, and type."""
        name = params.get("AutoScalingGroupName")
        groups = [self._store.group(name)] if name else list(self._store.groups.values())
        names, kinds = params.get("PolicyNames") or [], params.get("PolicyTypes") or []
        found = [
            policy
            for group in groups
            for policy in group.policies.values()
            if (not names or policy["PolicyName"] in names or policy["PolicyARN"] in names)
            and (not kinds or policy["PolicyType"] in kinds)
        ]
        shown, more = describe.page(found, params, 50)
        return {"ScalingPolicies": shown, **more}

    def delete_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a policy; an absent one is an error."""
        group, policy = self._find(params.get("AutoScalingGroupName"), params["PolicyName"])
        del group.policies[policy["PolicyName"]]
        return {}

    def execute_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """Apply a policy now, as its alarm would.

        A step policy needs MetricValue and BreachThreshold. A simple policy keeps the cooldown
        when HonorCooldown is set.
        """
        group, policy = self._find(params.get("AutoScalingGroupName"), params["PolicyName"])
        now = self._clock.now()
        if policy["PolicyType"] == "StepScaling":
            if params.get("MetricValue") is None or params.get("BreachThreshold") is None:
                raise invalid("MetricValue and BreachThreshold are required for a step policy")
            breach = float(params["MetricValue"]) - float(params["BreachThreshold"])
            size = by_steps(group, policy, breach, now)
        else:
            cooldown_s = policy.get("Cooldown", group.settings["DefaultCooldown"])
            if params.get("HonorCooldown") and in_cooldown(group, cooldown_s, now):
                raise ServiceError(
                    "ScalingActivityInProgress",
                    f"Group {group.name} is in its cooldown of {cooldown_s} seconds",
                )
            magnitude = policy.get("MinAdjustmentMagnitude")
            amount = policy["ScalingAdjustment"]
            size = clamp(
                group, adjusted(group.desired, policy["AdjustmentType"], amount, magnitude)
            )
        if size != group.desired:
            name = policy["PolicyName"]
            cause = texts.set_by_policy(name, "an execution", group.desired, size, now)
            group.causes.append(cause)
            group.desired, group.scaled_at = size, now
        return {}

    def _arn(self, group: Group, name: str) -> str:
        return (
            f"arn:aws:autoscaling:{self._store.region}:{self._store.account}:scalingPolicy:"
            f"{identifier()}:autoScalingGroupName/{group.name}:policyName/{name}"
        )

    def _find(self, group_name: str | None, name: str) -> tuple[Group, dict[str, Any]]:
        groups = [self._store.group(group_name)] if group_name else self._store.groups.values()
        for group in groups:
            for policy in group.policies.values():
                if name in {policy["PolicyName"], policy["PolicyARN"]}:
                    return group, policy
        raise invalid(f"PolicyName {name!r} not found")


def _check(params: dict[str, Any], kind: str) -> None:
    adjustment = params.get("AdjustmentType")
    if adjustment not in _ADJUSTMENTS:
        raise invalid(f"AdjustmentType {adjustment!r}; allowed: {', '.join(_ADJUSTMENTS)}")
    if params.get("MetricAggregationType", "Average") not in {"Average", "Minimum", "Maximum"}:
        raise invalid("MetricAggregationType; allowed: Average, Minimum, Maximum")
    needed = "StepAdjustments" if kind == "StepScaling" else "ScalingAdjustment"
    if params.get(needed) in (None, []):
        raise invalid(f"{needed} is required for a {kind} policy")

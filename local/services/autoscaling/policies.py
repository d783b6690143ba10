"""Scaling policies: step, simple and CPU target tracking are played, the others refused."""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.protocol import ServiceError
from local.services.autoscaling import describe, texts
from local.services.autoscaling.model import Group, Store, identifier, invalid
from local.services.autoscaling.sizing import adjusted, by_steps, by_target, clamp, in_cooldown

_ADJUSTMENTS = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
_PLAYED = ("StepScaling", "SimpleScaling", "TargetTrackingScaling")
#: What target tracking follows here.
CPU = "ASGAverageCPUUtilization"


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
            "Alarms": self._alarms(group, arn) if kind == "TargetTrackingScaling" else [],
        }
        return {"PolicyARN": arn, "Alarms": group.policies[name]["Alarms"]}

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

        A step policy needs MetricValue and BreachThreshold, a tracking one MetricValue: AWS lets
        its own alarms alone execute that, which here come this way. A simple policy keeps the
        cooldown when HonorCooldown is set.
        """
        group, policy = self._find(params.get("AutoScalingGroupName"), params["PolicyName"])
        now = self._clock.now()
        if policy["PolicyType"] == "StepScaling":
            if params.get("MetricValue") is None or params.get("BreachThreshold") is None:
                raise invalid("MetricValue and BreachThreshold are required for a step policy")
            breach = float(params["MetricValue"]) - float(params["BreachThreshold"])
            size = by_steps(group, policy, breach, now)
        elif policy["PolicyType"] == "TargetTrackingScaling":
            if params.get("MetricValue") is None:
                raise invalid("MetricValue is required for a target tracking policy")
            size = by_target(group, policy, float(params["MetricValue"]), now)
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

    def _alarms(self, group: Group, arn: str) -> list[dict[str, str]]:
        """Name a tracking policy's alarms; the control loop makes them (control/tracking.py)."""
        number = arn.split(":scalingPolicy:", 1)[1].split(":", 1)[0]
        names = [f"TargetTracking-{group.name}-Alarm{way}-{number}" for way in ("High", "Low")]
        place = f"arn:aws:cloudwatch:{self._store.region}:{self._store.account}:alarm"
        return [{"AlarmName": name, "AlarmARN": f"{place}:{name}"} for name in names]

    def _find(self, group_name: str | None, name: str) -> tuple[Group, dict[str, Any]]:
        groups = [self._store.group(group_name)] if group_name else self._store.groups.values()
        for group in groups:
            for policy in group.policies.values():
                if name in {policy["PolicyName"], policy["PolicyARN"]}:
                    return group, policy
        raise invalid(f"PolicyName {name!r} not found")


def _check(params: dict[str, Any], kind: str) -> None:
    if kind == "TargetTrackingScaling":
        _check_tracking(params.get("TargetTrackingConfiguration") or {})
        return
    adjustment = params.get("AdjustmentType")
    if adjustment not in _ADJUSTMENTS:
        raise invalid(f"AdjustmentType {adjustment!r}; allowed: {', '.join(_ADJUSTMENTS)}")
    if params.get("MetricAggregationType", "Average") not in {"Average", "Minimum", "Maximum"}:
        raise invalid("MetricAggregationType; allowed: Average, Minimum, Maximum")
    needed = "StepAdjustments" if kind == "StepScaling" else "ScalingAdjustment"
    if params.get(needed) in (None, []):
        raise invalid(f"{needed} is required for a {kind} policy")


def _check_tracking(tracking: dict[str, Any]) -> None:
    metric = (tracking.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    unknown = set(tracking) - {"PredefinedMetricSpecification", "TargetValue", "DisableScaleIn"}
    if metric != CPU or unknown:
        raise invalid(f"TargetTrackingScaling follows {CPU} alone here, not {metric}")
    if not 0 < float(tracking.get("TargetValue", 0)) <= 100:
        raise invalid("TargetValue of TargetTrackingScaling must be above 0 and at most 100")

"""AWS::AutoScaling: what belongs to a group: hooks, scaling policies and a warm pool."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from local.resources.autoscaling_group import group_exists
from local.resources.base import Context
from local.resources.calls import call, missing_is_fine
from local.resources.kind import Kind, Properties


class _OfGroup(Kind):
    """What belongs to a group and goes with it: put by one call, gone when the group is."""

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        autoscaling = context.clients.client("autoscaling")
        if group_exists(autoscaling, properties["AutoScalingGroupName"]):
            with missing_is_fine():
                self.take_away(autoscaling, physical_id, properties["AutoScalingGroupName"])

    @abstractmethod
    def take_away(self, autoscaling: Any, physical_id: str, group: str) -> None:
        """Remove it from a group that exists."""


class LifecycleHook(_OfGroup):
    """A lifecycle hook."""

    type_name = "AWS::AutoScaling::LifecycleHook"
    properties = frozenset(
        {
            "AutoScalingGroupName",
            "DefaultResult",
            "HeartbeatTimeout",
            "LifecycleHookName",
            "LifecycleTransition",
            "NotificationMetadata",
            "NotificationTargetARN",
            "RoleARN",
        }
    )
    replace_on = frozenset({"AutoScalingGroupName", "LifecycleHookName"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties.get("LifecycleHookName") or context.unique_name(max_length=255))

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        values = {**new, "LifecycleHookName": physical_id}
        call(context.clients.client("autoscaling"), "PutLifecycleHook", values)

    def take_away(self, autoscaling: Any, physical_id: str, group: str) -> None:
        autoscaling.delete_lifecycle_hook(AutoScalingGroupName=group, LifecycleHookName=physical_id)


class ScalingPolicy(_OfGroup):
    """A step, simple or target tracking policy; its physical id is its ARN."""

    type_name = "AWS::AutoScaling::ScalingPolicy"
    properties = frozenset(
        {
            "AdjustmentType",
            "AutoScalingGroupName",
            "Cooldown",
            "EstimatedInstanceWarmup",
            "MetricAggregationType",
            "MinAdjustmentMagnitude",
            "PolicyType",
            "ScalingAdjustment",
            "StepAdjustments",
            "TargetTrackingConfiguration",
        }
    )
    replace_on = frozenset({"AutoScalingGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        return self._put(context, context.unique_name(max_length=255), properties)

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if old and old != new:
            self._put(context, _policy_name(physical_id), new)

    @staticmethod
    def _put(context: Context, name: str, properties: Properties) -> str:
        values = {**properties, "PolicyName": name}
        answer = call(context.clients.client("autoscaling"), "PutScalingPolicy", values)
        return str(answer["PolicyARN"])

    def take_away(self, autoscaling: Any, physical_id: str, group: str) -> None:
        autoscaling.delete_policy(AutoScalingGroupName=group, PolicyName=_policy_name(physical_id))

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Arn": physical_id, "PolicyName": _policy_name(physical_id)}


def _policy_name(arn: str) -> str:
    return arn.rsplit("policyName/", 1)[-1]


class WarmPool(_OfGroup):
    """A warm pool; its physical id is its group's name."""

    type_name = "AWS::AutoScaling::WarmPool"
    properties = frozenset(
        {"AutoScalingGroupName", "MaxGroupPreparedCapacity", "MinSize", "PoolState"}
    )
    replace_on = frozenset({"AutoScalingGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties["AutoScalingGroupName"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        values = {"MaxGroupPreparedCapacity": -1, "MinSize": 0, **new}
        call(context.clients.client("autoscaling"), "PutWarmPool", values)

    def take_away(self, autoscaling: Any, physical_id: str, group: str) -> None:
        autoscaling.delete_warm_pool(AutoScalingGroupName=group, ForceDelete=True)


HANDLERS = (LifecycleHook(), ScalingPolicy(), WarmPool())

"""AWS::AutoScaling::AutoScalingGroup, on the embedded AWS's own Auto Scaling service."""

from __future__ import annotations

import math
from typing import Any

from local.resources.autoscaling_rolling import RollingUpdate
from local.resources.base import Context
from local.resources.calls import call, renamed, text, truth
from local.resources.kind import Kind, Properties, changed
from local.signals import duration_s

_MIX = "MixedInstancesPolicy"
#: Passed to Create- and UpdateAutoScalingGroup.
_SETTINGS = frozenset(
    {
        "CapacityRebalance",
        "Cooldown",
        "DefaultInstanceWarmup",
        "DesiredCapacity",
        "HealthCheckGracePeriod",
        "HealthCheckType",
        "LaunchTemplate",
        "MaxInstanceLifetime",
        "MaxSize",
        "MinSize",
        "MixedInstancesPolicy",
        "NewInstancesProtectedFromScaleIn",
        "TerminationPolicies",
        "VPCZoneIdentifier",
    }
)
#: What a group goes back to when its template no longer says anything.
_DEFAULTS = {
    "CapacityRebalance": False,
    "DefaultCooldown": 300,
    "DefaultInstanceWarmup": -1,
    "HealthCheckGracePeriod": 0,
    "HealthCheckType": "EC2",
    "MaxInstanceLifetime": 0,
    "NewInstancesProtectedFromScaleIn": False,
    "TerminationPolicies": ["Default"],
}


class AutoScalingGroup(Kind):
    """A group. An update sets a desired capacity only where the template names one.

    With an AutoScalingRollingUpdate policy, a changed launch template replaces the instances:
    where it waits for signals batch by batch before the update ends, otherwise by an instance
    refresh, in which protected ones go when they give up their protection.
    """

    type_name = "AWS::AutoScaling::AutoScalingGroup"
    properties = _SETTINGS | {
        "AutoScalingGroupName",
        "MetricsCollection",
        "Tags",
        "TargetGroupARNs",
    }
    replace_on = frozenset({"AutoScalingGroupName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("AutoScalingGroupName") or context.unique_name(max_length=255))
        values = {
            **_settings(properties),
            "AutoScalingGroupName": name,
            "Tags": _tags(name, properties),
            "TargetGroupARNs": properties.get("TargetGroupARNs", []),
        }
        call(context.clients.client("autoscaling"), "CreateAutoScalingGroup", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        autoscaling = context.clients.client("autoscaling")
        if old:
            before, after = _settings(old), _settings(new)
            gone = {k: v for k, v in _DEFAULTS.items() if k in before and k not in after}
            values = {**gone, **after, "AutoScalingGroupName": physical_id}
            call(autoscaling, "UpdateAutoScalingGroup", values)
            self._settle_tags(autoscaling, physical_id, old, new)
            self._settle_target_groups(autoscaling, physical_id, old, new)
        if changed("MetricsCollection", old, new):
            if old.get("MetricsCollection"):
                autoscaling.disable_metrics_collection(AutoScalingGroupName=physical_id)
            for collection in new.get("MetricsCollection", []):
                values = {**collection, "AutoScalingGroupName": physical_id}
                call(autoscaling, "EnableMetricsCollection", values)
        if old and (changed("LaunchTemplate", old, new) or changed(_MIX, old, new)):
            self._replace_instances(context, physical_id)

    @staticmethod
    def _replace_instances(context: Context, group: str) -> None:
        rolling = context.update_policy.get("AutoScalingRollingUpdate")
        if rolling is None:
            return
        autoscaling = context.clients.client("autoscaling")
        if truth(rolling.get("WaitOnResourceSignals", False)):
            with context.signals.expected(context.stack_id, context.logical_id) as mailbox:
                RollingUpdate(autoscaling, group, rolling, mailbox).run()
            return
        found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        desired = max(1, found["AutoScalingGroups"][0]["DesiredCapacity"])
        in_service = int(rolling.get("MinInstancesInService", 0))
        preferences = {
            "MinHealthyPercentage": min(100, math.ceil(100 * in_service / desired)),
            "ScaleInProtectedInstances": "Wait",
            # An AutoScalingRollingUpdate pauses after each instance that it started.
            "InstanceWarmup": int(duration_s(rolling.get("PauseTime", "PT0S"))),
        }
        refresh = {"AutoScalingGroupName": group, "Preferences": preferences}
        try:
            autoscaling.start_instance_refresh(**refresh)
        except autoscaling.exceptions.InstanceRefreshInProgressFault:
            autoscaling.cancel_instance_refresh(AutoScalingGroupName=group)
            autoscaling.start_instance_refresh(**refresh)

    @staticmethod
    def _settle_tags(autoscaling: Any, group: str, old: Properties, new: Properties) -> None:
        before, after = _tags(group, old), _tags(group, new)
        kept = {tag["Key"] for tag in after}
        if gone := [tag for tag in before if tag["Key"] not in kept]:
            autoscaling.delete_tags(Tags=gone)
        if after and before != after:
            autoscaling.create_or_update_tags(Tags=after)

    @staticmethod
    def _settle_target_groups(
        autoscaling: Any, group: str, old: Properties, new: Properties
    ) -> None:
        before, after = (set(p.get("TargetGroupARNs", [])) for p in (old, new))
        if before - after:
            autoscaling.detach_load_balancer_target_groups(
                AutoScalingGroupName=group, TargetGroupARNs=sorted(before - after)
            )
        if after - before:
            autoscaling.attach_load_balancer_target_groups(
                AutoScalingGroupName=group, TargetGroupARNs=sorted(after - before)
            )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        autoscaling = context.clients.client("autoscaling")
        if group_exists(autoscaling, physical_id):
            autoscaling.delete_auto_scaling_group(
                AutoScalingGroupName=physical_id, ForceDelete=True
            )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        found = context.clients.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[physical_id]
        )
        return {"AutoScalingGroupARN": found["AutoScalingGroups"][0]["AutoScalingGroupARN"]}


def group_exists(autoscaling: Any, group: str) -> bool:
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    return bool(found["AutoScalingGroups"])


def _settings(properties: Properties) -> dict[str, Any]:
    given = {name: properties[name] for name in _SETTINGS if name in properties}
    values = renamed(given, {"Cooldown": "DefaultCooldown"})
    if isinstance(values.get("VPCZoneIdentifier"), list):
        values["VPCZoneIdentifier"] = ",".join(values["VPCZoneIdentifier"])
    return values


def _tags(group: str, properties: Properties) -> list[dict[str, Any]]:
    return [
        {
            "Key": tag["Key"],
            "Value": text(tag["Value"]),
            "PropagateAtLaunch": truth(tag.get("PropagateAtLaunch", False)),
            "ResourceId": group,
            "ResourceType": "auto-scaling-group",
        }
        for tag in properties.get("Tags", [])
    ]


HANDLERS = (AutoScalingGroup(),)

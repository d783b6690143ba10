"""Auto Scaling groups as they are described, and every act on one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.queue_depth_metric.sizing import Capacity

#: Lifecycle states of instances that count as capacity, by how they begin.
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
_ACTIVE = ("Pending", "InService")
_ENDING = ("Terminating", "Terminated")
#: CloudWatch takes 1023 characters.
_MAX_REASON = 1000


@dataclass(frozen=True)
class Instance:
    """An instance of a group: part of its capacity (`active`), or on its way out."""

    instance_id: str
    active: bool


@dataclass(frozen=True)
class Group:
    """`distribution` is that of a group which mixes Spot and on demand, None for others."""

    capacity: Capacity
    instances: tuple[Instance, ...]
    distribution: dict[str, Any] | None

    @property
    def active(self) -> list[str]:
        return [each.instance_id for each in self.instances if each.active]

    @property
    def on_demand_percent(self) -> int | None:
        """Return the share of on-demand instances above the base; AWS takes 100 for an absent one.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
        """
        if self.distribution is None:
            return None
        return int(self.distribution.get("OnDemandPercentageAboveBaseCapacity", 100))


def describe(autoscaling: Any, name: str) -> Group | None:
    """Return a group, None when there is none of that name. Raises: botocore's errors."""
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    for entry in found["AutoScalingGroups"]:
        mixed = entry.get("MixedInstancesPolicy")
        return Group(
            capacity=Capacity(
                desired=entry["DesiredCapacity"], minimum=entry["MinSize"], maximum=entry["MaxSize"]
            ),
            instances=tuple(
                Instance(each["InstanceId"], each["LifecycleState"].startswith(_ACTIVE))
                for each in entry.get("Instances", [])
                if each["LifecycleState"].startswith((*_ACTIVE, *_ENDING))
            ),
            distribution=None if mixed is None else dict(mixed.get("InstancesDistribution", {})),
        )
    return None


def raise_to(autoscaling: Any, group: str, desired: int) -> None:
    """Set a group's desired capacity now; a cooldown would leave jobs waiting."""
    autoscaling.set_desired_capacity(
        AutoScalingGroupName=group, DesiredCapacity=desired, HonorCooldown=False
    )


def end_zombie(autoscaling: Any, instance_id: str) -> None:
    """End an instance; its place stays, and the group fills it again."""
    autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
    )


def set_on_demand(autoscaling: Any, name: str, group: Group, percent: int) -> None:
    """Set a mixed group's share of on-demand instances, and leave the rest of its mix.

    The launch template is not named: naming one would need ec2:RunInstances.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    distribution = {
        **(group.distribution or {}),
        "OnDemandPercentageAboveBaseCapacity": percent,
    }
    autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=name, MixedInstancesPolicy={"InstancesDistribution": distribution}
    )


def alarm_state(cloudwatch: Any, name: str) -> str | None:
    """Return an alarm's state (OK, ALARM, INSUFFICIENT_DATA), None when there is no such alarm."""
    for found in cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
        return str(found["StateValue"])
    return None


def set_alarm(cloudwatch: Any, name: str, reason: str) -> None:
    """Set an alarm off, so that its message says why; its metric keeps it so or takes it back.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason[:_MAX_REASON])

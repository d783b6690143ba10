"""What Auto Scaling says of a worker's instance and its group, and does for it.

Raises: ClientError, BotoCoreError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class OwnGroup:
    """Speaks for `instance_id` of group `name` through boto3's client."""

    autoscaling: Any
    name: str
    instance_id: str

    def protect(self, protected: bool) -> None:
        """Protect the instance from scale-in, or give that up."""
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=self.name,
            InstanceIds=[self.instance_id],
            ProtectedFromScaleIn=protected,
        )

    def terminate(self, *, decrement: bool) -> None:
        """End the instance, protected or not, and its place with it or not."""
        self.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance_id, ShouldDecrementDesiredCapacity=decrement
        )

    def instance(self) -> Facts:
        """Return the instance as DescribeAutoScalingInstances shows it, empty when it is gone."""
        found = self.autoscaling.describe_auto_scaling_instances(InstanceIds=[self.instance_id])
        instances: list[Facts] = found["AutoScalingInstances"]
        return instances[0] if instances else {}

    def has_left(self) -> bool:
        """Whether the instance was in service and is not any more.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
        """
        state = str(self.instance().get("LifecycleState", ""))
        return not state or "Terminat" in state or state.startswith("Detach")

    def can_spare(self) -> bool:
        """Whether the group has more instances than it wants."""
        group = self._group(with_instances=True)
        states = [str(each["LifecycleState"]) for each in group.get("Instances", [])]
        active = [each for each in states if each == "InService" or each.startswith("Pending")]
        return len(active) > int(group.get("DesiredCapacity", len(active)))

    def template(self) -> Facts:
        """Return what the group launches from, empty where that is no template.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
        """
        group = self._group(with_instances=False)
        mixed = group.get("MixedInstancesPolicy") or {}
        found = (mixed.get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
        return found or group.get("LaunchTemplate") or {}

    def _group(self, *, with_instances: bool) -> Facts:
        found = self.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.name], IncludeInstances=with_instances
        )
        groups: list[Facts] = found["AutoScalingGroups"]
        return groups[0] if groups else {}


def older(own: Facts, group: Facts) -> bool:
    """Whether an instance launched from `own` is older than its group's template.

    Both are launch template specifications. Another template is a later one. `$Latest` and
    `$Default` cannot be compared with the number that an instance shows, and nothing is older than
    what is not known.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html
    """
    mine, theirs = own.get("LaunchTemplateId"), group.get("LaunchTemplateId")
    if not mine or not theirs:
        return False
    if mine != theirs:
        return True
    versions = own.get("Version", ""), group.get("Version", "")
    return all(each.isdecimal() for each in versions) and int(versions[0]) < int(versions[1])

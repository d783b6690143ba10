"""Reads a group's capacity and raises it."""

from __future__ import annotations

from typing import Any

from lambdas.queue_depth_metric.sizing import Capacity


def capacity(autoscaling: Any, group: str) -> Capacity | None:
    """Return a group's capacity, None when there is no such group. Raises: botocore's errors."""
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    for entry in found["AutoScalingGroups"]:
        return Capacity(
            desired=entry["DesiredCapacity"], minimum=entry["MinSize"], maximum=entry["MaxSize"]
        )
    return None


def raise_to(autoscaling: Any, group: str, desired: int) -> None:
    """Set a group's desired capacity now; a cooldown would leave jobs waiting."""
    autoscaling.set_desired_capacity(
        AutoScalingGroupName=group, DesiredCapacity=desired, HonorCooldown=False
    )

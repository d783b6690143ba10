"""Which launch template version an instance came from, and whether its group has a later one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Specification = Mapping[str, Any]


def of_group(group: Mapping[str, Any]) -> Specification:
    """Return what a group of DescribeAutoScalingGroups launches from, empty without a template.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
    """
    mixed = group.get("MixedInstancesPolicy") or {}
    found = (mixed.get("LaunchTemplate") or {}).get("LaunchTemplateSpecification")
    return found or group.get("LaunchTemplate") or {}


def older(own: Specification, group: Specification) -> bool:
    """Whether an instance launched from `own` is older than its group's template.

    Another template is a later one. `$Latest` and `$Default` cannot be compared with the number
    that an instance shows, and nothing is older than what is not known.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html
    """
    mine, theirs = own.get("LaunchTemplateId"), group.get("LaunchTemplateId")
    if not mine or not theirs:
        return False
    if mine != theirs:
        return True
    versions = own.get("Version", ""), group.get("Version", "")
    return all(each.isdecimal() for each in versions) and int(versions[0]) < int(versions[1])

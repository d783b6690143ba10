"""Do the instances run what was deployed? A worker in mid-job may finish on what it began with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.contracts.names import worker_group_name
from ops import aws
from ops.findings import Finding
from ops.verify.context import Context

_GROUP = "AWS::AutoScaling::AutoScalingGroup"


@dataclass(frozen=True)
class GroupFact:
    """An Auto Scaling group: the template version that it launches, and each instance's.

    `versions` maps instances to launch template versions; `states` to lifecycle states.
    """

    name: str
    version: str
    minimum: int
    versions: Mapping[str, str]
    states: Mapping[str, str]
    finishes_first: bool


def ask(context: Context) -> list[Finding]:
    """Ask every group of the assembly what its instances were launched from."""
    workers = {worker_group_name(context.settings.environment, k) for k in context.settings.workers}
    names = [each.physical_id for each in context.deployed.resources(_GROUP)]
    if not names:
        return []
    client = aws.client("autoscaling", context.region)
    answer = client.describe_auto_scaling_groups(AutoScalingGroupNames=names)
    known = {each["AutoScalingGroupName"]: each for each in answer["AutoScalingGroups"]}
    return decide([_fact(known[n], n in workers) for n in names if n in known], names)


def decide(found: Sequence[GroupFact], expected: Sequence[str]) -> list[Finding]:
    """Return a finding for each group, and one for each that should be there."""
    known = {fact.name for fact in found}
    missing = [
        Finding(f"group {name or '(none)'}", "it does not exist", "deploy again")
        for name in expected
        if name not in known
    ]
    return missing + [_decided(fact) for fact in found]


def _decided(fact: GroupFact) -> Finding:
    serving = [name for name, state in fact.states.items() if state == "InService"]
    old = sorted(name for name in fact.versions if fact.versions[name] != fact.version)
    what = f"group {fact.name}: template version {fact.version}"
    if old and not fact.finishes_first:
        return Finding(
            what,
            f"{', '.join(old)} still run an older one: the roll is not over",
            "see the group's activities (aws autoscaling describe-scaling-activities)",
        )
    if len(serving) < fact.minimum:
        return Finding(
            what,
            f"{len(serving)} of at least {fact.minimum} instances are in service",
            "read the boot log in the group's log group: the step that failed stands there",
        )
    busy = f", {len(old)} finish on an older one" if old else ""
    return Finding(f"{what}, {len(serving)} in service{busy}")


def _fact(group: Mapping[str, Any], finishes_first: bool) -> GroupFact:
    instances = group["Instances"]
    return GroupFact(
        name=group["AutoScalingGroupName"],
        version=_version(group),
        minimum=group["MinSize"],
        versions={each["InstanceId"]: _version(each) for each in instances},
        states={each["InstanceId"]: each["LifecycleState"] for each in instances},
        finishes_first=finishes_first,
    )


def _version(holder: Mapping[str, Any]) -> str:
    """Return the launch template's version of a group or an instance, as `id:version`."""
    policy = holder.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    template = holder.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification", {})
    return str(template.get("Version", "none"))

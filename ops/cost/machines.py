"""Instances, tasks and functions: hours, disks, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ops.cost.estate import Estate, Month, Resource
from ops.cost.model import Need

_GROUP = re.compile(r"^academy-(?:\w+-)?(?P<kind>video|ai|messaging)-worker-asg$")
#: Disk of an instance whose template names no size: that of the Amazon Linux image, GiB.
_IMAGE_DISK_GB = 8
#: Detailed monitoring sends seven metrics an instance.
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html
_DETAILED_METRICS = 7
_RATE = re.compile(r"^rate\((\d+) (minute|hour|day)s?\)$")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


def fleets(estate: Estate, kind: str) -> list[Resource]:
    """Return the worker fleets of a kind."""
    groups = estate.of_type("AWS::AutoScaling::AutoScalingGroup")
    return [each for each in groups if _kind(each) == kind]


def group(resource: Resource, month: Month) -> Iterator[Need]:
    """An Auto Scaling group: workers by the hours that their jobs take, others by their minimum."""
    kind = _kind(resource)
    minimum = float(resource.properties["MinSize"]) * month.hours
    template = template_of(resource, month)
    if kind is None:
        # The mean load is what the minimum carries; peaks above it are hours at most.
        yield from machine("API", template, resource, [(_type(template), minimum, 1.0)], month)
        return
    hours = max(minimum, month.usage.workers[kind].hours_a_day * month.days)
    yield from machine(
        f"{kind} workers", template, resource, _mix(resource, template, hours, month), month
    )


def warm_pool(resource: Resource, month: Month) -> Iterator[Need]:
    """A warm pool: the disks of instances that stand stopped all month.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
    """
    [owner] = month.estate.named(resource, resource.properties["AutoScalingGroupName"])
    disk_gb = _disk_gb(template_of(owner, month).properties["LaunchTemplateData"])
    size = float(resource.properties["MinSize"])
    yield Need(f"{_kind(owner)} workers", "ebs.gp3", size * disk_gb, resource.name)


def instance(resource: Resource, month: Month) -> Iterator[Need]:
    """An instance of its own: a NAT, the only ones that stand alone here."""
    yield Need("NAT", f"ec2.{resource.properties['InstanceType']}", month.hours, resource.name)
    yield Need("NAT", "ebs.gp3", _disk_gb(resource.properties), resource.name)
    yield Need("NAT", "ipv4", month.hours, resource.name)


def tasks(resource: Resource, month: Month) -> Iterator[Need]:
    """A Fargate service at its desired count, one while it is not said; ARM."""
    count = float(resource.properties.get("DesiredCount", 1))
    definition = next(
        each
        for each in month.estate.named(resource, resource.properties["TaskDefinition"])
        if each.type_name == "AWS::ECS::TaskDefinition"
    )
    hours = count * month.hours
    vcpu, gb = (float(definition.properties[key]) / 1024 for key in ("Cpu", "Memory"))
    yield Need("API", "fargate.arm.vcpu", vcpu * hours, resource.name)
    yield Need("API", "fargate.arm.gb", gb * hours, resource.name)
    network = resource.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    if network.get("AssignPublicIp") == "ENABLED":
        yield Need("API", "ipv4", hours, resource.name)


def rule(resource: Resource, month: Month) -> Iterator[Need]:
    """A schedule: its functions run each time, for as long as they take."""
    found = _RATE.match(str(resource.properties.get("ScheduleExpression", "")))
    if not found:
        return
    runs = month.days * 24 * 60 / (int(found[1]) * _MINUTES[found[2]])
    for each in month.estate.named(resource, resource.properties["Targets"]):
        if each.type_name == "AWS::Lambda::Function":
            memory_gb = float(each.properties.get("MemorySize", 128)) / 1024
            yield Need(
                "functions", "lambda.arm.gb_s", runs * memory_gb * _run_s(each, month), each.name
            )
            yield Need("functions", "lambda.requests", runs / 1e6, each.name)


def _kind(group: Resource) -> str | None:
    """Return the kind of workers in a group, by its contract name; None for the API's."""
    found = _GROUP.match(str(group.properties.get("AutoScalingGroupName", "")))
    return found["kind"] if found else None


def _run_s(function: Resource, month: Month) -> float:
    """Return how long a run takes: by its package in `lambdas`, or the time-out."""
    _, _, rest = str(function.properties["Handler"]).partition("lambdas.")
    timeout_s = float(function.properties.get("Timeout", 3))
    return month.usage.functions_s.get(rest.partition(".")[0], timeout_s)


def machine(
    part: str,
    template: Resource,
    resource: Resource,
    types: list[tuple[str, float, float]],
    month: Month,
) -> Iterator[Need]:
    """Hours of each type at its share of the list price, and the disks and addresses with them."""
    for instance_type, hours, share in types:
        yield Need(part, f"ec2.{instance_type}", hours, resource.name, share)
    hours = sum(each for _, each, _ in types)
    data = template.properties["LaunchTemplateData"]
    yield Need(part, "ebs.gp3", _disk_gb(data) * hours / month.hours, template.name)
    if _is_public(resource, template, month):
        yield Need(part, "ipv4", hours, resource.name)
    if data.get("Monitoring", {}).get("Enabled"):
        yield Need(part, "metric", _DETAILED_METRICS * hours / month.hours, template.name)


def _mix(
    resource: Resource, template: Resource, hours: float, month: Month
) -> list[tuple[str, float, float]]:
    """Split hours into on demand, of the first type listed, and Spot, spread over all of them.

    Instances of the on-demand base take the first jobs: all hours that so many can work.
    """
    policy = resource.properties.get("MixedInstancesPolicy")
    if policy is None:
        return [(_type(template), hours, 1.0)]
    listed = [each["InstanceType"] for each in policy["LaunchTemplate"].get("Overrides", [])]
    types = listed or [_type(template)]
    wanted = policy.get("InstancesDistribution", {})
    base = min(hours, float(wanted.get("OnDemandBaseCapacity", 0)) * month.hours)
    above = float(wanted.get("OnDemandPercentageAboveBaseCapacity", 100)) / 100
    on_demand = base + (hours - base) * above
    paid = 1 - month.prices.spot_discount
    spot = [(each, (hours - on_demand) / len(types), paid) for each in types]
    return [each for each in [(types[0], on_demand, 1.0), *spot] if each[1]]


def template_of(resource: Resource, month: Month) -> Resource:
    policy = resource.properties.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    named = policy.get("LaunchTemplateSpecification") or resource.properties["LaunchTemplate"]
    found = month.estate.named(resource, named["LaunchTemplateId"])
    return next(each for each in found if each.type_name == "AWS::EC2::LaunchTemplate")


def _type(template: Resource) -> str:
    return str(template.properties["LaunchTemplateData"]["InstanceType"])


def _disk_gb(properties: dict[str, Any]) -> float:
    disks = properties.get("BlockDeviceMappings", [])
    return sum(float(each["Ebs"].get("VolumeSize", _IMAGE_DISK_GB)) for each in disks) or float(
        _IMAGE_DISK_GB
    )


def _is_public(resource: Resource, template: Resource, month: Month) -> bool:
    """Whether instances get a public address: from their template, else from their subnets."""
    for card in template.properties["LaunchTemplateData"].get("NetworkInterfaces", []):
        if "AssociatePublicIpAddress" in card:
            return bool(card["AssociatePublicIpAddress"])
    subnets = month.estate.named(resource, resource.properties["VPCZoneIdentifier"])
    return any(each.properties.get("MapPublicIpOnLaunch") for each in subnets)

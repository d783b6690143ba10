"""The arithmetic of a group: whom to launch, whom to end, what a policy makes of the size. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from local.services.autoscaling.model import IN_SERVICE, Group, Member, invalid

#: Policies played; the others of AWS are refused.
TERMINATION_POLICIES = ("Default", "OldestInstance", "NewestInstance", "OldestLaunchTemplate")


def clamp(group: Group, size: int) -> int:
    """Return a size within the group's limits."""
    return max(group.minimum, min(group.maximum, size))


def wanted(group: Group) -> int:
    """Return how many instances the group is to have now.

    A refresh that may not go below the desired capacity has one more while it replaces.
    """
    refresh = group.refresh
    surge = refresh is not None and refresh.min_healthy_percent == 100 and bool(refresh.old)
    return group.desired + int(surge)


def to_launch(group: Group, now: float) -> int:
    """Return how many instances are missing and may be launched now."""
    if group.deleting or not group.runs("Launch") or now < group.launch_not_before:
        return 0
    return max(0, wanted(group) - len(group.active))


def to_end(group: Group) -> list[Member]:
    """Return the instances that scale-in ends now: never a protected one."""
    if not group.runs("Terminate"):
        return []
    surplus = len(group.active) - wanted(group)
    candidates = [member for member in group.active if not member.protected]
    return order(group, candidates)[: max(0, surplus)]


def order(group: Group, members: Iterable[Member]) -> list[Member]:
    """Return instances in the order in which the group's termination policy ends them."""
    policy = (group.settings.get("TerminationPolicies") or ["Default"])[0]
    oldest_first = sorted(members, key=lambda m: (m.launched_at, m.instance_id))
    if policy == "NewestInstance":
        return oldest_first[::-1]
    if policy == "OldestInstance":
        return oldest_first
    return sorted(oldest_first, key=lambda m: int(m.template.get("Version", "0")))


def over_age(group: Group, now: float) -> list[Member]:
    """Return the unprotected instances past MaxInstanceLifetime, at most one, the oldest."""
    lifetime_s = group.settings.get("MaxInstanceLifetime") or 0
    if not lifetime_s or not group.runs("Terminate"):
        return []
    old = [m for m in group.active if not m.protected and now - m.launched_at >= lifetime_s]
    return sorted(old, key=lambda m: m.launched_at)[:1]


def warming(group: Group, warmup_s: float, now: float) -> int:
    """Return how many instances are launching or not warm yet."""
    missing = max(0, group.desired - len(group.active))
    cold = [
        m
        for m in group.active
        if m.state != IN_SERVICE or now - (m.in_service_at or now) < warmup_s
    ]
    return missing + len(cold)


def warmup_of(group: Group, given: float | None) -> float:
    """Return a warm-up in seconds: the one given, the group's, or its health check grace."""
    default = group.settings.get("DefaultInstanceWarmup")
    if given is not None:
        return given
    if default is not None and default >= 0:
        return float(default)
    return float(group.settings.get("HealthCheckGracePeriod") or 0)


def on_spot(group: Group) -> bool:
    """Say whether the next instance is a spot one, by the mixed instances policy."""
    mixed = group.settings.get("MixedInstancesPolicy") or {}
    spread = mixed.get("InstancesDistribution") or {}
    base = int(spread.get("OnDemandBaseCapacity") or 0)
    percent = int(spread.get("OnDemandPercentageAboveBaseCapacity", 100))
    on_demand = sum(not member.spot for member in group.active)
    above = max(0, len(group.active) + 1 - base)
    return on_demand >= base + math.ceil(above * percent / 100)


def pool_of(group: Group, spot: bool, pools: int) -> int:
    """Return from which of `pools` instance types, in their order, the next instance comes.

    On demand takes the first. Spot takes them in turn: here no pool is cheaper or fuller than
    another, and what AWS makes of its own is a spread over the pools.
    """
    return sum(member.spot for member in group.active) % pools if spot else 0


def adjusted(size: int, kind: str, amount: int, magnitude: int | None = None) -> int:
    """Return a size after one adjustment of a policy.

    A percentage is rounded away from zero below 1, towards zero above, and moves at least
    `magnitude` instances.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
    """
    if kind == "ExactCapacity":
        return amount
    if kind == "ChangeInCapacity":
        return size + amount
    change = size * amount / 100
    whole = math.copysign(1, change) if 0 < abs(change) < 1 else math.trunc(change)
    if magnitude and amount and abs(whole) < magnitude:
        whole = math.copysign(magnitude, amount)
    return size + int(whole)


def step_of(policy: Mapping[str, Any], breach: float) -> int | None:
    """Return the adjustment of the step that holds `breach` (metric less threshold), if any."""
    for step in policy["StepAdjustments"]:
        low = step.get("MetricIntervalLowerBound", -math.inf)
        high = step.get("MetricIntervalUpperBound", math.inf)
        inside = low <= breach < high if breach >= 0 else low < breach <= high
        if inside:
            return int(step["ScalingAdjustment"])
    return None


def by_steps(group: Group, policy: Mapping[str, Any], breach: float, now: float) -> int:
    """Return the desired capacity that a step policy asks for.

    Capacity still warming up counts: it is not added a second time, and nothing is removed
    while there is any.
    """
    amount = step_of(policy, breach)
    if amount is None:
        return group.desired
    kind, magnitude = policy["AdjustmentType"], policy.get("MinAdjustmentMagnitude")
    cold = warming(group, warmup_of(group, policy.get("EstimatedInstanceWarmup")), now)
    warm_size = max(0, group.desired - cold)
    size = clamp(
        group, adjusted(warm_size if amount > 0 else group.desired, kind, amount, magnitude)
    )
    if kind == "ExactCapacity":
        size = clamp(group, amount)
    if size < group.desired and (cold or (amount > 0 and kind != "ExactCapacity")):
        return group.desired
    return size


def by_target(group: Group, policy: Mapping[str, Any], value: float, now: float) -> int:
    """Return the desired capacity at which a mean of `value` would be the policy's target.

    It goes up at once and counts what is still warming up; it goes down only when nothing is.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
    """
    tracking = policy["TargetTrackingConfiguration"]
    target = float(tracking["TargetValue"])
    usual_s = group.settings.get("DefaultInstanceWarmup", group.settings["DefaultCooldown"])
    cold = warming(group, policy.get("EstimatedInstanceWarmup", usual_s), now)
    measured = max(0, group.desired - cold)
    size = clamp(group, math.ceil(measured * value / target))
    if value > target:
        return max(group.desired, size)
    if cold or tracking.get("DisableScaleIn"):
        return group.desired
    return min(group.desired, size)


def in_cooldown(group: Group, cooldown_s: float, now: float) -> bool:
    """Say whether the last scaling is younger than the cooldown."""
    return group.scaled_at is not None and now - group.scaled_at < cooldown_s


def check_limits(group: Group, minimum: int, maximum: int, desired: int) -> None:
    """Refuse limits that contradict each other. Raises: ServiceError."""
    if minimum > maximum:
        raise invalid("Max bound, min bound and desired capacity must satisfy min <= max")
    if not minimum <= desired <= maximum:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{minimum} and max "
            f"size:{maximum}"
        )

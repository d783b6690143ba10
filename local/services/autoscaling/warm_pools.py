"""Warm pools: the operations, and which instances a group keeps prepared. The arithmetic is pure.

Played are pools of stopped instances that are filled by launches alone: no instance returns to its
pool.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
"""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.services.autoscaling import describe, lifecycle, texts
from local.services.autoscaling.model import (
    WARM_STOPPED,
    Group,
    Member,
    Store,
    WarmPool,
    invalid,
)

_PARAMETERS = {"AutoScalingGroupName", "MaxGroupPreparedCapacity", "MinSize", "PoolState"}


class WarmPoolOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def put_warm_pool(self, params: dict[str, Any]) -> dict[str, Any]:
        """Give a group a pool, or change what is given of the one that it has."""
        group = self._store.group(params["AutoScalingGroupName"])
        if unknown := sorted(set(params) - _PARAMETERS):
            raise invalid(f"The embedded Auto Scaling does not play {', '.join(unknown)}")
        if (state := params.get("PoolState", "Stopped")) != "Stopped":
            raise invalid(f"PoolState {state!r} is not played here; allowed: Stopped")
        check_no_spot(group.settings, True)
        before = group.pool or WarmPool(0, None)
        prepared = int(params.get("MaxGroupPreparedCapacity", before.prepared or -1))
        minimum = int(params.get("MinSize", before.minimum))
        group.pool = WarmPool(minimum, None if prepared == -1 else prepared)
        return {}

    def describe_warm_pool(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the pool and its instances."""
        group = self._store.group(params["AutoScalingGroupName"])
        shown, more = describe.page(pooled(group), params, 50)
        instances = [describe.member_of(member) for member in shown]
        configuration = describe.pool_of(group)
        return {**describe.present(WarmPoolConfiguration=configuration), "Instances": instances} | (
            more
        )

    def delete_warm_pool(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete the pool; its instances end."""
        group, now = self._store.group(params["AutoScalingGroupName"]), self._clock.now()
        if group.pool is None:
            raise invalid(f"No warm pool found for group {group.name}")
        group.pool = None
        for member in pooled(group):
            lifecycle.leave(group, member, texts.taken_out("a user request", now), now)
        return {}


def check_no_spot(settings: dict[str, Any], has_pool: bool) -> None:
    """Refuse Spot instances beside a warm pool. Raises: ServiceError.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html
    """
    spread = (settings.get("MixedInstancesPolicy") or {}).get("InstancesDistribution") or {}
    if has_pool and int(spread.get("OnDemandPercentageAboveBaseCapacity", 100)) < 100:
        raise invalid("You cannot have a warm pool in a group that requests Spot Instances.")


def pooled(group: Group) -> list[Member]:
    """Return the instances of the pool, those that stand stopped for longest first."""
    members = [member for member in group.members.values() if member.warm]
    return sorted(members, key=lambda m: (m.state != WARM_STOPPED, m.launched_at, m.instance_id))


def stopped(group: Group) -> list[Member]:
    """Return the instances that a launch can take."""
    return [member for member in pooled(group) if member.state == WARM_STOPPED]


def pool_size(group: Group) -> int:
    """Return how many instances the pool is to have.

    The capacity that is to be prepared, without what is in service or asked for; not below the
    pool's minimum.
    """
    if group.pool is None or group.deleting:
        return 0
    prepared = group.maximum if group.pool.prepared is None else group.pool.prepared
    return max(group.pool.minimum, prepared - group.desired, 0)


def to_prepare(group: Group, now: float) -> int:
    """Return how many instances are to be launched into the pool now."""
    if not group.runs("Launch") or now < group.launch_not_before:
        return 0
    return max(0, pool_size(group) - len(pooled(group)))


def surplus(group: Group) -> list[Member]:
    """Return the instances that the pool has too many, those not prepared yet first."""
    if not group.runs("Terminate"):
        return []
    return pooled(group)[::-1][: max(0, len(pooled(group)) - pool_size(group))]

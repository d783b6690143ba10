"""AWS/AutoScaling: the metrics that a group has enabled."""

from __future__ import annotations

from collections.abc import Iterable

from local.control.minutes import MinuteMetrics
from local.services.autoscaling.model import (
    IN_SERVICE,
    PENDING,
    TERMINATING,
    WARM_STOPPED,
    Group,
    Store,
)
from local.services.autoscaling.sources import ClientSource
from local.services.autoscaling.warm_pools import pool_size, pooled


class GroupMetrics(MinuteMetrics):
    """Publishes sizes and instance counts of every group each minute."""

    namespace = "AWS/AutoScaling"
    dimension = "AutoScalingGroupName"

    def __init__(self, clients: ClientSource, store: Store) -> None:
        super().__init__(clients)
        self._store = store

    def read(self) -> Iterable[tuple[str, dict[str, tuple[float, str]]]]:
        """Return each group's enabled metrics; those of standby are always 0."""
        with self._store.lock:
            for group in list(self._store.groups.values()):
                values = _values(group)
                yield (
                    group.name,
                    {name: (values.get(name, 0), "None") for name in sorted(group.metrics)},
                )


def _values(group: Group) -> dict[str, float]:
    states = [member.state for member in group.members.values() if not member.warm]
    warm = [member.state for member in pooled(group)]
    counts = {
        "InService": states.count(IN_SERVICE),
        "Pending": sum(state.startswith(PENDING) for state in states),
        "Terminating": sum(state.startswith(TERMINATING) for state in states),
        "Total": len(states),
    }
    values: dict[str, float] = {
        "GroupMinSize": group.minimum,
        "GroupMaxSize": group.maximum,
        "GroupDesiredCapacity": group.desired,
        "WarmPoolMinSize": group.pool.minimum if group.pool else 0,
        "WarmPoolDesiredCapacity": pool_size(group),
        "WarmPoolWarmedCapacity": warm.count(WARM_STOPPED),
        "WarmPoolPendingCapacity": len(warm) - warm.count(WARM_STOPPED),
        "WarmPoolTotalCapacity": len(warm),
        "GroupAndWarmPoolDesiredCapacity": group.desired + pool_size(group),
        "GroupAndWarmPoolTotalCapacity": len(states) + len(warm),
    }
    for name, count in counts.items():
        values[f"Group{name}Instances"] = values[f"Group{name}Capacity"] = count
    return values

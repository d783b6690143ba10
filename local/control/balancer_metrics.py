"""AWS/ApplicationELB: requests, answers, latency and target health, really counted.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from local.control.minutes import PERIOD_S
from local.hosts.lb_traffic import Exchange
from local.services.autoscaling.sources import ClientSource

#: Latencies published a minute and target group, of more every so many-th.
_LATENCIES = 200
_BATCH = 500

#: Healthy and unhealthy targets by balancer and target group, ARNs.
Health = dict[tuple[str, str], tuple[int, int]]


class BalancerMetrics:
    """Publishes each full minute under its own time; counts of nothing are not published."""

    def __init__(
        self,
        clients: ClientSource,
        taken: Callable[[], Sequence[Exchange]],
        health: Callable[[], Health],
    ) -> None:
        self._clients = clients
        self._taken = taken
        self._health = health
        self._minute: int | None = None

    def tick(self, now: float) -> None:
        """Publish the minute that is over."""
        minute = int(now // PERIOD_S)
        if self._minute is None or minute == self._minute:
            self._minute = minute
            return
        moment = datetime.fromtimestamp(self._minute * PERIOD_S, UTC)
        self._minute = minute
        data = [
            {"Timestamp": moment, **point}
            for point in (*_counts(self._taken()), *_states(self._health()))
        ]
        for start in range(0, len(data), _BATCH):
            self._clients.client("cloudwatch").put_metric_data(
                Namespace="AWS/ApplicationELB", MetricData=data[start : start + _BATCH]
            )


def _counts(exchanges: Sequence[Exchange]) -> Iterator[dict[str, Any]]:
    counts: Counter[tuple[str, str, str | None]] = Counter()
    latencies: dict[tuple[str, str], list[float]] = {}
    for one in exchanges:
        hundred = f"{one.status // 100}XX_Count"
        if one.group is None:
            counts[f"HTTPCode_ELB_{hundred}", one.balancer, None] += 1
            continue
        for name in ("RequestCount", f"HTTPCode_Target_{hundred}"):
            counts[name, one.balancer, None] += 1
            counts[name, one.balancer, one.group] += 1
        latencies.setdefault((one.balancer, one.group), []).append(one.seconds)
    for (name, balancer, group), count in counts.items():
        yield _point(name, balancer, group, count, "Count")
    for (balancer, group), seconds in latencies.items():
        for value in seconds[:: -(-len(seconds) // _LATENCIES)]:
            for place in (None, group):
                yield _point("TargetResponseTime", balancer, place, value, "Seconds")


def _states(health: Health) -> Iterator[dict[str, Any]]:
    for (balancer, group), (healthy, unhealthy) in health.items():
        yield _point("HealthyHostCount", balancer, group, healthy, "Count")
        yield _point("UnHealthyHostCount", balancer, group, unhealthy, "Count")


def _point(name: str, balancer: str, group: str | None, value: float, unit: str) -> dict[str, Any]:
    dimensions = [{"Name": "LoadBalancer", "Value": balancer.partition(":loadbalancer/")[2]}]
    if group is not None:
        dimensions.append({"Name": "TargetGroup", "Value": group.rpartition(":")[2]})
    return {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}

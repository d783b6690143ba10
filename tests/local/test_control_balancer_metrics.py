"""What CloudWatch is told of load balancers: each full minute, under its own time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from local.control.balancer_metrics import BalancerMetrics
from local.hosts.lb_traffic import Traffic

BALANCER = "arn:aws:elasticloadbalancing:ap-northeast-2:1:loadbalancer/app/api/0a"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-2:1:targetgroup/api/0b"


class CloudWatch:
    """Keeps what is put; also the source of clients."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, bool], list[float]] = defaultdict(list)
        self.times: set[float] = set()
        self.places: set[tuple[str, str]] = set()

    def client(self, service: str) -> CloudWatch:
        assert service == "cloudwatch"
        return self

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's
        assert Namespace == "AWS/ApplicationELB"
        for point in MetricData:
            of_group = len(point["Dimensions"]) == 2
            self.values[point["MetricName"], of_group].append(point["Value"])
            self.times.add(point["Timestamp"].timestamp())
            self.places |= {(one["Name"], one["Value"]) for one in point["Dimensions"]}


def test_a_minutes_answers_are_told_once_it_is_over() -> None:
    cloudwatch, traffic = CloudWatch(), Traffic()
    metrics = BalancerMetrics(cloudwatch, traffic.taken, lambda: {(BALANCER, GROUP): (1, 2)})
    metrics.tick(600.0)
    for status, seconds in ((200, 0.1), (204, 0.2), (404, 0.3), (500, 4.0)):
        traffic.add(BALANCER, GROUP, status, seconds)
    traffic.add(BALANCER, None, 502, 0.0)
    metrics.tick(659.0)
    assert cloudwatch.values == {}
    metrics.tick(660.0)
    assert cloudwatch.times == {600.0}
    assert cloudwatch.places == {
        ("LoadBalancer", "app/api/0a"),
        ("TargetGroup", "targetgroup/api/0b"),
    }
    told = {name: values for (name, of_group), values in cloudwatch.values.items() if of_group}
    assert told == {
        "RequestCount": [4],
        "HTTPCode_Target_2XX_Count": [2],
        "HTTPCode_Target_4XX_Count": [1],
        "HTTPCode_Target_5XX_Count": [1],
        "TargetResponseTime": [0.1, 0.2, 0.3, 4.0],
        "HealthyHostCount": [1],
        "UnHealthyHostCount": [2],
    }
    assert cloudwatch.values["HTTPCode_ELB_5XX_Count", False] == [1]
    assert cloudwatch.values["RequestCount", False] == [4]


def test_a_quiet_minute_tells_of_targets_alone() -> None:
    cloudwatch = CloudWatch()
    metrics = BalancerMetrics(cloudwatch, Traffic().taken, lambda: {(BALANCER, GROUP): (1, 0)})
    metrics.tick(0.0)
    metrics.tick(60.0)
    assert {name for name, _ in cloudwatch.values} == {"HealthyHostCount", "UnHealthyHostCount"}


def test_a_busy_minute_is_told_by_a_few_hundred_latencies() -> None:
    cloudwatch, traffic = CloudWatch(), Traffic()
    metrics = BalancerMetrics(cloudwatch, traffic.taken, dict)
    metrics.tick(0.0)
    for number in range(10_000):
        traffic.add(BALANCER, GROUP, 200, number / 10_000)
    metrics.tick(60.0)
    latencies = cloudwatch.values["TargetResponseTime", True]
    assert 100 <= len(latencies) <= 200
    assert cloudwatch.values["RequestCount", True] == [10_000]

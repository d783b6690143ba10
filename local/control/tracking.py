"""Target tracking: the two alarms that Auto Scaling keeps for each policy of that kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.services.autoscaling.model import Store
from local.services.autoscaling.sources import ClientSource

#: Minutes above the target before instances are added, and below the low mark before any is taken
#: away; the mark is this share of the target. As Auto Scaling's own alarms for CPU use are made:
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
OUT_MINUTES, IN_MINUTES, LOW_SHARE = 3, 15, 0.7


class Tracking:
    """Makes, changes and deletes those alarms; the alarms' own evaluation executes the policies."""

    def __init__(self, clients: ClientSource, store: Store) -> None:
        self._clients = clients
        self._store = store
        self._made: dict[str, dict[str, Any]] = {}

    def tick(self, now: float) -> None:
        """Let there be the alarms of the policies that there are."""
        with self._store.lock:
            wanted = {alarm["AlarmName"]: alarm for alarm in self._wanted()}
        cloudwatch = self._clients.client("cloudwatch")
        if gone := sorted(self._made.keys() - wanted.keys()):
            cloudwatch.delete_alarms(AlarmNames=gone)
        for name, alarm in wanted.items():
            if self._made.get(name) != alarm:
                cloudwatch.put_metric_alarm(**alarm)
        self._made = wanted

    def _wanted(self) -> Iterator[dict[str, Any]]:
        for group in self._store.groups.values():
            for policy in group.policies.values():
                if policy["PolicyType"] == "TargetTrackingScaling":
                    yield from _alarms(group.name, policy)


def _alarms(group: str, policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    target = float(policy["TargetTrackingConfiguration"]["TargetValue"])
    high, low = (alarm["AlarmName"] for alarm in policy["Alarms"])
    for name, comparison, threshold, minutes in (
        (high, "GreaterThanThreshold", target, OUT_MINUTES),
        (low, "LessThanThreshold", target * LOW_SHARE, IN_MINUTES),
    ):
        yield {
            "AlarmName": name,
            "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "
            f"{policy['PolicyARN']}.",
            "Namespace": "AWS/EC2",
            "MetricName": "CPUUtilization",
            "Dimensions": [{"Name": "AutoScalingGroupName", "Value": group}],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": minutes,
            "Threshold": threshold,
            "ComparisonOperator": comparison,
            "AlarmActions": [policy["PolicyARN"]],
        }

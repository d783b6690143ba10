"""What an alarm does when its state changes: a scaling policy, an SNS topic."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.services.autoscaling.sources import ClientSource

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """An alarm's state before and after, its latest data point, why, and when."""

    before: str
    after: str
    value: float | None
    reason: str
    now: float


class AlarmActions:
    """Carries actions out; one that fails is logged, the alarm's state stays."""

    def __init__(self, clients: ClientSource) -> None:
        self._clients = clients

    def carry_out(self, alarm: Any, arn: str, change: Change, *, repeated: bool) -> None:
        """Carry out one action. A repetition concerns scaling policies alone."""
        service = arn.split(":")[2]
        try:
            if service == "autoscaling":
                self._scale(alarm, arn, change)
            elif service == "sns":
                if not repeated:
                    self._publish(alarm, arn, change)
            elif not repeated:
                _log.error("alarm %s: action %s is not played", alarm.name, arn)
        except ClientError as error:
            _log.error("alarm %s: action %s failed: %s", alarm.name, arn, error)

    def _scale(self, alarm: Any, arn: str, change: Change) -> None:
        """Execute a policy. Without any data point nothing is executed: silence moves nothing."""
        if change.value is None:
            _log.warning("alarm %s has no data: %s is not executed", alarm.name, arn)
            return
        autoscaling = self._clients.client("autoscaling")
        group = arn.split("autoScalingGroupName/", 1)[-1].split(":", 1)[0]
        if self._suspended(autoscaling, group):
            return
        [policy] = autoscaling.describe_policies(PolicyNames=[arn])["ScalingPolicies"]
        if not policy.get("Enabled", True):
            return
        values: dict[str, Any] = {"HonorCooldown": True}
        if policy["PolicyType"] != "SimpleScaling":
            values = {"MetricValue": change.value, "BreachThreshold": float(alarm.threshold)}
        try:
            autoscaling.execute_policy(AutoScalingGroupName=group, PolicyName=arn, **values)
        except autoscaling.exceptions.ScalingActivityInProgressFault:
            _log.info("alarm %s: %s is in its cooldown", alarm.name, group)

    @staticmethod
    def _suspended(autoscaling: Any, group: str) -> bool:
        found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return any(
            process["ProcessName"] == "AlarmNotification"
            for each in found["AutoScalingGroups"]
            for process in each["SuspendedProcesses"]
        )

    def _publish(self, alarm: Any, arn: str, change: Change) -> None:
        message = {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": arn.split(":")[4],
            "AlarmArn": alarm.alarm_arn,
            "NewStateValue": change.after,
            "OldStateValue": change.before,
            "NewStateReason": change.reason,
            "StateChangeTime": datetime.fromtimestamp(change.now, UTC).isoformat(),
            "Region": arn.split(":")[3],
        }
        subject = f'{change.after}: "{alarm.name}"'[:100]
        self._clients.client("sns").publish(
            TopicArn=arn, Subject=subject, Message=json.dumps(message)
        )

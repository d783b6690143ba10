"""An embedded AWS with a clock moved by hand, its alarms, and a fleet for them to act on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local.clients import ACCOUNT, REGION
from local.clock import ManualClock
from local.control.alarms import Alarms
from local.server import build

#: The first second of a minute.
START = 1_750_000_020.0 - 1_750_000_020.0 % 60


class Account:
    """An embedded AWS with a clock moved by hand and its alarms."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.aws = build(port=4566, clock=self.clock)
        self.cloudwatch = self.aws.clients.client("cloudwatch")
        self.autoscaling = self.aws.clients.client("autoscaling")
        self.alarms = Alarms(self.aws.clients, account=ACCOUNT, region=REGION)

    def alarm(self, **values: Any) -> None:
        self.cloudwatch.put_metric_alarm(
            **{
                "AlarmName": "a",
                "Namespace": "N",
                "MetricName": "m",
                "Dimensions": [{"Name": "d", "Value": "1"}],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                **values,
            }
        )

    def put(self, value: float, *dimensions: str) -> None:
        named = [{"Name": n, "Value": "1"} for n in dimensions or ("d",)]
        moment = datetime.fromtimestamp(self.clock.now(), UTC)
        datum = {"MetricName": "m", "Dimensions": named, "Timestamp": moment, "Value": value}
        self.cloudwatch.put_metric_data(Namespace="N", MetricData=[datum])

    def pass_minutes(self, count: int = 1) -> None:
        for _ in range(count * 6):
            self.clock.advance(10)
            self.alarms.tick(self.clock.now())

    def state(self, name: str = "a") -> str:
        found = self.cloudwatch.describe_alarms(AlarmNames=[name])
        [alarm] = found["MetricAlarms"] + found["CompositeAlarms"]
        return alarm["StateValue"]

    def fleet(self, **policy: Any) -> str:
        template = self.aws.clients.client("ec2").create_launch_template(
            LaunchTemplateName="t", LaunchTemplateData={"InstanceType": "t3.small"}
        )["LaunchTemplate"]["LaunchTemplateId"]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="g",
            LaunchTemplate={"LaunchTemplateId": template},
            AvailabilityZones=["ap-northeast-2a"],
            MinSize=0,
            MaxSize=10,
            DesiredCapacity=2,
        )
        return self.autoscaling.put_scaling_policy(
            **{
                "AutoScalingGroupName": "g",
                "PolicyName": "p",
                "PolicyType": "StepScaling",
                "AdjustmentType": "ExactCapacity",
                **policy,
            }
        )["PolicyARN"]

    def desired(self) -> int:
        [group] = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return group["DesiredCapacity"]

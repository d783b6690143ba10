"""All controllers together: a backlog brings an instance, and its absence lets it go."""

from __future__ import annotations

from typing import Any, cast

from local.clients import ACCOUNT, REGION
from local.clock import ManualClock
from local.control.assembly import controllers
from local.control.loop import Loop
from local.hosts import Hosts
from local.server import build
from local.services.autoscaling.service import AutoScalingService
from local.services.rotations import Rotations
from local.services.sqs.service import SqsService


class Machines:
    """Instances that run until they are stopped."""

    def __init__(self) -> None:
        self.running: set[str] = set()

    def ensure(self, instance_id: str, **_: object) -> None:
        self.running.add(instance_id)

    def stop(self, instance_id: str, grace_s: float) -> None:
        self.running.discard(instance_id)

    def ended(self) -> list[str]:
        return []

    def cpu_s(self, instance_id: str) -> float | None:
        return None


def test_an_alarm_on_a_queue_brings_an_instance_and_its_end_lets_it_go() -> None:
    clock, machines = ManualClock(), Machines()
    aws = build(port=4566, clock=clock)
    sqs, autoscaling, cloudwatch, ec2 = (
        aws.clients.client(name) for name in ("sqs", "autoscaling", "cloudwatch", "ec2")
    )
    loop = Loop(
        clock,
        controllers(
            aws.clients,
            Hosts(instances=cast(Any, machines)),
            sqs=cast(SqsService, aws.services["sqs"]),
            autoscaling=cast(AutoScalingService, aws.services["autoscaling"]),
            rotations=cast(Rotations, aws.services["secretsmanager"]),
            account=ACCOUNT,
            region=REGION,
        ),
    )

    def pass_minutes(count: int) -> None:
        for _ in range(count * 12):
            clock.advance(5)
            loop.tick()

    ec2.create_launch_template(
        LaunchTemplateName="template", LaunchTemplateData={"ImageId": "ami-1"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="g",
        LaunchTemplate={"LaunchTemplateName": "template"},
        AvailabilityZones=["ap-northeast-2a"],
        MinSize=0,
        MaxSize=1,
    )
    policy = {"AutoScalingGroupName": "g", "PolicyType": "StepScaling"}
    sizes = {
        size: autoscaling.put_scaling_policy(
            **policy,
            PolicyName=f"to-{size}",
            AdjustmentType="ExactCapacity",
            EstimatedInstanceWarmup=0,
            StepAdjustments=[{"MetricIntervalLowerBound": 0, "ScalingAdjustment": size}]
            if size
            else [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": size}],
        )["PolicyARN"]
        for size in (0, 1)
    }
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    cloudwatch.put_metric_alarm(
        AlarmName="backlog",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "jobs"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[sizes[1]],
        OKActions=[sizes[0]],
    )
    pass_minutes(2)
    assert machines.running == set()
    sqs.send_message(QueueUrl=url, MessageBody="m")
    pass_minutes(3)
    assert len(machines.running) == 1
    sqs.purge_queue(QueueUrl=url)
    pass_minutes(3)
    assert machines.running == set()

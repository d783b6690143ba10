"""A fleet in the embedded AWS, in process and under a hand-moved clock, and a look at it."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from config.contracts.fleet_facts import FleetFact
from lambdas.queue_depth_metric.budget import TICK_ROOM_S, Budget
from lambdas.queue_depth_metric.clients import Clients
from lambdas.queue_depth_metric.look import FleetLook
from local.clock import ManualClock
from local.control.fleets import Fleets
from local.server import EmbeddedAws, build
from local.services.autoscaling.service import AutoScalingService
from tests.unit.lambdas.metric_rules import RULES, rules

ENVIRONMENT = "local"
#: The estates of one embedded AWS differ by their names.
_MARKS = itertools.count()


def embedded() -> EmbeddedAws:
    """Return a fresh AWS. CloudWatch Logs takes no line that is older than two weeks."""
    return build(port=4566, clock=ManualClock(time.time()))


class Machines:
    """Instances that run until they are stopped."""

    def __init__(self) -> None:
        self.running: set[str] = set()

    def ensure(self, instance_id: str, **_: Any) -> None:
        self.running.add(instance_id)

    def stop(self, instance_id: str, grace_s: float) -> None:
        self.running.discard(instance_id)

    def ended(self) -> list[str]:
        return []


class Estate:
    """One fleet's queue, mixed group, log group and alarm; `lines` are its embedded metrics."""

    def __init__(self, aws: EmbeddedAws, **changed: Any) -> None:
        mark = next(_MARKS)
        names = {name: f"{RULES[name]}-{mark}" for name in ("group", "boot_log_group")}
        told = {"queues": (f"jobs-{mark}",), "breaker_alarm": f"breaker-{mark}", **names}
        self.rules = rules(**told, **changed)
        self.aws = aws
        assert isinstance(aws.clock, ManualClock)
        self.clock = aws.clock
        service = aws.services["autoscaling"]
        assert isinstance(service, AutoScalingService)
        service.store.groups.clear()
        self.fleets = Fleets(service.store, aws.clients, Machines())
        client = self.aws.clients.client
        self.clients = Clients(
            client("sqs"), client("cloudwatch"), client("autoscaling"), client("logs")
        )
        self._make()
        self.lines: list[dict[str, Any]] = []
        self.looks = self.fresh()

    def fresh(self, **clients: Any) -> FleetLook:
        """Return the function in a new container, some of its clients replaced."""
        return FleetLook(
            self.rules,
            Clients(**{**self.clients.__dict__, **clients}),
            environment=ENVIRONMENT,
            now=self.clock.now,
            write=lambda text: self.lines.extend(map(json.loads, text.splitlines())),
        )

    def look(
        self, fact: FleetFact | None = None, *, after_s: float = 10, by: FleetLook | None = None
    ) -> list[dict[str, Any]]:
        """Let time pass and Auto Scaling act, look, and return the metrics of this look.

        `fact` is what the API says of the fleet; None when it does not answer.
        """
        self.wait(after_s)
        known: Future[Mapping[str, FleetFact] | None] = Future()
        known.set_result(None if fact is None else {self.rules.kind: fact})
        before = len(self.lines)
        ends_at_s = self.clock.now() + TICK_ROOM_S
        (by or self.looks).look(known.result, Budget(ends_at_s, self.clock.now))
        return self.lines[before:]

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.fleets.tick(self.clock.now())

    def group(self) -> dict[str, Any]:
        found = self.clients.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.rules.group]
        )
        return dict(found["AutoScalingGroups"][0])

    def desired(self) -> int:
        return int(self.group()["DesiredCapacity"])

    def instances(self) -> list[str]:
        return [
            each["InstanceId"]
            for each in self.group()["Instances"]
            if each["LifecycleState"] == "InService"
        ]

    def on_demand_percent(self) -> int:
        mix = self.group()["MixedInstancesPolicy"]["InstancesDistribution"]
        return int(mix["OnDemandPercentageAboveBaseCapacity"])

    def send(self, count: int) -> None:
        for index in range(count):
            self.clients.sqs.send_message(QueueUrl=self.queue, MessageBody=str(index))

    def record(self, instance_id: str, *, failed: bool, reason: str = "manifest unknown") -> None:
        """Write what an instance writes at the end of its boot, among its other lines."""
        at_ms = int(self.clock.now() * 1000)
        lines = "+ docker pull", json.dumps(self._record(instance_id, failed, reason))
        target = {
            "logGroupName": self.rules.boot_log_group,
            "logStreamName": f"boot/{instance_id}",
        }
        self.clients.logs.create_log_stream(**target)
        self.clients.logs.put_log_events(
            **target, logEvents=[{"timestamp": at_ms, "message": line} for line in lines]
        )

    def _record(self, instance_id: str, failed: bool, reason: str) -> dict[str, Any]:
        return {
            "event": "boot",
            "outcome": "failed" if failed else "ended",
            "instance": instance_id,
            "BootSeconds": 12.0,
            "step": "pull" if failed else "",
            "reason": reason if failed else "",
        }

    def _make(self) -> None:
        self.queue = self.clients.sqs.create_queue(QueueName=self.rules.queues[0])["QueueUrl"]
        self.clients.logs.create_log_group(logGroupName=self.rules.boot_log_group)
        self.clients.cloudwatch.put_metric_alarm(
            AlarmName=self.rules.breaker_alarm,
            Namespace="Academy/Workers",
            MetricName="BreakerOpen",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        script = base64.b64encode(b"#!/bin/bash\n").decode()
        data = {"InstanceType": "c7g.xlarge", "ImageId": "ami-1", "UserData": script}
        template = self.aws.clients.client("ec2").create_launch_template(
            LaunchTemplateName=self.rules.group, LaunchTemplateData=data
        )["LaunchTemplate"]["LaunchTemplateId"]
        latest = {"LaunchTemplateId": template, "Version": "$Latest"}
        self.clients.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.rules.group,
            AvailabilityZones=["ap-northeast-2a"],
            MinSize=0,
            MaxSize=5,
            NewInstancesProtectedFromScaleIn=True,
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": latest,
                    "Overrides": [{"InstanceType": "c7g.xlarge"}, {"InstanceType": "m7g.xlarge"}],
                },
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 0,
                    "OnDemandPercentageAboveBaseCapacity": 0,
                    "SpotAllocationStrategy": "price-capacity-optimized",
                },
            },
        )

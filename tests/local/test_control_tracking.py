"""Target tracking of CPU use: the arithmetic, the measuring, and both through real alarms."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import given

from local.clients import ACCOUNT, REGION
from local.clock import ManualClock
from local.control.alarms import Alarms
from local.control.cpu_metrics import CpuMetrics
from local.control.fleets import Fleets
from local.control.loop import Loop
from local.control.tracking import Tracking
from local.processes import cpu_s_of
from local.server import build
from local.services.autoscaling.model import IN_SERVICE, Activity, Group, Member
from local.services.autoscaling.service import AutoScalingService
from local.services.autoscaling.sizing import by_target
from tests.local.waiting import until

NOW = 1_000_000.0
POLICY = {"TargetTrackingConfiguration": {"TargetValue": 70.0}, "EstimatedInstanceWarmup": 60}


def group_of(size: int, *, cold: int = 0, minimum: int = 1, maximum: int = 6) -> Group:
    """Return a group of `size` instances in service, the last `cold` of them since now."""
    group = Group("g", "arn", {"DefaultCooldown": 300}, minimum, maximum, size, NOW)
    for number in range(size):
        since = NOW if number >= size - cold else NOW - 3600
        activity = Activity("g", "", "", since)
        member = Member(f"i-{number}", "z", "t", "ami", {}, since, False, activity)
        member.state, member.in_service_at = IN_SERVICE, since
        group.members[member.instance_id] = member
    return group


@pytest.mark.parametrize(
    ("size", "cold", "percent", "expected"),
    [
        (1, 0, 70.0, 1),
        (1, 0, 71.0, 2),
        (2, 0, 100.0, 3),
        (6, 0, 100.0, 6),
        (2, 1, 100.0, 2),
        (3, 0, 20.0, 1),
        (3, 1, 20.0, 3),
        (2, 0, 0.0, 1),
    ],
)
def test_the_size_is_that_at_which_the_mean_would_be_the_target(
    size: int, cold: int, percent: float, expected: int
) -> None:
    assert by_target(group_of(size, cold=cold), POLICY, percent, NOW) == expected


@given(st.integers(1, 6), st.integers(0, 6), st.floats(0, 100))
def test_the_size_moves_towards_the_target_and_stays_within_the_limits(
    size: int, cold: int, percent: float
) -> None:
    found = by_target(group_of(size, cold=min(cold, size)), POLICY, percent, NOW)
    assert 1 <= found <= 6
    assert found >= size if percent > 70 else found <= size


def test_a_policy_that_may_not_scale_in_does_not() -> None:
    tracking = {"TargetValue": 70.0, "DisableScaleIn": True}
    policy = {**POLICY, "TargetTrackingConfiguration": tracking}
    assert by_target(group_of(3), policy, 1.0, NOW) == 3


@dataclass
class Machines:
    """Instances of which each uses `percent` of the machine."""

    clock: ManualClock
    percent: float = 0.0
    used: dict[str, float] = field(default_factory=dict)

    def ensure(self, instance_id: str, **_: object) -> None:
        self.used[instance_id] = 0.0

    def stop(self, instance_id: str, grace_s: float) -> None:
        self.used.pop(instance_id, None)

    def ended(self) -> list[str]:
        return []

    def cpu_s(self, instance_id: str) -> float | None:
        return self.used.get(instance_id)

    def work(self, seconds: float) -> None:
        for instance_id in self.used:
            self.used[instance_id] += self.percent / 100 * seconds * (os.cpu_count() or 1)


class Fleet:
    """A group that follows its CPU use, with the control loop ticked by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_750_000_020.0)
        self.machines = Machines(self.clock)
        aws = build(port=4566, clock=self.clock)
        service = cast(AutoScalingService, aws.services["autoscaling"])
        self.autoscaling = aws.clients.client("autoscaling")
        self.cloudwatch = aws.clients.client("cloudwatch")
        ec2 = aws.clients.client("ec2")
        ec2.create_launch_template(
            LaunchTemplateName="template", LaunchTemplateData={"ImageId": "ami-1"}
        )
        self.loop = Loop(
            self.clock,
            (
                Fleets(service.store, aws.clients, cast(Any, self.machines)),
                CpuMetrics(aws.clients, service.store, self.machines.cpu_s, self.clock.now),
                Tracking(aws.clients, service.store),
                Alarms(aws.clients, account=ACCOUNT, region=REGION),
            ),
        )
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="api",
            LaunchTemplate={"LaunchTemplateName": "template"},
            AvailabilityZones=["ap-northeast-2a"],
            MinSize=1,
            MaxSize=3,
        )
        self.policy = self.autoscaling.put_scaling_policy(
            AutoScalingGroupName="api",
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingConfiguration={
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ASGAverageCPUUtilization"
                },
                "TargetValue": 70.0,
            },
        )

    def run(self, *, minutes: int, percent: float) -> int:
        """Let the instances work for some minutes; return the group's size then."""
        self.machines.percent = percent
        for _ in range(minutes * 6):
            self.clock.advance(10)
            self.machines.work(10)
            self.loop.tick()
        [group] = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return int(group["DesiredCapacity"])


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def test_a_busy_group_grows_after_three_minutes_and_an_idle_one_shrinks_after_fifteen(
    fleet: Fleet,
) -> None:
    assert fleet.run(minutes=10, percent=60) == 1
    assert fleet.run(minutes=3, percent=95) == 1
    assert fleet.run(minutes=5, percent=95) == 2  # the new one is warming up
    assert fleet.run(minutes=14, percent=10) == 2
    assert fleet.run(minutes=4, percent=10) == 1


def test_a_suspended_group_stays_as_it_is(fleet: Fleet) -> None:
    fleet.autoscaling.suspend_processes(
        AutoScalingGroupName="api", ScalingProcesses=["AlarmNotification"]
    )
    assert fleet.run(minutes=8, percent=95) == 1


def test_the_alarms_of_a_policy_come_and_go_with_it(fleet: Fleet) -> None:
    fleet.run(minutes=1, percent=0)
    alarms = fleet.cloudwatch.describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmArn"] for alarm in alarms} == {
        alarm["AlarmARN"] for alarm in fleet.policy["Alarms"]
    }
    fleet.autoscaling.delete_policy(AutoScalingGroupName="api", PolicyName="cpu")
    fleet.run(minutes=1, percent=0)
    assert fleet.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_cpu_time_is_that_of_a_process_and_of_what_it_started() -> None:
    burn = "import time\nwhile time.process_time() < 0.4: pass\n"
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print('done', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        used = cpu_s_of(process.pid)
        assert used is not None
        assert used >= 0.35
    finally:
        process.kill()
        process.wait()
    until(lambda: cpu_s_of(process.pid) is None)

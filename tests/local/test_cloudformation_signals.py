"""Groups whose creation and rolling update wait for the signals of their instances."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clock import ManualClock
from local.control.fleets import Fleets
from local.server import EmbeddedAws, build
from local.services.autoscaling.service import AutoScalingService
from tests.local.stacks import Stacks, message, resource, template
from tests.local.waiting import until

SUSPENDED = ["AlarmNotification", "HealthCheck", "ReplaceUnhealthy"]
ROLLING = {
    "MinInstancesInService": 1,
    "MaxBatchSize": 1,
    "PauseTime": "PT10M",
    "WaitOnResourceSignals": True,
    "SuspendProcesses": SUSPENDED,
}


class Machines:
    """Instances that, once started, say what `answers` has for their launch template's version."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {}
        self.signal: Callable[[str, str], None] = lambda instance_id, status: None
        self.seen: list[tuple[str, int, list[str]]] = []
        self.look: Callable[[], tuple[int, list[str]]] = lambda: (0, [])

    def ensure(self, instance_id: str, *, user_data: str, **facts: Any) -> None:
        self.seen.append((user_data, *self.look()))
        answer = self.answers.get(user_data)
        if answer:
            threading.Timer(0.05, self.signal, (instance_id, answer)).start()

    def stop(self, instance_id: str, grace_s: float) -> None:
        """Nothing runs."""

    def ended(self) -> list[str]:
        return []


class Rollout:
    """A stack of one group, its control loop running."""

    def __init__(self, aws: EmbeddedAws, machines: Machines, clock: ManualClock) -> None:
        self.aws, self.machines, self.clock = aws, machines, clock
        self.stacks = Stacks(aws)
        self.autoscaling = aws.clients.client("autoscaling")
        machines.signal = self.signal
        machines.look = self.look

    def body(self, release: str, *, size: int = 1) -> str:
        data = {"ImageId": "ami-12c6146b", "InstanceType": "t4g.small"}
        data["UserData"] = {"Fn::Base64": release}
        group = resource(
            "AWS::AutoScaling::AutoScalingGroup",
            attributes={
                "CreationPolicy": {"ResourceSignal": {"Count": size, "Timeout": "PT10M"}},
                "UpdatePolicy": {"AutoScalingRollingUpdate": ROLLING},
            },
            AutoScalingGroupName="api",
            LaunchTemplate={
                "LaunchTemplateId": {"Ref": "Template"},
                "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
            },
            MinSize=str(size),
            MaxSize="4",
            VPCZoneIdentifier=[{"Ref": "Subnet"}],
        )
        return template(
            {
                "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
                "Subnet": resource(
                    "AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.1.0/24"
                ),
                "Template": resource("AWS::EC2::LaunchTemplate", LaunchTemplateData=data),
                "Group": group,
            }
        )

    def signal(self, instance_id: str, status: str) -> None:
        self.stacks.api.signal_resource(
            StackName="line", LogicalResourceId="Group", UniqueId=instance_id, Status=status
        )

    def look(self) -> tuple[int, list[str]]:
        found = self.group()
        return len(found["Instances"]), [p["ProcessName"] for p in found["SuspendedProcesses"]]

    def group(self) -> dict[str, Any]:
        return self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]

    def versions(self) -> list[str]:
        return sorted(entry["LaunchTemplate"]["Version"] for entry in self.group()["Instances"])

    def reason(self) -> str:
        events = self.stacks.api.describe_stack_events(StackName="line")["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
        return str(failed[0].get("ResourceStatusReason"))


@pytest.fixture
def rollout() -> Iterator[Rollout]:
    clock, machines = ManualClock(), Machines()
    aws = build(port=4566, clock=clock)
    service = aws.services["autoscaling"]
    assert isinstance(service, AutoScalingService)
    fleets = Fleets(service.store, aws.clients, machines)
    stopping = threading.Event()

    def loop() -> None:
        while not stopping.wait(0.02):
            fleets.tick(clock.now())

    thread = threading.Thread(target=loop)
    thread.start()
    yield Rollout(aws, machines, clock)
    stopping.set()
    thread.join()


def test_a_group_is_there_once_its_instances_have_said_so(rollout: Rollout) -> None:
    rollout.machines.answers = {"v1": "SUCCESS"}
    assert rollout.stacks.create("line", rollout.body("v1"))["StackStatus"] == "CREATE_COMPLETE"
    assert rollout.versions() == ["1"]


def test_a_creation_fails_with_its_first_instance_and_leaves_no_group(rollout: Rollout) -> None:
    rollout.machines.answers = {"v1": "FAILURE"}
    stack = rollout.stacks.create("line", rollout.body("v1"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    until(lambda: not rollout.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"])
    assert "Received 1 FAILURE signal(s) out of 1" in json.dumps(rollout.reason())


@pytest.mark.parametrize("size", [1, 3])
def test_a_release_replaces_one_instance_after_the_other_and_never_has_fewer(
    rollout: Rollout, size: int
) -> None:
    rollout.machines.answers = {"v1": "SUCCESS", "v2": "SUCCESS"}
    rollout.stacks.create("line", rollout.body("v1", size=size))
    rollout.machines.seen.clear()

    stack = rollout.stacks.update("line", rollout.body("v2", size=size))

    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    until(lambda: rollout.versions() == ["2"] * size)
    assert rollout.group()["DesiredCapacity"] == size
    assert [release for release, _, _ in rollout.machines.seen] == ["v2"] * size
    assert all(sorted(suspended) == SUSPENDED for _, _, suspended in rollout.machines.seen)
    assert rollout.group()["SuspendedProcesses"] == []


def test_a_release_whose_instance_fails_is_rolled_back_and_the_old_one_never_left(
    rollout: Rollout,
) -> None:
    rollout.machines.answers = {"v1": "SUCCESS", "v2": "FAILURE"}
    rollout.stacks.create("line", rollout.body("v1"))
    [before] = rollout.group()["Instances"]

    stack = rollout.stacks.update("line", rollout.body("v2"))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    until(lambda: len(rollout.group()["Instances"]) == 1)
    assert rollout.group()["Instances"] == [before]
    assert "FAILURE" in rollout.reason()
    assert rollout.group()["SuspendedProcesses"] == []


def test_a_release_that_fails_half_way_brings_the_old_one_back_everywhere(
    rollout: Rollout,
) -> None:
    rollout.machines.answers = {"v1": "SUCCESS", "v2": "SUCCESS"}
    rollout.stacks.create("line", rollout.body("v1", size=2))
    answers = iter(("SUCCESS", "FAILURE", "SUCCESS", "SUCCESS"))
    said = rollout.machines.signal
    rollout.machines.signal = lambda instance_id, _: said(instance_id, next(answers))

    stack = rollout.stacks.update("line", rollout.body("v2", size=2))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    until(lambda: len(rollout.group()["Instances"]) == 2)
    assert len(set(rollout.versions())) == 1
    assert [release for release, _, _ in rollout.machines.seen] == ["v1"] * 2 + ["v2"] * 2 + [
        "v1"
    ] * 2


def test_an_instance_that_says_nothing_fails_the_release_when_its_time_is_over(
    rollout: Rollout,
) -> None:
    rollout.machines.answers = {"v1": "SUCCESS"}
    rollout.stacks.create("line", rollout.body("v1"))
    updating = threading.Thread(target=rollout.stacks.update, args=("line", rollout.body("v2")))
    updating.start()
    until(lambda: rollout.machines.seen[-1][0] == "v2")
    rollout.clock.advance(599)
    time.sleep(0.3)
    assert rollout.stacks.describe("line")["StackStatus"] == "UPDATE_IN_PROGRESS"
    rollout.clock.advance(2)
    updating.join()
    assert rollout.stacks.describe("line")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Failed to receive 1 resource signal(s)" in rollout.reason()


def test_a_signal_that_nobody_waits_for_is_refused(rollout: Rollout) -> None:
    rollout.machines.answers = {"v1": "SUCCESS"}
    rollout.stacks.create("line", rollout.body("v1"))
    with pytest.raises(ClientError) as refused:
        rollout.signal("i-0abc", "SUCCESS")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert "not in a state to receive signals" in message(refused.value)

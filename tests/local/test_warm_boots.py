"""A deployed group with a warm pool of one: its instance boots twice, by the real boot script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from config.contracts.boot_records import STREAM_PREFIX
from local.clients import REGION
from local.clock import SystemClock
from local.control.fleets import Fleets
from local.hosts.imds import PREFIX, Imds
from local.hosts.instances import LocalInstances
from local.hosts.ports import free_port
from local.server import EmbeddedAws, build
from local.services.autoscaling.service import AutoScalingService
from local.supervisor import Supervisor
from stacks.constructs.boot_outcome import LAUNCHING_HOOK, TERMINATION_HOOK
from tests.local.stacks import Stacks, resource, template
from tests.local.test_worker_boots import put_image, script
from tests.local.waiting import until

GROUP = "g"


def hook(name: str, transition: str, result: str, wait_s: int) -> Any:
    return resource(
        "AWS::AutoScaling::LifecycleHook",
        AutoScalingGroupName={"Ref": "Group"},
        LifecycleHookName=name,
        LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
        DefaultResult=result,
        HeartbeatTimeout=wait_s,
    )


def body() -> str:
    data = {
        "IamInstanceProfile": {"Name": "workers"},
        "ImageId": "ami-12c6146b",
        "InstanceType": "t4g.small",
        "UserData": {"Fn::Base64": script("works", pooled=True, scratch=None)},
    }
    latest = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    warm = resource(
        "AWS::AutoScaling::WarmPool",
        attributes={"DependsOn": ["Prepare"]},
        AutoScalingGroupName={"Ref": "Group"},
        MinSize=1,
        MaxGroupPreparedCapacity=1,
        PoolState="Stopped",
    )
    return template(
        {
            "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
            "Subnet": resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.1.0/24"),
            "Logs": resource("AWS::Logs::LogGroup", LogGroupName="boots"),
            "Template": resource("AWS::EC2::LaunchTemplate", LaunchTemplateData=data),
            "Group": resource(
                "AWS::AutoScaling::AutoScalingGroup",
                AutoScalingGroupName=GROUP,
                LaunchTemplate={"LaunchTemplateId": {"Ref": "Template"}, "Version": latest},
                MinSize="0",
                MaxSize="2",
                NewInstancesProtectedFromScaleIn=True,
                VPCZoneIdentifier=[{"Ref": "Subnet"}],
            ),
            "Prepare": hook(LAUNCHING_HOOK, "LAUNCHING", "CONTINUE", 300),
            "Drain": hook(TERMINATION_HOOK, "TERMINATING", "CONTINUE", 60),
            "WarmPool": warm,
        }
    )


class Fleet:
    """The deployed group, its control loop turned by the test."""

    def __init__(self, aws: EmbeddedAws, instances: LocalInstances) -> None:
        self.instances = instances
        self.stacks = Stacks(aws)
        self.autoscaling = aws.clients.client("autoscaling")
        self.logs = aws.clients.client("logs")
        self._clock = aws.clock
        service = aws.services["autoscaling"]
        assert isinstance(service, AutoScalingService)
        self._fleets = Fleets(service.store, aws.clients, instances)

    def pool(self) -> dict[str, str]:
        self._fleets.tick(self._clock.now())
        found = self.autoscaling.describe_warm_pool(AutoScalingGroupName=GROUP)["Instances"]
        return {each["InstanceId"]: each["LifecycleState"] for each in found}

    def records(self) -> list[dict[str, Any]]:
        self._fleets.tick(self._clock.now())
        found = self.logs.filter_log_events(
            logGroupName="boots", logStreamNamePrefix=STREAM_PREFIX
        )["events"]
        lines = [each["message"] for each in found]
        return [json.loads(line) for line in lines if '"event": "boot"' in line]

    def is_gone(self) -> bool:
        self._fleets.tick(self._clock.now())
        groups = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return groups == [] and self.instances.running() == []

    def boot_log(self, instance_id: str) -> str:
        return self.instances.home(instance_id).boot_log.read_text()


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    state = tmp_path_factory.mktemp("state")
    put_image(state, "works")
    supervisor = Supervisor(state)
    aws = build(port=free_port(), clock=SystemClock())
    aws.application.mount(PREFIX, Imds(aws.clients, REGION))
    aws.start()
    instances = LocalInstances(state, supervisor, endpoint=aws.endpoint, region=REGION)
    iam = aws.clients.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="workers")
    iam.add_role_to_instance_profile(InstanceProfileName="workers", RoleName="worker")
    yield Fleet(aws, instances)
    instances.stop_all(1)
    supervisor.stop_all(grace_s=0.5)
    aws.stop()


def test_an_instance_is_prepared_stopped_and_started_when_it_is_wanted(fleet: Fleet) -> None:
    stack = fleet.stacks.create("warm", body())
    assert stack["StackStatus"] == "CREATE_COMPLETE"

    until(lambda: list(fleet.pool().values()) == ["Warmed:Stopped"], timeout_s=120)
    [instance_id] = fleet.pool()
    assert fleet.instances.running() == []
    assert fleet.records() == [], "a preparation that works is no boot"
    prepared = fleet.boot_log(instance_id)
    assert "step=warm" in prepared
    assert "step=run" not in prepared

    fleet.autoscaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=1)
    until(lambda: len(fleet.records()) == 1, timeout_s=120)
    [record] = fleet.records()
    assert (record["instance"], record["outcome"]) == (instance_id, "ended")
    assert "pull" not in record["steps"]
    started = fleet.boot_log(instance_id).removeprefix(prepared)
    assert "state=InService" in started
    assert "step=work" in started
    assert "Login Succeeded" in prepared
    assert "Login Succeeded" not in started
    [served] = fleet.autoscaling.describe_auto_scaling_instances(InstanceIds=[instance_id])[
        "AutoScalingInstances"
    ]
    assert (served["LifecycleState"], served["ProtectedFromScaleIn"]) == ("InService", True)
    [next_one] = fleet.pool()
    assert next_one != instance_id, "the pool is filled up again"

    fleet.stacks.api.delete_stack(StackName="warm")
    until(fleet.is_gone, timeout_s=60)

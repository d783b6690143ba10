"""Boots that fail: injected as an absent registry, and ended by the instance itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from werkzeug.test import Client

from local.clients import REGION
from local.clock import SystemClock
from local.control.fleets import Fleets
from local.hosts.boot_faults import PATH, BootFaults
from local.hosts.imds import PREFIX, Imds
from local.hosts.instances import LocalInstances
from local.hosts.ports import free_port
from local.server import EmbeddedAws, build
from local.services.autoscaling.service import AutoScalingService
from local.supervisor import Supervisor
from tests.local.waiting import until

REGISTRY = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
GROUP = "workers"


@given(st.floats(0, 1), st.integers(), st.integers(0, 60))
def test_of_all_boots_the_share_fails(share: float, seed: int, boots: int) -> None:
    faults = BootFaults()
    faults.put(share, seed)
    failing = sum(faults.next_fails() for _ in range(boots))
    assert abs(failing - share * boots) < 1 + 1e-6
    assert faults.shown() == {"fail_share": share, "begun": boots, "failing": failing}


def test_a_seed_always_chooses_the_same_boots() -> None:
    def chosen(seed: int) -> list[bool]:
        faults = BootFaults()
        faults.put(0.2, seed)
        return [faults.next_fails() for _ in range(10)]

    assert chosen(1) == chosen(1)
    assert len({tuple(chosen(seed)) for seed in range(20)}) == 5


def test_the_share_is_put_and_shown_over_http() -> None:
    faults = Client(BootFaults())
    assert faults.get(PATH).json == {"fail_share": 0.0, "begun": 0, "failing": 0}
    assert faults.post(PATH, json={"fail_share": 0.2, "seed": 7}).status_code == 200
    assert faults.get(PATH).json == {"fail_share": 0.2, "begun": 0, "failing": 0}


@pytest.mark.parametrize(
    "body", [[], {}, {"fail_share": 2}, {"fail_share": "x"}, {"fail_share": 1, "seed": "x"}]
)
def test_a_wish_that_says_nothing_is_refused(body: object) -> None:
    faults = BootFaults()
    answer = Client(faults).post(PATH, json=body)
    assert (answer.status_code, "Expected" in answer.text) == (400, True)
    assert not faults.next_fails()


#: Boots as a worker does up to `docker run`; a failure ends the instance and gives its place up.
BOOT = f"""#!/bin/bash
exec >>/var/log/academy-boot.log 2>&1
export AWS_DEFAULT_REGION={REGION}
IMDS="${{AWS_EC2_METADATA_SERVICE_ENDPOINT%/}}/latest"
TOKEN=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/api/token")
ID=$(curl -fsS -H "X-aws-ec2-metadata-token: $TOKEN" "$IMDS/meta-data/instance-id")
echo pw | docker login --username AWS --password-stdin {REGISTRY}
docker pull {REGISTRY}/academy-test:1 && exit 0
aws autoscaling terminate-instance-in-auto-scaling-group --instance-id "$ID" \\
  --should-decrement-desired-capacity || echo "still here"
"""


class Lab:
    """An embedded AWS that listens, with one group of real instances."""

    def __init__(self, aws: EmbeddedAws, instances: LocalInstances, faults: BootFaults) -> None:
        self.aws = aws
        self.instances = instances
        self.faults = faults
        self.autoscaling = aws.clients.client("autoscaling")
        service = aws.services["autoscaling"]
        assert isinstance(service, AutoScalingService)
        self._fleets = Fleets(service.store, aws.clients, instances)

    def tick(self) -> None:
        self._fleets.tick(self.aws.clock.now())

    def want(self, size: int, *, minimum: int = 0) -> list[str]:
        """Let the group have a size and boot it; return its instances."""
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP, MinSize=minimum, DesiredCapacity=size
        )
        self.tick()
        return sorted(self.members())

    def members(self) -> dict[str, str]:
        [group] = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}

    def desired(self) -> int:
        [group] = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return int(group["DesiredCapacity"])

    def boot_log(self, instance_id: str) -> str:
        path = self.instances.home(instance_id).boot_log
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    state = tmp_path_factory.mktemp("state")
    image = state / "images" / "academy-test" / "1"
    image.mkdir(parents=True)
    facts: dict[str, Any] = {"env": {}, "workdir": "/", "command": ["true"], "entrypoint": []}
    (image / "image.json").write_text(json.dumps(facts))
    supervisor, faults = Supervisor(state), BootFaults()
    aws = build(port=free_port(), clock=SystemClock())
    aws.application.mount(PREFIX, Imds(aws.clients, REGION))
    aws.application.mount(PATH, faults)
    aws.start()
    instances = LocalInstances(
        state, supervisor, endpoint=aws.endpoint, region=REGION, faults=faults
    )
    ec2, iam = aws.clients.client("ec2"), aws.clients.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="workers")
    iam.add_role_to_instance_profile(InstanceProfileName="workers", RoleName="worker")
    data = {
        "IamInstanceProfile": {"Name": "workers"},
        "ImageId": ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        "InstanceType": "t3.small",
        "UserData": base64.b64encode(BOOT.encode()).decode(),
    }
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)[
        "LaunchTemplate"
    ]["LaunchTemplateId"]
    made = Lab(aws, instances, faults)
    made.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        AvailabilityZones=["ap-northeast-2a"],
        MinSize=0,
        MaxSize=3,
        NewInstancesProtectedFromScaleIn=True,
    )
    yield made
    instances.stop_all(1)
    supervisor.stop_all(grace_s=0.5)
    aws.stop()


def gone(lab: Lab) -> bool:
    lab.tick()
    return lab.members() == {} and lab.instances.running() == []


def test_a_boot_without_a_registry_ends_the_instance_and_nothing_takes_its_place(
    lab: Lab,
) -> None:
    lab.faults.put(1)
    [instance_id] = lab.want(1)
    until(lambda: gone(lab))
    assert lab.desired() == 0
    log = lab.boot_log(instance_id).splitlines()
    assert log[0] == "Login Succeeded"
    assert log[1] == (
        f'Error response from daemon: Get "https://{REGISTRY}/v2/": net/http: request canceled '
        "while waiting for connection (Client.Timeout exceeded while awaiting headers)"
    )
    assert lab.faults.shown()["failing"] == 1
    lab.tick()
    assert lab.members() == {}, "nothing is launched in its place"


def test_at_the_minimum_a_failed_boot_is_refused_and_stays(lab: Lab) -> None:
    lab.faults.put(1)
    [instance_id] = lab.want(1, minimum=1)
    until(lambda: "still here" in lab.boot_log(instance_id))
    lab.tick()
    assert lab.members() == {instance_id: "InService"}
    assert "violate group's min size constraint" in lab.boot_log(instance_id)
    lab.autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=0)
    lab.autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
    )
    until(lambda: gone(lab))


def test_a_terminating_hook_lets_go_of_a_failed_boot_when_it_is_completed(lab: Lab) -> None:
    hook = {"AutoScalingGroupName": GROUP, "LifecycleHookName": "drain"}
    lab.autoscaling.put_lifecycle_hook(
        **hook,
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=3600,
        DefaultResult="CONTINUE",
    )
    lab.faults.put(1)
    [instance_id] = lab.want(1)
    until(lambda: lab.members() == {instance_id: "Terminating:Wait"})
    lab.tick()
    assert lab.instances.running() == [instance_id], "the hook holds it"
    lab.autoscaling.complete_lifecycle_action(
        **hook, InstanceId=instance_id, LifecycleActionResult="CONTINUE"
    )
    until(lambda: gone(lab))
    lab.autoscaling.delete_lifecycle_hook(**hook)


def test_once_the_registry_is_back_boots_work(lab: Lab) -> None:
    lab.faults.put(0)
    [instance_id] = lab.want(1)
    until(lambda: f"{REGISTRY}/academy-test:1" in lab.boot_log(instance_id))
    lab.tick()
    assert lab.members() == {instance_id: "InService"}

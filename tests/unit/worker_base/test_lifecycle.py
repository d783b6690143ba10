"""How an instance ends itself, how it learns that it is to be taken away, and what follows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.contracts.messages import VideoJob
from tests.unit.worker_base.bench import Bench
from worker_images.base.imds import Metadata
from worker_images.base.lifecycle import InstanceLifecycle, NullLifecycle
from worker_images.base.work import Context, Result

REGION = "ap-northeast-2"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def group(minimum: int) -> tuple[Any, str]:
    """Make a group of one protected instance; return the client and the instance's id."""
    ec2, client = boto3.client("ec2"), boto3.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    client.create_launch_configuration(
        LaunchConfigurationName="lc", ImageId=image, InstanceType="t3.small"
    )
    client.create_auto_scaling_group(
        AutoScalingGroupName="academy-video-worker-asg",
        LaunchConfigurationName="lc",
        MinSize=minimum,
        MaxSize=3,
        DesiredCapacity=1,
        VPCZoneIdentifier=subnet,
        NewInstancesProtectedFromScaleIn=True,
    )
    return client, described(client)["Instances"][0]["InstanceId"]


def described(client: Any) -> Any:
    return client.describe_auto_scaling_groups()["AutoScalingGroups"][0]


def lifecycle(client: Any, own_id: str, endpoint: str = "http://127.0.0.1:1") -> InstanceLifecycle:
    return InstanceLifecycle(client, "academy-video-worker-asg", own_id, Metadata(endpoint))


def test_an_idle_instance_ends_itself_and_its_place_goes_with_it() -> None:
    client, own_id = group(minimum=0)
    assert lifecycle(client, own_id).leave()
    assert described(client)["DesiredCapacity"] == 0
    assert described(client)["Instances"] == []


def refuse_to_terminate(client: Any) -> None:
    def refuse(**arguments: object) -> None:
        (instance,) = described(client)["Instances"]
        assert not instance["ProtectedFromScaleIn"]
        error = {"Code": "ValidationError", "Message": "would go below the minimum"}
        raise client.exceptions.ClientError({"Error": error}, "Terminate")

    client.terminate_instance_in_auto_scaling_group = refuse


def test_an_instance_that_the_group_keeps_is_protected_again() -> None:
    client, own_id = group(minimum=1)
    refuse_to_terminate(client)
    assert not lifecycle(client, own_id).leave()
    (instance,) = described(client)["Instances"]
    assert instance["ProtectedFromScaleIn"]


def test_a_worker_that_cannot_be_protected_again_works_on() -> None:
    client, own_id = group(minimum=1)
    refuse_to_terminate(client)
    protect = client.set_instance_protection

    def once(**arguments: Any) -> None:
        if arguments["ProtectedFromScaleIn"]:
            raise client.exceptions.ClientError({"Error": {"Code": "Throttling"}}, "Protect")
        protect(**arguments)

    client.set_instance_protection = once
    assert not lifecycle(client, own_id).leave()


def test_a_noticed_instance_is_replaced_after_it_was_drained(metadata: dict[str, str]) -> None:
    client, own_id = group(minimum=0)
    found = lifecycle(client, own_id, metadata["endpoint"])
    found.give_way()
    assert described(client)["Instances"], "nothing was noticed"
    metadata["spot/instance-action"] = '{"action": "terminate"}'
    noticed: list[str] = []
    done = threading.Event()
    found.watch(lambda reason: (noticed.append(reason), done.set())[0])
    assert done.wait(10)
    assert "Spot" in noticed[0]
    found.give_way()
    assert described(client)["DesiredCapacity"] == 1
    assert own_id not in [each["InstanceId"] for each in described(client)["Instances"]]


def test_outside_a_group_nobody_leaves() -> None:
    assert not NullLifecycle().leave()


class _Metadata(BaseHTTPRequestHandler):
    """The metadata service, version 2 alone; it answers what its server's `leaves` say."""

    def do_PUT(self) -> None:
        known = self.path == "/imds/latest/api/token" and int(
            self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        )
        self._answer(200 if known else 404, "a-token")

    def do_GET(self) -> None:
        if self.headers["X-aws-ec2-metadata-token"] != "a-token":
            self._answer(401, "")
            return
        leaves: dict[str, str] = self.server.leaves  # type: ignore[attr-defined]
        found = leaves.get(self.path.removeprefix("/imds/latest/meta-data/"))
        self._answer(404 if found is None else 200, found or "")

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def metadata() -> Iterator[dict[str, str]]:
    """What the metadata service answers, and its `endpoint`."""
    leaves = {
        "instance-id": "i-0123456789abcdef0",
        "autoscaling/target-lifecycle-state": "InService",
    }
    with HTTPServer(("127.0.0.1", 0), _Metadata) as server:
        server.leaves = leaves  # type: ignore[attr-defined]
        leaves["endpoint"] = f"http://127.0.0.1:{server.server_port}/imds/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield leaves
        server.shutdown()
        thread.join()


def test_an_instance_learns_its_id_from_the_metadata_service(metadata: dict[str, str]) -> None:
    assert Metadata(metadata["endpoint"]).instance_id() == "i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("leaf", "value", "reason"),
    [
        ("spot/instance-action", '{"action": "stop"}', "takes this Spot instance back"),
        ("events/recommendations/rebalance", '{"noticeTime": "x"}', "recommends to leave"),
        ("autoscaling/target-lifecycle-state", "Terminated", "the group ends"),
    ],
)
def test_each_notice_is_understood(
    metadata: dict[str, str], leaf: str, value: str, reason: str
) -> None:
    service = Metadata(metadata["endpoint"])
    assert service.notice() is None
    metadata[leaf] = value
    assert reason in str(service.notice())


def test_a_notice_in_the_middle_hands_the_job_back_and_the_instance_gives_way_last() -> None:
    bench = Bench()
    first, second = bench.add_job(), bench.add_job()

    def noticed(job: VideoJob, context: Context) -> Result:
        bench.lifecycle.noticed("EC2 takes this Spot instance back")
        assert bench.lifecycle.gave_way == 0
        context.cancellation.check()
        raise AssertionError("the handler was not told to stop")

    bench.handler = noticed
    assert bench.consumer.run()
    assert bench.lifecycle.gave_way == 1
    assert bench.lifecycle.asked == 0
    assert [bench.row(job).state for job in (first, second)] == ["QUEUED", "QUEUED"]
    assert bench.row(first).attempts_used == 0
    assert all(entry.visible_at <= bench.clock.now() for entry in bench.queue.entries)

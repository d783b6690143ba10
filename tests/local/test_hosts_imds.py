"""The metadata service is version 2, and the SDK and the CLI take credentials from it."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.clients import REGION, Clients
from local.clock import ManualClock
from local.hosts.imds import PREFIX, Imds, endpoint
from tests.local.embedded import Embedded, embedded


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An AWS with one recorded instance whose role is `worker`."""
    with embedded(tmp_path_factory.mktemp("state")) as found:
        iam = found.client("iam")
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="workers")
        iam.add_role_to_instance_profile(InstanceProfileName="workers", RoleName="worker")
        yield found


@pytest.fixture(scope="module")
def instance_id(aws: Embedded) -> str:
    """The instance, recorded with EC2 and never booted."""
    found = aws.client("ec2").run_instances(
        ImageId=aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": "workers"},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "kind", "Value": "video"}]}
        ],
    )
    identifier: str = found["Instances"][0]["InstanceId"]
    return identifier


def token(aws, instance_id, ttl="60"):
    """Ask for a token."""
    return requests.put(
        f"{endpoint(aws.endpoint, instance_id)}latest/api/token",
        headers={"X-aws-ec2-metadata-token-ttl-seconds": ttl},
        timeout=10,
    )


def read(aws, instance_id, path, header=None):
    """Read metadata with a fresh token, or with the given one."""
    return requests.get(
        f"{endpoint(aws.endpoint, instance_id)}latest/meta-data/{path}",
        headers={"X-aws-ec2-metadata-token": header or token(aws, instance_id).text},
        timeout=10,
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("placement/region", REGION),
        ("placement/availability-zone", f"{REGION}a"),
        ("iam/security-credentials/", "worker"),
        ("tags/instance/kind", "video"),
        ("tags/instance", "kind"),
        ("placement/", "availability-zone\nregion"),
    ],
)
def test_metadata_comes_from_the_records(aws, instance_id, path, text):
    assert read(aws, instance_id, path).text == text
    assert read(aws, instance_id, "instance-id").text == instance_id


def test_an_instance_can_tell_whether_it_is_spot(aws, instance_id):
    record = aws.client("ec2").describe_instances(InstanceIds=[instance_id])
    image = record["Reservations"][0]["Instances"][0]["ImageId"]
    spot = aws.client("ec2").run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceMarketOptions={"MarketType": "spot"}
    )["Instances"][0]["InstanceId"]
    assert read(aws, instance_id, "instance-life-cycle").text == "on-demand"
    assert read(aws, spot, "instance-life-cycle").text == "spot"


@pytest.mark.parametrize(
    "path", ["spot/instance-action", "autoscaling/target-lifecycle-state", "nonsense", "iam/x/y"]
)
def test_what_is_not_there_is_404(aws, instance_id, path):
    assert read(aws, instance_id, path).status_code == 404


def test_without_a_valid_token_everything_is_401(aws, instance_id):
    assert read(aws, instance_id, "instance-id", "made-up").status_code == 401
    other = token(aws, "i-other").text
    assert read(aws, instance_id, "instance-id", other).status_code == 401
    url = f"{endpoint(aws.endpoint, instance_id)}latest/meta-data/instance-id"
    assert requests.get(url, timeout=10).status_code == 401


@pytest.mark.parametrize("ttl", ["0", "21601", "x", ""])
def test_a_token_lives_between_one_second_and_six_hours(aws, instance_id, ttl):
    assert token(aws, instance_id, ttl).status_code == 400
    assert token(aws, instance_id, "21600").status_code == 200


def test_a_token_expires():
    clock = ManualClock()
    imds = Imds(Clients(lambda *_: []), REGION, clock)
    path = f"{PREFIX}i-1/latest/"

    def ask(method: str, rest: str, **headers: str) -> tuple[str, bytes]:
        statuses: list[str] = []
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path + rest, **headers}
        body = b"".join(imds(environ, lambda status, _: statuses.append(status)))
        return statuses[0][:3], body

    _, value = ask("PUT", "api/token", HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS="10")
    clock.advance(10)
    answer = ask("GET", "meta-data/x", HTTP_X_AWS_EC2_METADATA_TOKEN=value.decode())
    assert answer == ("401", b"")


def environment(aws: Embedded, instance_id: str, home: Path) -> dict[str, str]:
    """What a program on the instance has; no keys."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint(aws.endpoint, instance_id),
    }


def test_the_cli_takes_its_credentials_from_it(aws, instance_id, tmp_path):
    answer = subprocess.run(
        [f"{sysconfig.get_path('scripts')}/aws", "sts", "get-caller-identity"],
        env=environment(aws, instance_id, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout)["Account"] == "123456789012"


def test_the_cli_has_no_credentials_for_an_unknown_instance(aws, tmp_path):
    answer = subprocess.run(
        [f"{sysconfig.get_path('scripts')}/aws", "sts", "get-caller-identity"],
        env=environment(aws, "i-00000000000000000", tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Unable to locate credentials" in answer.stderr

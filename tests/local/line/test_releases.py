"""Releases against the embedded AWS: deploy, deploy again, roll back, forward, refuse."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.contracts.parameters import RELEASE_BUCKET, found_path
from config.contracts.statefulness import STATEFUL
from config.settings import load_settings
from ops import aws
from ops.findings import problems
from ops.releases.assemblies import Assembly
from ops.releases.images import images
from ops.verify import Context, queues
from tests.local.line import fleets
from tests.local.line.assemblies import changed_assembly, video_queue
from tests.local.line.media import render_clip, repeat_clip
from tests.local.line.platform import UNRECEIVED, VIDEO_GROUP, Platform, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]
NEW_TAG = "second"
RETENTION_S = 86400
MESSAGES = {f"message {number}" for number in range(20)}
#: Encoding so much takes longer than three deploys.
JOB_S = 200
CLIP_S = 10


@pytest.fixture(scope="module")
def first(platform: Platform) -> Iterator[int]:
    """The number of a release of what the platform runs; it runs again afterwards.

    No deploy is verified while a breaker's alarm is on, as other tests may have left it.
    """
    breaker = f"{VIDEO_GROUP}-breaker"
    wait_for(
        "the breaker is closed",
        lambda: fleets.alarm(platform, breaker)["StateValue"] != "ALARM",
        within_s=400,
    )
    platform.ops("deploy", "local", "--assembly", str(platform.assembly))
    number = listed(platform)[-1]["number"]
    yield number
    platform.ops("rollback", "local", "--to", str(number), "--yes")


@pytest.fixture(scope="module")
def second(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assembly of the same line: other images, and a queue that keeps messages for a day."""
    for image in images(Assembly(platform.assembly).templates().values()):
        repository, _, tag = image.partition(":")
        place = platform.state / "images" / repository
        shutil.copytree(place / tag, place / NEW_TAG)
    room = tmp_path_factory.mktemp("second")
    plain = room / "plain"
    platform.ops("synth", "local", "--image-tag", NEW_TAG, "--output", str(plain))

    def shorten(resources: dict[str, Any]) -> None:
        video_queue(resources)["Properties"]["MessageRetentionPeriod"] = RETENTION_S

    return changed_assembly(plain, room / "shortened", shorten)


def listed(platform: Platform) -> list[dict[str, Any]]:
    return json.loads(platform.ops("releases", "local", "--json").stdout)


def tags_serving(platform: Platform) -> set[str]:
    """Return the tags of the API containers on the instances that are in service."""
    answer = platform.client("autoscaling").describe_auto_scaling_groups()
    instances = [
        each["InstanceId"]
        for group in answer["AutoScalingGroups"]
        if group["AutoScalingGroupName"].startswith("academy-local-api-")
        for each in group["Instances"]
        if each["LifecycleState"] == "InService"
    ]
    records = [
        platform.state / "instances" / instance / "containers" / "academy-api.json"
        for instance in instances
    ]
    images = [json.loads(record.read_text())["image"] for record in records]
    return {image.rpartition(":")[2] for image in images}


def retention(platform: Platform) -> int:
    found = platform.client("sqs").get_queue_attributes(
        QueueUrl=platform.queue_url, AttributeNames=["MessageRetentionPeriod"]
    )
    return int(found["Attributes"]["MessageRetentionPeriod"])


def received(platform: Platform, url: str) -> set[str]:
    """Receive and delete what a queue holds, until it is empty."""
    sqs, found = platform.client("sqs"), set()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.add(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_deploy_roll_back_and_forward_under_a_running_job_loses_nothing(
    platform: Platform, first: int, second: Path, tmp_path: Path
) -> None:
    first_tags, first_retention = tags_serving(platform), retention(platform)
    kept = platform.client("sqs").get_queue_url(QueueName=UNRECEIVED)["QueueUrl"]
    for body in MESSAGES:
        platform.client("sqs").send_message(QueueUrl=kept, MessageBody=body)
    short = render_clip(tmp_path / "short.mp4", seconds=CLIP_S, size="1920x1080", crf=45)
    long = repeat_clip(short, tmp_path / "long.mp4", times=JOB_S // CLIP_S)
    video = platform.upload(long)
    assert platform.complete(video).status_code == 200
    wait_for("the encode is under way", lambda: platform.progress(video)["percent"] > 1)

    platform.ops("deploy", "local", "--assembly", str(second))
    assert (tags_serving(platform), retention(platform)) == ({NEW_TAG}, RETENTION_S)

    said = platform.ops("rollback", "local", "--yes").stdout
    assert f"from release {first + 1} to {first}" in said
    assert (tags_serving(platform), retention(platform)) == (first_tags, first_retention)

    platform.ops("rollback", "local", "--to", str(first + 1), "--yes")
    assert (tags_serving(platform), retention(platform)) == ({NEW_TAG}, RETENTION_S)

    assert platform.progress(video)["status"] == "PROCESSING", "the job is too short to tell"
    assert platform.ended(video, within_s=400)["status"] == "READY"
    assert received(platform, kept) == MESSAGES
    entries = [(each["kind"], each["of"], each["verified"]) for each in listed(platform)[-4:]]
    assert entries == [
        ("deploy", None, True),
        ("deploy", None, True),
        ("rollback", first, True),
        ("rollback", first + 1, True),
    ]


def test_a_second_deploy_without_a_change_says_so_and_records_nothing(
    platform: Platform, first: int
) -> None:
    platform.ops("rollback", "local", "--to", str(first), "--yes")
    before = listed(platform)
    said = platform.ops("deploy", "local", "--assembly", str(platform.assembly)).stdout
    assert f"nothing changed: release {before[-1]['number']} stays the current one" in said
    assert "0 of" in said
    assert listed(platform) == before


def test_a_release_says_what_ran_whence_and_by_whom(platform: Platform, first: int) -> None:
    release = listed(platform)[-1]
    assert all(digest.startswith("sha256:") for digest in release["images"].values())
    assert {name.split(":")[0] for name in release["images"]} == {
        "academy-api",
        "academy-video-worker",
        "academy-ai-worker",
        "academy-messaging-worker",
    }
    assert len(release["commit"]) == 40
    assert "arn:aws:sts::123456789012:" in release["who"]
    assert release["migrations"]["0001_initial"] is False


def test_one_stack_is_deployed_and_rolled_back_alone(
    platform: Platform, first: int, second: Path
) -> None:
    before = listed(platform)[-1]
    tags = tags_serving(platform)
    platform.ops("deploy", "local", "--assembly", str(second), "--stack", "video")
    forth = listed(platform)[-1]
    assert forth["touched"] == ["academy-local-video"]
    said = platform.ops("rollback", "local", "--stack", "video", "--yes").stdout
    assert "academy-local-video" in said
    back = listed(platform)[-1]
    assert back["touched"] == ["academy-local-video"]
    assert back["stacks"] == before["stacks"]
    assert tags_serving(platform) == tags


def test_a_rollback_that_would_remove_data_is_refused_until_a_deploy_accepts_it(
    platform: Platform, first: int, tmp_path: Path
) -> None:
    def keep_more(resources: dict[str, Any]) -> None:
        resources["Ledger"] = {"Type": "AWS::SQS::Queue", "Metadata": {STATEFUL: "payments"}}

    more = changed_assembly(platform.assembly, tmp_path / "more", keep_more)
    platform.ops("deploy", "local", "--assembly", str(more), "--stack", "queues")
    after = listed(platform)

    refused = platform.ops("rollback", "local", "--yes", check=False)
    assert refused.returncode == 1
    assert "Ledger" in refused.stderr
    assert "payments" in refused.stderr
    plain = ("deploy", "local", "--assembly", str(platform.assembly))
    refused = platform.ops(*plain, check=False)
    assert refused.returncode == 1
    assert "--accept Ledger" in refused.stderr
    wrong = platform.ops(*plain, "--accept", "Legder", check=False)
    assert wrong.returncode == 2
    assert "allowed: Ledger" in wrong.stderr
    assert listed(platform) == after

    platform.ops(*plain, "--accept", "Ledger")
    assert listed(platform)[-1]["stacks"] == listed(platform)[first - 1]["stacks"]


def test_a_rollback_past_a_migration_that_forbids_it_is_refused(
    platform: Platform, first: int, second: Path
) -> None:
    platform.ops("deploy", "local", "--assembly", str(second), "--stack", "queues")
    known = listed(platform)[-1]["migrations"]
    try:
        amend_current(platform, migrations={**known, "0099_dropped": True})
        refused = platform.ops("rollback", "local", "--yes", check=False)
        assert refused.returncode == 1
        assert "0099_dropped" in refused.stderr
        assert retention(platform) == RETENTION_S
    finally:
        amend_current(platform, migrations=known)


def test_a_rollback_asks_and_without_anybody_there_it_exits_2(
    platform: Platform, first: int, second: Path
) -> None:
    platform.ops("deploy", "local", "--assembly", str(second), "--stack", "queues")
    before = listed(platform)
    refused = platform.ops("rollback", "local", check=False)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert listed(platform) == before


def test_a_deploy_that_fails_half_way_records_nothing_and_a_rollback_mends_it(
    platform: Platform, first: int, tmp_path: Path
) -> None:
    def shorten(resources: dict[str, Any]) -> None:
        video_queue(resources)["Properties"]["MessageRetentionPeriod"] = RETENTION_S

    def break_it(resources: dict[str, Any]) -> None:
        # A version is no 60 s, and only the deploy knows it: no check of templates finds this.
        template = logical_id(resources, "AWS::EC2::LaunchTemplate")
        version = {"Fn::GetAtt": [template, "LatestVersionNumber"]}
        resources["Broken"] = {
            "Type": "AWS::SQS::Queue",
            "Properties": {"MessageRetentionPeriod": version},
        }

    platform.ops("deploy", "local", "--assembly", str(platform.assembly))
    before, kept = listed(platform), retention(platform)
    half = changed_assembly(platform.assembly, tmp_path / "half", shorten)
    broken = changed_assembly(half, tmp_path / "broken", break_it, stack="academy-local-video")
    failed = platform.ops("deploy", "local", "--assembly", str(broken), check=False)
    assert failed.returncode == 1
    assert "MessageRetentionPeriod" in failed.stderr
    assert "academy-local-video: UPDATE_ROLLBACK_COMPLETE" in failed.stderr
    assert f"release {before[-1]['number']} stays the current one" in failed.stderr
    assert retention(platform) == RETENTION_S

    platform.ops("rollback", "local", "--yes")
    assert retention(platform) == kept
    assert listed(platform) == before
    platform.ops("deploy", "local", "--assembly", str(half))
    assert retention(platform) == RETENTION_S


def test_a_queue_that_somebody_changed_by_hand_is_found(
    platform: Platform, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.address.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    sqs = platform.client("sqs")
    context = Context(load_settings("local"), Assembly(platform.assembly), datetime.now(UTC))
    platform.ops("deploy", "local", "--assembly", str(platform.assembly))
    assert problems(queues.ask(context)) == []
    sqs.set_queue_attributes(QueueUrl=platform.queue_url, Attributes={"VisibilityTimeout": "7"})
    try:
        [found] = problems(queues.ask(context))
        assert "VisibilityTimeout is 7, the template says 30" in found
    finally:
        sqs.set_queue_attributes(
            QueueUrl=platform.queue_url, Attributes={"VisibilityTimeout": "30"}
        )
        aws.client.cache_clear()


def logical_id(resources: dict[str, Any], kind: str) -> str:
    [found] = [name for name, each in resources.items() if each["Type"] == kind]
    return found


def amend_current(platform: Platform, **fields: Any) -> None:
    """Change what the current release's record says, as a later version of the code would have."""
    name = found_path("local", RELEASE_BUCKET)
    bucket = platform.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    number = listed(platform)[-1]["number"]
    place = {"Bucket": bucket, "Key": f"releases/{number:06}.json"}
    record = json.loads(platform.client("s3").get_object(**place)["Body"].read())
    platform.client("s3").put_object(**place, Body=json.dumps({**record, **fields}).encode())

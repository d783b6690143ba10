"""Deploys with the unmodified CDK CLI: diff, change, roll back, fail, refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.local.line.assemblies import QUEUES, changed_assembly, video_queue
from tests.local.line.platform import UNATTENDED, UNRECEIVED, Platform

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
DEPLOY = (*UNATTENDED, "--exclusively")


def retention(platform: Platform) -> str:
    found = platform.client("sqs").get_queue_attributes(
        QueueUrl=platform.queue_url, AttributeNames=["MessageRetentionPeriod"]
    )
    return found["Attributes"]["MessageRetentionPeriod"]


def test_diff_right_after_a_deploy_is_empty(platform: Platform) -> None:
    platform.cdk("deploy", "--all", "--app", str(platform.assembly), *DEPLOY)
    answer = platform.cdk("diff", "--app", str(platform.assembly), "--fail", "--no-notices")
    assert "There were no differences" in answer.stdout + answer.stderr
    assert answer.returncode == 0


def test_a_changed_property_deploys_and_the_older_assembly_brings_it_back(
    platform: Platform, tmp_path: Path
) -> None:
    def shorten(resources: dict[str, Any]) -> None:
        video_queue(resources)["Properties"]["MessageRetentionPeriod"] = 86400

    before = retention(platform)
    changed = changed_assembly(platform.assembly, tmp_path / "changed", shorten)
    platform.cdk("deploy", QUEUES, "--app", str(changed), *DEPLOY)
    assert retention(platform) == "86400"
    platform.cdk("deploy", QUEUES, "--app", str(platform.assembly), *DEPLOY)
    assert retention(platform) == before


def test_a_failing_update_rolls_back_and_keeps_what_was_in_a_queue(
    platform: Platform, tmp_path: Path
) -> None:
    def break_after_a_change(resources: dict[str, Any]) -> None:
        video_queue(resources)["Properties"]["MessageRetentionPeriod"] = 86400
        logical = next(key for key, value in resources.items() if value is video_queue(resources))
        resources["Broken"] = {
            "Type": "AWS::SQS::Queue",
            "DependsOn": [logical],
            "Properties": {"QueueName": "academy-broken", "MessageRetentionPeriod": 5},
        }

    sqs = platform.client("sqs")
    kept = sqs.get_queue_url(QueueName=UNRECEIVED)["QueueUrl"]
    sqs.send_message(QueueUrl=kept, MessageBody="kept")
    before = retention(platform)
    broken = changed_assembly(platform.assembly, tmp_path / "broken", break_after_a_change)
    answer = platform.cdk("deploy", QUEUES, "--app", str(broken), *DEPLOY, check=False)
    assert answer.returncode != 0
    assert "MessageRetentionPeriod" in answer.stdout + answer.stderr
    stack = platform.client("cloudformation").describe_stacks(StackName=QUEUES)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert retention(platform) == before
    message = sqs.receive_message(QueueUrl=kept, WaitTimeSeconds=1)["Messages"][0]
    assert message["Body"] == "kept"
    sqs.delete_message(QueueUrl=kept, ReceiptHandle=message["ReceiptHandle"])


def test_an_unknown_type_fails_the_deploy_with_its_name(platform: Platform, tmp_path: Path) -> None:
    def add_unknown(resources: dict[str, Any]) -> None:
        resources["Robot"] = {"Type": "AWS::RoboMaker::Robot", "Properties": {}}

    unknown = changed_assembly(platform.assembly, tmp_path / "unknown", add_unknown)
    answer = platform.cdk("deploy", QUEUES, "--app", str(unknown), *DEPLOY, check=False)
    assert answer.returncode != 0
    assert "AWS::RoboMaker::Robot" in answer.stdout + answer.stderr

"""The runbook's commands, run as they stand there against what runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.local.line.platform import VIDEO_GROUP, Platform, run, wait_for
from tests.runbook import ENGLISH, blocks

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
DEAD_QUEUE = "academy-video-jobs-dlq"
ON_AN_INSTANCE = "sudo docker exec -i academy-api "


def shell(platform: Platform, script: str) -> str:
    """Run a script as a user's bash would; it ends at its first failure."""
    env = {**platform.env, **platform.address, "ENVIRONMENT": "local"}
    return run("bash", "-euo", "pipefail", "-c", script, env=env).stdout


@contextmanager
def no_worker(platform: Platform) -> Iterator[None]:
    """Nobody takes a message: a visible one alone would bring a worker."""
    autoscaling = platform.client("autoscaling")
    launching = {"AutoScalingGroupName": VIDEO_GROUP, "ScalingProcesses": ["Launch"]}
    autoscaling.suspend_processes(**launching)
    try:
        wait_for("no worker is there", lambda: not platform.group()["Instances"])
        yield
    finally:
        autoscaling.resume_processes(**launching)


def bury(platform: Platform, body: str) -> None:
    """Receive a message until the queue gives it up to its dead-letter queue."""
    sqs = platform.client("sqs")
    sqs.send_message(QueueUrl=platform.queue_url, MessageBody=body)

    def dead() -> bool:
        sqs.receive_message(QueueUrl=platform.queue_url, VisibilityTimeout=0)
        return platform.queue_counts(dead_queue(platform))["ApproximateNumberOfMessages"] == 1

    wait_for("the message is dead", dead, within_s=60)


def dead_queue(platform: Platform) -> str:
    return platform.client("sqs").get_queue_url(QueueName=DEAD_QUEUE)["QueueUrl"]


def test_every_local_command_of_the_runbook_works_and_sends_dead_messages_back(
    platform: Platform,
) -> None:
    commands = [block.text for block in blocks(ENGLISH) if block.marked == "local"]
    body = json.dumps({"job_id": "from-the-runbook"})
    try:
        with no_worker(platform):
            bury(platform, body)
            said = shell(platform, "\n".join(commands))
            moved = platform.queue_counts()
        assert "from-the-runbook" in said
        assert moved["ApproximateNumberOfMessages"] == 1, said
        assert platform.queue_counts(dead_queue(platform))["ApproximateNumberOfMessages"] == 0
    finally:
        for url in (platform.queue_url, dead_queue(platform)):
            platform.client("sqs").purge_queue(QueueUrl=url)


def test_the_check_of_the_queue_from_python_works(platform: Platform) -> None:
    [check] = [block.text for block in blocks(ENGLISH) if ON_AN_INSTANCE in block.text]
    script = check.replace(ON_AN_INSTANCE, "VIDEO_SQS_QUEUE_NAME=academy-video-jobs ")
    assert "ap-northeast-2:123456789012:academy-video-jobs" in shell(platform, script)

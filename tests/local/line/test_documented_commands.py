"""The commands of document 001, sections 7.1, 7.5 and 8.3, against what runs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.local.line.platform import VIDEO_GROUP, VIDEO_QUEUE, Platform, run, wait_for

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
REGION = ("--region", "ap-northeast-2")
SECTION_8_3 = """
import os
import boto3
region = os.getenv("AWS_DEFAULT_REGION") or os.getenv("AWS_REGION", "ap-northeast-2")
queue_name = os.getenv("VIDEO_SQS_QUEUE_NAME", "academy-video-jobs")
print("REGION:", region)
print("QUEUE_NAME:", queue_name)
sqs = boto3.client("sqs", region_name=region)
url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
print("QueueUrl:", url)
print(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))
"""


def aws(platform: Platform, *arguments: str) -> str:
    return run("aws", *arguments, *REGION, env={**platform.env, **platform.address}).stdout


def test_queue_url_and_depth(platform: Platform) -> None:
    query = ("--query", "QueueUrl", "--output", "text")
    url = aws(platform, "sqs", "get-queue-url", "--queue-name", VIDEO_QUEUE, *query).strip()
    assert url.endswith(f"/{VIDEO_QUEUE}")
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    table = aws(
        platform,
        *("sqs", "get-queue-attributes", "--queue-url", url),
        *("--attribute-names", *names, "--output", "table"),
    )
    assert all(name in table for name in names)


def test_fleet_size(platform: Platform) -> None:
    found = aws(
        platform,
        *("autoscaling", "describe-auto-scaling-groups"),
        *("--auto-scaling-group-names", VIDEO_GROUP),
        "--query",
        "AutoScalingGroups[0].{Desired:DesiredCapacity,Min:MinSize,Max:MaxSize}",
    )
    assert json.loads(found) | {"Desired": 0} == {"Desired": 0, "Min": 0, "Max": 3}


def test_recent_backlog(platform: Platform) -> None:
    def datapoints() -> list[dict]:
        now = datetime.now(UTC)
        found = aws(
            platform,
            *("cloudwatch", "get-metric-statistics"),
            *("--namespace", "Academy/VideoProcessing", "--metric-name", "BacklogCount"),
            *("--dimensions", f"Name=AutoScalingGroupName,Value={VIDEO_GROUP}"),
            *("--start-time", (now - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")),
            *("--end-time", now.strftime("%Y-%m-%dT%H:%M:%SZ")),
            *("--period", "60", "--statistics", "Average"),
            *("--query", "Datapoints | sort_by(@, &Timestamp) | [-5:]"),
        )
        return json.loads(found)

    assert wait_for("BacklogCount has datapoints", datapoints, within_s=90)[-1]["Average"] >= 0


def test_queue_seen_from_python(platform: Platform) -> None:
    answer = run(sys.executable, "-c", SECTION_8_3, env={**platform.env, **platform.address})
    assert f"QUEUE_NAME: {VIDEO_QUEUE}" in answer.stdout
    assert f"ap-northeast-2:123456789012:{VIDEO_QUEUE}" in answer.stdout

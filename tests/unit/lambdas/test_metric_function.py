"""The metric function against an emulated AWS and a real HTTP API."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from config.contracts.metrics import (
    FETCH_FAILED_LINE,
    PUBLISHED_LINE,
    VIDEO_NAMESPACE,
    WORKERS_NAMESPACE,
    backlog_dimension_sets,
)
from config.contracts.names import REGION
from lambdas.queue_depth_metric import handler as module
from lambdas.queue_depth_metric.api import FetchFailed

GROUP = "academy-video-worker-asg"
KEY = "internal-key-Qz81"


@dataclass
class FakeApi:
    """Answers, in order; an exception is raised. The last one repeats."""

    answers: list[int | FetchFailed] = field(default_factory=list)

    def backlog(self) -> int:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchFailed):
            raise answer
        return answer


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 0


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        secret = boto3.client("secretsmanager").create_secret(Name="key", SecretString=KEY)
        for queue in ("academy-video-jobs", "academy-messaging-jobs"):
            boto3.client("sqs").create_queue(QueueName=queue)
        _group()
        fleets = [{"kind": "video", "group": GROUP, "queues": ["academy-video-jobs"]}]
        monkeypatch.setenv("FLEETS", json.dumps(fleets))
        monkeypatch.setenv("VIDEO_BACKLOG_API_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("LAMBDA_INTERNAL_API_KEY", secret["ARN"])
        monkeypatch.setenv("ENVIRONMENT", "local")
        monkeypatch.setenv("TICK_S", "10")
        build = module.build
        build.cache_clear()
        yield
        build.cache_clear()


def _group() -> None:
    autoscaling = boto3.client("autoscaling")
    autoscaling.create_launch_configuration(
        LaunchConfigurationName="l", ImageId="ami-12c6146b", InstanceType="t3.micro"
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchConfigurationName="l",
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=0,
        AvailabilityZones=[f"{REGION}a"],
    )


def look(monkeypatch: pytest.MonkeyPatch, *answers: int | FetchFailed, **clients: Any) -> None:
    function = module.build()
    parts = {**function.__dict__, "api": FakeApi(list(answers)), **clients}
    monkeypatch.setattr(module, "build", lambda: module.Function(**parts))
    assert module.handler({}, Context()) == {"looks": 1}


def desired() -> int:
    groups = boto3.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
    return int(groups["AutoScalingGroups"][0]["DesiredCapacity"])


def published(namespace: str) -> dict[tuple[tuple[str, str], ...], float]:
    found = boto3.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace)
    names = [metric for page in found for metric in page["Metrics"]]
    return {_dimensions(metric): _last(metric) for metric in names}


def _dimensions(metric: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((each["Name"], each["Value"]) for each in metric["Dimensions"]))


def _last(metric: Any) -> float:
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    now = datetime.now(UTC)
    answer = boto3.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
    )
    return float(answer["MetricDataResults"][0]["Values"][0])


FAILED = FetchFailed("connect", "ConnectionRefusedError: refused")


@pytest.mark.usefixtures("aws")
def test_api_count_is_published_under_both_dimension_sets_and_sizes_the_fleet(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    look(monkeypatch, 2)

    expected = {tuple(sorted(each.items())): 2.0 for each in backlog_dimension_sets("local")}
    assert published(VIDEO_NAMESPACE) == expected
    assert published(WORKERS_NAMESPACE) == {(("WorkerType", "Video"),): 0.0}
    assert desired() == 2
    assert PUBLISHED_LINE.format(backlog=2) in caplog.messages


@pytest.mark.usefixtures("aws")
def test_waiting_and_running_messages_count_when_the_api_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="academy-video-jobs")["QueueUrl"]
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.receive_message(QueueUrl=url)

    look(monkeypatch, FAILED)

    assert set(published(VIDEO_NAMESPACE).values()) == {2.0}
    assert desired() == 2
    assert any(FETCH_FAILED_LINE in line and "hop=connect" in line for line in caplog.messages)


@pytest.mark.usefixtures("aws")
def test_nothing_is_published_or_changed_when_both_sources_fail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look(monkeypatch, 2)
    seen = published(VIDEO_NAMESPACE)

    class Down:
        def get_queue_url(self, **_: str) -> None:
            raise EndpointConnectionError(endpoint_url="sqs")

    class Untouchable:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"{name} was called without data")

    untouched = {"cloudwatch": Untouchable(), "autoscaling": Untouchable()}
    look(monkeypatch, FAILED, sqs=Down(), **untouched)

    assert published(VIDEO_NAMESPACE) == seen
    assert desired() == 2
    assert any(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.usefixtures("aws")
def test_a_fleet_is_raised_while_cloudwatch_is_down(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Down:
        def put_metric_data(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="monitoring")

    look(monkeypatch, 2, cloudwatch=Down())

    assert desired() == 2
    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert any("metrics not published" in line and GROUP in line for line in errors)
    assert PUBLISHED_LINE.format(backlog=2) not in caplog.messages


@pytest.mark.usefixtures("aws")
def test_a_smaller_backlog_leaves_the_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    look(monkeypatch, 3)
    look(monkeypatch, 0)
    assert desired() == 3


@pytest.mark.usefixtures("aws")
def test_a_backlog_above_the_maximum_fills_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    look(monkeypatch, 100)
    assert desired() == 3


@pytest.mark.usefixtures("aws")
def test_other_fleets_use_the_queues_alone_and_one_fault_spares_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fleets = [
        {"kind": "messaging", "group": "no-such-group", "queues": ["academy-messaging-jobs"]},
        {"kind": "video", "group": GROUP, "queues": ["academy-video-jobs"]},
    ]
    monkeypatch.setenv("FLEETS", json.dumps(fleets))

    look(monkeypatch, 1)

    depths = published(WORKERS_NAMESPACE)
    assert depths == {(("WorkerType", "Messaging"),): 0.0, (("WorkerType", "Video"),): 0.0}
    assert desired() == 1
    assert any("no-such-group" in line for line in caplog.messages)


@pytest.mark.usefixtures("aws")
def test_the_key_is_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="lambdas")
    function = module.build()
    assert function.api._key.value() == KEY, "the key was really read"

    function.look()

    assert any(FETCH_FAILED_LINE in line for line in caplog.messages)
    assert KEY not in caplog.text
    assert KEY not in repr(function)

"""Facts gathered from a real API: ECS services, which no local environment has, and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.contracts import metrics
from config.settings import load_settings
from ops import aws
from ops.releases.assemblies import Assembly
from ops.verify import Context, alarms, tasks
from ops.verify.deployed import Resource

REGION = "ap-northeast-2"


ALARM = "AWS::CloudWatch::Alarm"


class Deployed:
    """One service of a task definition, as CloudFormation would list them."""

    def __init__(self, service: str, definition: str) -> None:
        self._service = service
        self._definition = definition

    def resources(self, type_name: str) -> Iterator[Resource]:
        assert type_name == "AWS::ECS::Service"
        declared = {"Type": type_name, "Properties": {"TaskDefinition": {"Ref": "Definition"}}}
        yield Resource("academy-dev-api", "Service", declared, self._service)

    def physical_id(self, stack: str, logical_id: str) -> str:
        assert (stack, logical_id) == ("academy-dev-api", "Definition")
        return self._definition


class Alarmed:
    """Alarms by their names, as their templates declare them."""

    def __init__(self, declared: Mapping[str, dict[str, Any]]) -> None:
        self._declared = declared

    def resources(self, type_name: str) -> Iterator[Resource]:
        assert type_name == ALARM
        for name, properties in self._declared.items():
            declared = {"Type": type_name, "Properties": properties}
            yield Resource("academy-dev-scaling", "Alarm", declared, name)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws.client.cache_clear()
    with mock_aws():
        yield
    aws.client.cache_clear()


@pytest.fixture
def ecs(account: None) -> Any:
    return boto3.client("ecs", region_name=REGION)


def definition(ecs: Any) -> str:
    container = {"name": "api", "image": "academy-api:1", "memory": 128}
    made = ecs.register_task_definition(family="api", containerDefinitions=[container])
    return made["taskDefinition"]["taskDefinitionArn"]


def context(deployed: object) -> Context:
    made = Context(load_settings("dev"), Assembly(None), datetime.now(UTC))  # type: ignore[arg-type]
    made.__dict__["deployed"] = deployed
    return made


def test_a_service_that_runs_another_task_definition_than_was_deployed_is_found(ecs: Any) -> None:
    ecs.create_cluster(clusterName="academy")
    first, second = definition(ecs), definition(ecs)
    service = ecs.create_service(
        cluster="academy", serviceName="api", taskDefinition=first, desiredCount=0
    )["service"]["serviceArn"]
    [well] = tasks.ask(context(Deployed(service, first)))
    assert well.ok, well
    [rolled_back] = tasks.ask(context(Deployed(service, second)))
    assert not rolled_back.ok
    assert first in rolled_back.cause


def test_alarms_on_what_is_said_of_fleets_are_asked_for_and_others_are_not(account: None) -> None:
    said = {"Namespace": metrics.WORKERS_NAMESPACE, "MetricName": metrics.BOOTS_FAILED}
    breaker = {**said, "MetricName": metrics.BREAKER_OPEN}
    filled = {"Id": "e", "Expression": "FILL(m, 0)"}
    gone = {"Metrics": [filled, {"Id": "m", "MetricStat": {"Metric": said}}]}
    silence = {**gone, "TreatMissingData": "breaching"}
    other = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
    declared = {"boots": said, "breaker": breaker, "gone": gone} | {"q": other, "silence": silence}
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    for name in ("boots", "breaker", "q", "silence"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription="Boots fail. https://example.com/runbook.md#boots",
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="step=pull")
    found = alarms.ask(context(Alarmed(declared)))
    assert [str(each) for each in found if not each.ok] == [
        "alarm gone: it does not exist. deploy again",
        "alarm breaker: Boots fail. step=pull. See https://example.com/runbook.md#boots",
    ]
    assert "alarm boots has been off since" in "".join(each.what for each in found if each.ok)

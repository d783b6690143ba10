"""Facts that no local environment has: ECS services, gathered from a real API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.settings import load_settings
from ops import aws
from ops.releases.assemblies import Assembly
from ops.verify import Context, tasks
from ops.verify.deployed import Resource

REGION = "ap-northeast-2"


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


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    aws.client.cache_clear()
    with mock_aws():
        yield boto3.client("ecs", region_name=REGION)
    aws.client.cache_clear()


def definition(ecs: Any) -> str:
    container = {"name": "api", "image": "academy-api:1", "memory": 128}
    made = ecs.register_task_definition(family="api", containerDefinitions=[container])
    return made["taskDefinition"]["taskDefinitionArn"]


def context(service: str, wanted: str) -> Context:
    made = Context(load_settings("dev"), Assembly(None), datetime.now(UTC))  # type: ignore[arg-type]
    made.__dict__["deployed"] = Deployed(service, wanted)
    return made


def test_a_service_that_runs_another_task_definition_than_was_deployed_is_found(ecs: Any) -> None:
    ecs.create_cluster(clusterName="academy")
    first, second = definition(ecs), definition(ecs)
    service = ecs.create_service(
        cluster="academy", serviceName="api", taskDefinition=first, desiredCount=0
    )["service"]["serviceArn"]
    [well] = tasks.ask(context(service, first))
    assert well.ok, well
    [rolled_back] = tasks.ask(context(service, second))
    assert not rolled_back.ok
    assert first in rolled_back.cause

"""After a deploy, every resource of the local templates exists with the template's properties."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clients import ACCOUNT, REGION
from local.clock import SystemClock
from local.control.alarms import Alarms
from local.server import EmbeddedAws, build
from local.services.autoscaling.service import AutoScalingService
from local.services.elasticache import ElastiCache
from local.services.sqs.service import SqsService
from tests.local.account import FakeHosts
from tests.local.properties import readers
from tests.local.properties.reader import differences
from tests.local.properties.resolve import Scope
from tests.local.waiting import until

Template = dict[str, Any]
ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
READERS = readers()


@dataclass(frozen=True)
class Deployed:
    """The local stacks in an embedded AWS, by stack name, in the order of their deployment."""

    aws: EmbeddedAws
    templates: Mapping[str, Template]
    fakes: FakeHosts

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.aws.clients.client(service)

    def physical_ids(self, stack: str) -> dict[str, str]:
        """Return a stack's physical ids by logical id, as CloudFormation tells them."""
        answer = self.client("cloudformation").describe_stack_resources(StackName=stack)
        return {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for found in answer["StackResources"]
        }

    def scope(self, stack: str) -> Scope:
        """Return what a stack's references lead to."""
        cloudformation = self.client("cloudformation")
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        parameters = {
            parameter["ParameterKey"]: parameter.get("ResolvedValue", parameter["ParameterValue"])
            for parameter in described.get("Parameters", [])
        }
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": described["StackId"],
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        identifiers = self.physical_ids(stack)
        types = {k: v["Type"] for k, v in self.templates[stack]["Resources"].items()}

        def attribute(logical_id: str, name: str) -> Any:
            reader = READERS[types[logical_id]]
            return reader.attributes(self, identifiers[logical_id])[name]

        exports = {
            export["Name"]: export["Value"] for export in cloudformation.list_exports()["Exports"]
        }
        names = {**pseudo, **parameters, **identifiers}
        return Scope(names, attribute, exports, self.output, self.secret)

    def output(self, stack: str, name: str) -> str:
        """Return a stack's output."""
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}[name]

    def secret(self, arn: str) -> str:
        """Return a secret's value."""
        found = self.client("secretsmanager").get_secret_value(SecretId=arn)
        return str(found["SecretString"])


def _in_order(templates: Mapping[str, Template]) -> list[str]:
    """Return the stack names, each after those whose exports or outputs it reads."""
    needs = {
        name: {
            other
            for other in templates
            if other != name and re.search(f'"{other}[":]', json.dumps(body["Resources"]))
        }
        for name, body in templates.items()
    }
    done: list[str] = []
    while len(done) < len(needs):
        ready = [name for name in needs if name not in done and needs[name] <= set(done)]
        assert ready, f"stacks import in a circle: {needs}"
        done += ready
    return done


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("handler.py", "")
    return archive.getvalue()


def _bootstrap(aws: EmbeddedAws, templates: Mapping[str, Template]) -> None:
    """Put what a deploy finds: the bootstrap version, the assets that functions are made of."""
    aws.clients.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="33"
    )
    s3 = aws.clients.client("s3")
    s3.create_bucket(Bucket=ASSETS, CreateBucketConfiguration={"LocationConstraint": REGION})
    for template in templates.values():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                key = resource["Properties"]["Code"]["S3Key"]
                s3.put_object(Bucket=ASSETS, Key=key, Body=_zip())


def _signal(cloudformation: Any, stack: str, logical_id: str) -> None:
    """Be the instance that a group waits for: say that all is well as soon as somebody listens."""

    def told() -> bool:
        with suppress(ClientError):
            cloudformation.signal_resource(
                StackName=stack, LogicalResourceId=logical_id, UniqueId="i-0", Status="SUCCESS"
            )
            return True
        return False

    until(told, timeout_s=120)


def _deploy(aws: EmbeddedAws, name: str, template: Template) -> None:
    cloudformation = aws.clients.client("cloudformation")
    for logical_id, resource in template["Resources"].items():
        if "CreationPolicy" in resource:
            instance = threading.Thread(target=_signal, args=(cloudformation, name, logical_id))
            instance.start()
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1200}
    )


@pytest.fixture(scope="module")
def deployed(assemblies: Callable[[str], dict[str, Template]]) -> Iterator[Deployed]:
    """Return all local stacks, deployed by the engine onto hosts that only give addresses."""
    templates = {f"academy-local-{role}": body for role, body in assemblies("local").items()}
    fakes = FakeHosts()
    aws = build(
        port=4566,
        clock=SystemClock(),
        make_hosts=lambda surroundings: fakes.hosts(),
        services=[
            lambda made, hosts: ElastiCache(account=ACCOUNT, region=REGION, caches=hosts.caches),
            lambda made, hosts: SqsService(
                made.clock, account=ACCOUNT, region=REGION, base_url=lambda: made.endpoint
            ),
            lambda made, hosts: AutoScalingService(
                made.clock, account=ACCOUNT, region=REGION, clients=made.clients
            ),
        ],
    )
    _bootstrap(aws, templates)
    order = _in_order(templates)
    for name in order:
        _deploy(aws, name, templates[name])
    yield Deployed(aws, {name: templates[name] for name in order}, fakes)


def test_every_type_of_the_local_templates_has_a_reader(
    assemblies: Callable[[str], dict[str, Template]],
) -> None:
    types = {
        resource["Type"]
        for template in assemblies("local").values()
        for resource in template["Resources"].values()
    }

    assert types - READERS.keys() == set()


def test_every_resource_exists_with_the_properties_of_its_template(deployed: Deployed) -> None:
    found, compared = [], 0
    for stack, template in deployed.templates.items():
        scope, identifiers = deployed.scope(stack), deployed.physical_ids(stack)
        for logical_id, resource in template["Resources"].items():
            reader = READERS[resource["Type"]]
            wanted = scope.resolve(resource.get("Properties", {}))
            actual = reader.read(deployed, identifiers[logical_id], wanted)
            compared += 1
            found += [
                f"{resource['Type']} {stack}/{logical_id} {line}"
                for line in differences(reader, wanted, actual)
            ]

    assert "\n".join(found) == ""
    assert compared > 100


def test_every_alarm_of_the_local_templates_can_be_evaluated(deployed: Deployed) -> None:
    Alarms(deployed.aws.clients, account=ACCOUNT, region=REGION).tick(time.time())

    found = deployed.client("cloudwatch").describe_alarms()["MetricAlarms"]
    refused = {a["AlarmName"]: a["StateReason"] for a in found if "Not ev" in a["StateReason"]}
    assert refused == {}
    assert len(found) > 20


def test_the_database_runs_with_the_password_of_its_secret(deployed: Deployed) -> None:
    (credentials,) = deployed.fakes.databases_running.values()
    listed = deployed.client("secretsmanager").list_secrets()["SecretList"]
    values = [deployed.secret(secret["ARN"]) for secret in listed]
    found = [json.loads(text) for text in values if text.startswith("{")]
    (value,) = [each for each in found if "username" in each]

    assert (credentials["user"], credentials["password"]) == (value["username"], value["password"])
    assert len(value["password"]) >= 20


def test_all_stacks_delete_again_and_leave_only_what_is_retained(deployed: Deployed) -> None:
    cloudformation = deployed.client("cloudformation")

    for stack in reversed(deployed.templates):
        cloudformation.delete_stack(StackName=stack)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1200}
        )

    functions = deployed.client("lambda").list_functions()["Functions"]
    groups = deployed.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (functions, groups) == ([], [])
    vpcs = deployed.client("ec2").describe_vpcs()["Vpcs"]
    assert all(vpc["IsDefault"] for vpc in vpcs)

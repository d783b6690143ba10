"""Who acts in a role, and what they call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from config.contracts.names import IMAGES
from tests.conftest import ROOT, Templates
from tests.contracts.agents import calls_of, operators
from tests.contracts.calls import Call, script_calls, sdk_calls
from tests.contracts.reach import modules_below, reached
from tests.templates import resources, strings, text

if TYPE_CHECKING:
    from tests.contracts.roles import Role

KINDS = {image: kind for kind, image in IMAGES.items()}
BASE = "worker_images.base"
#: GitHub's variable that a workflow finds its role in, by the subject that the role trusts.
VARIABLES = {"pull_request": "AWS_DIFF_ROLE", "environment:images": "AWS_IMAGES_ROLE"}


def refers(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        if value == {"Ref": name} or value.get("Fn::GetAtt", [""])[0] == name:
            return True
        return any(refers(inner, name) for inner in value.values())
    return isinstance(value, list) and any(refers(inner, name) for inner in value)


def _by_function(role: Role, function: dict[str, Any]) -> Iterator[Call]:
    package = function["Handler"].rpartition(".handler.")[0]
    yield from _calls(frozenset(modules_below(package)))
    yield from calls_of("Lambda's log")


def _by_instances(role: Role, template: dict[str, Any]) -> Iterator[Call]:
    script = text(template["LaunchTemplateData"]["UserData"])
    named = set(re.findall(r"/([a-z-]+):[0-9a-z]+", script))
    [kind] = {KINDS[image] for image in named & KINDS.keys()}
    yield from script_calls(script, f"{role.stack}'s boot script")
    yield from _by_image(role, kind, script)
    yield from calls_of("docker pull")
    yield from calls_of("Session Manager's agent")
    if "--log-driver awslogs" in script:
        yield from calls_of("docker's awslogs driver")


def _by_tasks(role: Role, task: dict[str, Any]) -> Iterator[Call]:
    if refers(task.get("TaskRoleArn"), role.name):
        images = {text(each["Image"]).rpartition("/")[2] for each in task["ContainerDefinitions"]}
        [kind] = {KINDS[image.partition(":")[0]] for image in images}
        yield from _by_image(role, kind, str(task["ContainerDefinitions"]))
    if refers(task.get("ExecutionRoleArn"), role.name):
        yield from calls_of("ECS's pull")
        for container in task["ContainerDefinitions"]:
            if container["LogConfiguration"]["LogDriver"] == "awslogs":
                yield from calls_of("ECS's log")
            for secret in container.get("Secrets", []):
                is_parameter = ":parameter" in text(secret["ValueFrom"])
                yield from calls_of("ECS's parameters" if is_parameter else "ECS's secrets")


def _by_image(role: Role, kind: str, commands: str) -> Iterator[Call]:
    """Yield what an image calls: its package, what it uses of the base, and what is run with -m."""
    commands += (ROOT / "worker_images" / kind / "Dockerfile").read_text("utf-8")
    run = set(re.findall(rf"-m['\", ]+({BASE}[\w.]+)", commands))
    whole = run | set(modules_below(f"worker_images.{kind}"))
    calls = _calls(frozenset(whole))
    own_keys = _store(role.templates) == "r2"
    for call in (*calls, *operators(kind)):
        if not (own_keys and call.action.startswith("s3:")):
            yield call


@cache
def _calls(whole: frozenset[str], entries: tuple[str, ...] = ()) -> frozenset[Call]:
    """Return what a program calls; many roles run the same one."""
    return frozenset(sdk_calls(reached(whole, entries)))


def _store(templates: Templates) -> str:
    """Return the provider of the buckets: R2 is called with keys of its own."""
    [provider] = {
        found["Properties"]["Value"]
        for found in resources(templates["configuration"], "AWS::SSM::Parameter").values()
        if text(found["Properties"]["Name"]).endswith("/STORAGE_PROVIDER")
    }
    return str(provider)


def _by_nat(role: Role, instance: dict[str, Any]) -> Iterator[Call]:
    """It forwards; cfn-signal signs with the instance's identity, which needs no permission.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-signal.html
    """
    yield from script_calls(text(instance["UserData"]), f"{role.stack}'s NAT")


def by_github(role: Role) -> Iterator[Call]:
    """Yield what the workflows call that become this role: commands of ours, and the AWS CLI."""
    [subject] = {
        found.partition(":")[2].partition(":")[2]
        for found in strings(role.properties["AssumeRolePolicyDocument"])
        if found.startswith("repo:")
    }
    variable = VARIABLES.get(subject, "AWS_DEPLOY_ROLE")
    flows = [
        re.sub(r"^\s*#.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    ]
    for flow in (flow for flow in flows if variable in flow):
        yield from script_calls(flow, variable)
        if "docker buildx build" in flow:
            yield from calls_of("docker push")
        if commands := re.findall(r"\bmake ([a-z]+) ENV=", flow):
            yield from _calls(
                frozenset(), tuple(f"ops.release_commands:{command}" for command in commands)
            )
            yield from calls_of("the CDK CLI")


USERS: dict[str, Callable[[Role, dict[str, Any]], Iterator[Call]]] = {
    "AWS::Lambda::Function": _by_function,
    "AWS::EC2::LaunchTemplate": _by_instances,
    "AWS::ECS::TaskDefinition": _by_tasks,
    "AWS::EC2::Instance": _by_nat,
    "AWS::EC2::FlowLog": lambda *_: calls_of("VPC flow logs"),
    "AWS::Backup::BackupSelection": lambda *_: calls_of("AWS Backup"),
}

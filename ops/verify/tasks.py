"""Do the ECS services run what was deployed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops import aws
from ops.findings import Finding
from ops.verify.context import Context

_SERVICE = "AWS::ECS::Service"


@dataclass(frozen=True)
class ServiceFact:
    """A service: its task definition, how its rollout is, and its tasks.

    `wanted` is the task definition that CloudFormation made.
    """

    name: str
    wanted: str
    runs: str
    rollout: str
    running: int
    desired: int


def ask(context: Context) -> list[Finding]:
    """Ask every ECS service of the assembly for its deployments; none without ECS."""
    found = []
    for service in context.deployed.resources(_SERVICE):
        definition = service.properties["TaskDefinition"]["Ref"]
        wanted = context.deployed.physical_id(service.stack, definition)
        # arn:aws:ecs:<region>:<account>:service/<cluster>/<service>
        cluster, _, name = service.physical_id.rpartition(":service/")[2].partition("/")
        answer = aws.client("ecs", context.region).describe_services(
            cluster=cluster, services=[name]
        )
        found += [_fact(each, wanted) for each in answer["services"]]
    return decide(found)


def decide(found: Sequence[ServiceFact]) -> list[Finding]:
    """Return a finding for each service."""
    return [_decided(fact) for fact in found]


def _decided(fact: ServiceFact) -> Finding:
    what = f"service {fact.name}: {fact.running} of {fact.desired} tasks run"
    fix = "read the service's events and the task's log group, then deploy again"
    if fact.runs != fact.wanted:
        cause = f"it runs {fact.runs}, deployed was {fact.wanted}: it was rolled back"
        return Finding(what, cause, fix)
    if fact.rollout != "COMPLETED" or fact.running < fact.desired:
        return Finding(what, f"its rollout is {fact.rollout}", fix)
    return Finding(what)


def _fact(service: Mapping[str, Any], wanted: str) -> ServiceFact:
    primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
    return ServiceFact(
        name=service["serviceName"],
        wanted=wanted,
        runs=primary["taskDefinition"],
        rollout=primary.get("rolloutState", "COMPLETED"),
        running=service["runningCount"],
        desired=service["desiredCount"],
    )

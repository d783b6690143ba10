"""From resources to boxes and arrows. An arrow is a permission, an open port or a schedule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ops.diagram.nodes import Node, nodes
from ops.diagram.templates import Key, Resource, Templates

INTERNET = ("internet", "internet")
COMPUTE = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::ECS::Service",
    "AWS::Lambda::Function",
)
#: The action that says what a permission is for, and the word for it. The first that fits counts.
_PURPOSES = (
    ("sqs:SendMessage", "send", False),
    ("sqs:ReceiveMessage", "receive", True),
    ("sqs:GetQueueAttributes", "count", False),
    ("s3:PutObject", "read, write", False),
    ("autoscaling:SetDesiredCapacity", "raise capacity", False),
)


@dataclass(frozen=True, order=True)
class Edge:
    """An arrow between two keys."""

    source: Key
    target: Key
    label: str


@dataclass(frozen=True)
class Graph:
    """What is drawn."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def build(templates: Templates) -> Graph:
    """Return the boxes of the templates and the arrows between them."""
    found = nodes(templates)
    keys = {node.key for node in found}
    edges = {*_permissions(templates, keys), *_ports(templates, keys), *_wiring(templates, keys)}
    if any(edge.source == INTERNET for edge in edges):
        found = (Node(INTERNET, "actor", "Staff and students", "browser"), *found)
    return Graph(found, tuple(sorted(edges)))


def _permissions(templates: Templates, keys: set[Key]) -> Iterator[Edge]:
    """Yield what the policies of each compute's role allow it to do with a drawn resource."""
    for compute in templates.of_type(*COMPUTE):
        if compute.key not in keys:
            continue
        roles = reach(templates, compute, "AWS::IAM::Role")
        for policy in templates.of_type("AWS::IAM::Policy"):
            if not templates.references(policy.key[0], policy.properties["Roles"]) & roles:
                continue
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                yield from _allowed(templates, keys, compute, policy, statement)


def _allowed(
    templates: Templates,
    keys: set[Key],
    compute: Resource,
    policy: Resource,
    statement: dict[str, object],
) -> Iterator[Edge]:
    actions = statement["Action"]
    listed = [actions] if isinstance(actions, str) else list(actions)  # type: ignore[call-overload]
    purpose = next((each for each in _PURPOSES if each[0] in listed), None)
    if purpose is None or statement["Effect"] != "Allow":
        return
    _, label, towards_compute = purpose
    targets = templates.references(policy.key[0], statement["Resource"])
    targets |= _named(templates, json.dumps(statement["Resource"]))
    for target in targets & keys:
        ends = (target, compute.key) if towards_compute else (compute.key, target)
        yield Edge(*ends, label)


def _named(templates: Templates, text: str) -> set[Key]:
    """Return the groups that an ARN names by their physical name."""
    return {
        group.key
        for group in templates.of_type("AWS::AutoScaling::AutoScalingGroup")
        if "AutoScalingGroupName" in group.properties
        and f'/{group.properties["AutoScalingGroupName"]}"' in text
    }


def _ports(templates: Templates, keys: set[Key]) -> Iterator[Edge]:
    """Yield what the security groups let through: from whom, to whom, on which port."""
    members: dict[Key, set[Key]] = {}
    for key in keys:
        for guard in reach(templates, templates.resources[key], "AWS::EC2::SecurityGroup"):
            members.setdefault(guard, set()).add(key)
    for rule in templates.of_type("AWS::EC2::SecurityGroupIngress"):
        stack, properties = rule.key[0], rule.properties
        for source in templates.references(stack, properties.get("SourceSecurityGroupId")):
            for target in templates.references(stack, properties["GroupId"]):
                for start in members.get(source, ()):
                    for end in members.get(target, ()):
                        yield Edge(start, end, f"port {properties['FromPort']}")
    for group in templates.of_type("AWS::EC2::SecurityGroup"):
        for rule_of_all in group.properties.get("SecurityGroupIngress", ()):
            if rule_of_all.get("CidrIp") == "0.0.0.0/0":
                for end in members.get(group.key, ()):
                    yield Edge(INTERNET, end, f"port {rule_of_all['FromPort']}")


def _wiring(templates: Templates, keys: set[Key]) -> Iterator[Edge]:
    """Yield schedules, and the addresses that functions are given."""
    for rule in templates.of_type("AWS::Events::Rule"):
        if rule.key in keys:
            targets = templates.references(rule.key[0], rule.properties.get("Targets"))
            yield from (Edge(rule.key, target, "") for target in targets & keys)
    for function in templates.of_type("AWS::Lambda::Function"):
        if function.key in keys:
            environment = function.properties.get("Environment")
            asked = templates.references(function.key[0], environment) & keys
            yield from (Edge(function.key, target, "ask backlog") for target in asked)


#: What stands between a compute and its role or its security groups.
_BETWEEN = (
    "AWS::EC2::LaunchTemplate",
    "AWS::IAM::InstanceProfile",
    "AWS::ECS::TaskDefinition",
)


def reach(templates: Templates, start: Resource, type_name: str) -> set[Key]:
    """Return the resources of a type that a resource names, directly or through what it boots."""
    found: set[Key] = set()
    waiting, seen = [start.key], {start.key}
    while waiting:
        key = waiting.pop()
        resource = templates.resources[key]
        for named in templates.references(key[0], dict(resource.properties)) - seen:
            seen.add(named)
            kind = templates.resources[named].type_name
            if kind == type_name:
                found.add(named)
            elif kind in _BETWEEN:
                waiting.append(named)
    return found

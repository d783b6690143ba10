"""Which resources become boxes, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ops.diagram.templates import Key, Resource, Templates

#: Set up for others, or the platform's own helpers: they carry no lecture.
_HELPERS = ("database_password", "health_canary", "r2_bucket_settings")


@dataclass(frozen=True)
class Node:
    """A box: its role decides column and colour."""

    key: Key
    role: str
    title: str
    detail: str


def nodes(templates: Templates) -> tuple[Node, ...]:
    """Return the boxes of the templates, in the order of the stacks."""
    found = []
    for resource in templates.resources.values():
        describe = _DESCRIBED.get(resource.type_name)
        node = describe(templates, resource) if describe else None
        if node:
            found.append(node)
    return tuple(found)


def _load_balancer(templates: Templates, resource: Resource) -> Node:
    stack = resource.key[0]
    ports = sorted(
        f"{listener.properties['Protocol']} {listener.properties['Port']}"
        for listener in templates.of_type("AWS::ElasticLoadBalancingV2::Listener")
        if resource.key in templates.references(stack, listener.properties["LoadBalancerArn"])
    )
    return Node(resource.key, "entry", "Load balancer", ", ".join(ports))


def _group(templates: Templates, resource: Resource) -> Node:
    properties = resource.properties
    size = f"{properties['MinSize']} to {properties['MaxSize']}"
    detail = f"{size} × {' or '.join(_instance_types(templates, resource)) or 'instance'}"
    if "TargetGroupARNs" in properties:
        return Node(resource.key, "api", "API instances", detail)
    title = str(properties.get("AutoScalingGroupName", "Auto Scaling group"))
    return Node(resource.key, "worker", title, detail)


def _instance_types(templates: Templates, resource: Resource) -> list[str]:
    """Return the types of a mixed group, else that of its launch template."""
    mixed = resource.properties.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    if overrides := mixed.get("Overrides"):
        return [str(override["InstanceType"]) for override in overrides[:2]]
    launched = [
        template.properties["LaunchTemplateData"] for template in _launched(templates, resource)
    ]
    return [str(data["InstanceType"]) for data in launched if "InstanceType" in data]


def _launched(templates: Templates, resource: Resource) -> list[Resource]:
    keys = templates.references(resource.key[0], resource.properties.get("LaunchTemplate"))
    return [templates.resources[key] for key in sorted(keys)]


def _service(templates: Templates, resource: Resource) -> Node:
    return Node(resource.key, "api", "API tasks", str(resource.properties.get("LaunchType", "ECS")))


def _function(templates: Templates, resource: Resource) -> Node | None:
    handler = str(resource.properties.get("Handler", ""))
    if not handler.startswith("lambdas.") or any(name in handler for name in _HELPERS):
        return None
    title = str(resource.properties.get("FunctionName", handler.split(".")[1]))
    return Node(resource.key, "function", title, f"Lambda, {resource.properties['Runtime']}")


def _rule(templates: Templates, resource: Resource) -> Node | None:
    """Return a schedule's box; one without a documented name belongs to a helper."""
    schedule, name = map(resource.properties.get, ("ScheduleExpression", "Name"))
    return Node(resource.key, "schedule", str(name), str(schedule)) if schedule and name else None


def _queue(templates: Templates, resource: Resource) -> Node | None:
    redrive = resource.properties.get("RedrivePolicy")
    if not redrive:
        return None
    title = str(resource.properties.get("QueueName", resource.key[1]))
    return Node(
        resource.key, "queue", title, f"dead letters after {redrive['maxReceiveCount']} receives"
    )


def _bucket(templates: Templates, resource: Resource) -> Node | None:
    """Return a documented bucket's box; the others hold no lecture."""
    name = resource.properties.get("BucketName")
    return Node(resource.key, "bucket", str(name), "S3 bucket") if name else None


def _r2_bucket(templates: Templates, resource: Resource) -> Node:
    return Node(resource.key, "bucket", str(resource.properties["Bucket"]), "R2 bucket")


def _database(templates: Templates, resource: Resource) -> Node:
    version = resource.properties.get("EngineVersion", "")
    return Node(resource.key, "data", f"PostgreSQL {version}", _text(resource, "DBInstanceClass"))


def _cache(templates: Templates, resource: Resource) -> Node:
    return Node(resource.key, "data", "Redis", _text(resource, "CacheNodeType"))


def _text(resource: Resource, name: str) -> str:
    return str(resource.properties.get(name, ""))


_DESCRIBED: Mapping[str, Callable[[Templates, Resource], Any]] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::AutoScaling::AutoScalingGroup": _group,
    "AWS::ECS::Service": _service,
    "AWS::Lambda::Function": _function,
    "AWS::Events::Rule": _rule,
    "AWS::SQS::Queue": _queue,
    "AWS::S3::Bucket": _bucket,
    "Custom::R2BucketSettings": _r2_bucket,
    "AWS::RDS::DBInstance": _database,
    "AWS::ElastiCache::ReplicationGroup": _cache,
}

"""What must hold in every estate, whatever its settings: each rule yields what breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from config.contracts import metrics
from tests.conftest import Templates
from tests.templates import resources, strings, text

Rule = Callable[[Templates], Iterator[str]]

#: Ports of the load balancer, the only ones that the world may reach.
PUBLIC_PORTS = {80, 443}
WORLD = {"0.0.0.0/0", "::/0"}
#: A worker fleet's group: its environment where the name holds one, and its kind.
WORKER_GROUP = re.compile(r"academy-(?:([a-z]+)-)?(video|ai|messaging)-worker-asg$")
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY)(?!S?_?(ID|ARN|NAME|PATH))", re.IGNORECASE)
#: A value that names a secret instead of being one.
REFERENCE = re.compile(r"secretsmanager:|^<|arn:|^/|\{\{resolve:")


def each(templates: Templates, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield stack, logical id and properties of every resource of a type."""
    for stack, template in templates.items():
        for name, resource in resources(template, kind).items():
            yield stack, name, resource.get("Properties", {})


def every_queue_has_a_dead_letter_queue_with_an_alarm(templates: Templates) -> Iterator[str]:
    alarmed = {
        text(dimension["Value"])
        for _, _, alarm in each(templates, "AWS::CloudWatch::Alarm")
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName" and alarm.get("AlarmActions")
    }
    dead = {
        text(queue["RedrivePolicy"]["deadLetterTargetArn"]).strip("<>").split()[0].split(".")[0]
        for _, _, queue in each(templates, "AWS::SQS::Queue")
        if "RedrivePolicy" in queue
    }
    for stack, name, queue in each(templates, "AWS::SQS::Queue"):
        if name in dead:
            if not any(name in value or value == queue.get("QueueName") for value in alarmed):
                yield f"{stack}/{name}: a dead-letter queue without an alarm"
        elif "RedrivePolicy" not in queue:
            yield f"{stack}/{name}: no dead-letter queue"


def every_scaling_metric_has_a_dead_man_alarm(templates: Templates) -> Iterator[str]:
    """Whoever sizes a fleet must be missed when it stops, by what it always publishes of it."""
    watched = {
        (
            metric.get("Namespace"),
            metric.get("MetricName"),
            dimensions({x["Name"]: text(x["Value"]) for x in metric.get("Dimensions", [])}),
        )
        for _, _, alarm in each(templates, "AWS::CloudWatch::Alarm")
        if alarm.get("TreatMissingData") == "breaching" and alarm.get("AlarmActions")
        for found in alarm.get("Metrics", [])
        if (metric := found.get("MetricStat", {}).get("Metric"))
    }
    for stack, name, group in each(templates, "AWS::AutoScaling::AutoScalingGroup"):
        found = WORKER_GROUP.search(text(group.get("AutoScalingGroupName", "")))
        if found and (signal := scaling_signal(found[1] or "prod", found[2])) not in watched:
            yield f"{stack}/{name}: {signal} has no alarm that missing data sets off"


def scaling_signal(environment: str, kind: str) -> tuple[str, str, str]:
    """Return namespace, name and dimensions of what is always published of a fleet."""
    if kind == "video":
        backlog = metrics.backlog_dimension_sets(environment)[0]
        return metrics.VIDEO_NAMESPACE, metrics.BACKLOG_COUNT, dimensions(backlog)
    depth = metrics.worker_dimensions(environment, kind)
    return metrics.WORKERS_NAMESPACE, metrics.QUEUE_DEPTH, dimensions(depth)


def dimensions(found: Mapping[str, str]) -> str:
    """Return dimensions as one text, in a fixed order."""
    return ",".join(f"{name}={value}" for name, value in sorted(found.items()))


def the_world_reaches_the_load_balancer_alone(templates: Templates) -> Iterator[str]:
    balancers = {
        text(group).strip("<>").split(".")[0].split(" ")[0].rpartition(":")[2]
        for _, _, balancer in each(templates, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        for group in balancer.get("SecurityGroups", [])
    }
    for stack, name, group in each(templates, "AWS::EC2::SecurityGroup"):
        for rule in group.get("SecurityGroupIngress", []):
            yield from open_to_the_world(f"{stack}/{name}", name, rule, balancers)
    for stack, name, rule in each(templates, "AWS::EC2::SecurityGroupIngress"):
        target = text(rule["GroupId"]).strip("<>").split(".")[0]
        yield from open_to_the_world(f"{stack}/{name}", target, rule, balancers)


def open_to_the_world(
    where: str, group: str, rule: dict[str, Any], balancers: set[str]
) -> Iterator[str]:
    if not {rule.get("CidrIp"), rule.get("CidrIpv6")} & WORLD:
        return
    ports = set(range(rule.get("FromPort", 0), rule.get("ToPort", 65535) + 1))
    if rule["IpProtocol"] != "tcp" or not ports <= PUBLIC_PORTS:
        yield f"{where}: open to the world beyond {sorted(PUBLIC_PORTS)}"
    elif not any(group in balancer for balancer in balancers):
        yield f"{where}: open to the world, and no load balancer's"


def no_permission_has_a_wildcard_action(templates: Templates) -> Iterator[str]:
    """An endpoint's policy is left out: it grants nothing, it shuts other accounts out."""
    for stack, template in templates.items():
        for name, resource in template.get("Resources", {}).items():
            if resource["Type"] == "AWS::EC2::VPCEndpoint":
                continue
            for statement in statements(resource.get("Properties", {})):
                if statement.get("Effect") != "Allow":
                    continue
                actions = statement.get("Action", [])
                for action in actions if isinstance(actions, list) else [actions]:
                    if "*" in action:
                        yield f"{stack}/{name}: {action}"


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every policy statement, wherever a resource keeps it."""
    if isinstance(value, dict):
        found = value.get("Statement")
        if isinstance(found, list):
            yield from (each for each in found if isinstance(each, dict))
        for inner in value.values():
            yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def no_deploy_sets_a_desired_capacity(templates: Templates) -> Iterator[str]:
    for stack, name, group in each(templates, "AWS::AutoScaling::AutoScalingGroup"):
        if "DesiredCapacity" in group:
            yield f"{stack}/{name}: DesiredCapacity {group['DesiredCapacity']}"
    for stack, name, service in each(templates, "AWS::ECS::Service"):
        if "DesiredCount" in service:
            yield f"{stack}/{name}: DesiredCount {service['DesiredCount']}"


def nothing_removes_a_worker(templates: Templates) -> Iterator[str]:
    """Only a worker knows whether it is busy: policies add instances, and schedules do nothing."""
    groups = {
        (stack, name)
        for stack, name, group in each(templates, "AWS::AutoScaling::AutoScalingGroup")
        if WORKER_GROUP.search(text(group.get("AutoScalingGroupName", "")))
    }
    for kind in ("ScalingPolicy", "ScheduledAction"):
        for stack, name, found in each(templates, f"AWS::AutoScaling::{kind}"):
            group = text(found["AutoScalingGroupName"]).strip("<>")
            ours = (stack, group) in groups or WORKER_GROUP.search(group)
            if ours and not (kind == "ScalingPolicy" and only_adds(found)):
                yield f"{stack}/{name}: a {kind} that could remove workers of {group}"


def only_adds(policy: Mapping[str, Any]) -> bool:
    """Say whether a policy can never make a group smaller."""
    how = policy.get("PolicyType"), policy.get("AdjustmentType")
    amounts = [step["ScalingAdjustment"] for step in policy.get("StepAdjustments", [])]
    return how == ("StepScaling", "ChangeInCapacity") and bool(amounts) and min(amounts) > 0


def no_secret_stands_in_plain_text(templates: Templates) -> Iterator[str]:
    for stack, template in templates.items():
        for where, key, value in named_values(template.get("Resources", {})):
            if SECRET_NAME.search(key) and not REFERENCE.search(text(value)):
                yield f"{stack}: {where}: {key} holds a value, no reference"
        for found in strings(template):
            if re.search(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----", found):
                yield f"{stack}: a key: {found[:12]}..."


def named_values(found: Any, where: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield what a template gives a name: variables, parameters, header values, passwords."""
    if isinstance(found, dict):
        variables = found.get("Variables")
        if isinstance(variables, dict):
            yield from ((where, key, value) for key, value in variables.items())
        if found.get("Type") == "AWS::SSM::Parameter":
            given = found["Properties"]
            yield where, text(given.get("Name", "")).rpartition("/")[2], given["Value"]
        if isinstance(found.get("Name"), str) and isinstance(found.get("Value"), str):
            yield where, found["Name"], found["Value"]
        for key in ("MasterUserPassword", "AuthToken", "SecretString"):
            if key in found:
                yield where, f"{key}_SECRET", found[key]
        for key, inner in found.items():
            yield from named_values(inner, f"{where}/{key}" if where else key)
    elif isinstance(found, list):
        for inner in found:
            yield from named_values(inner, where)


def every_log_group_forgets(templates: Templates) -> Iterator[str]:
    for stack, name, group in each(templates, "AWS::Logs::LogGroup"):
        if not group.get("RetentionInDays"):
            yield f"{stack}/{name}: kept for ever"
    for stack, name, function in each(templates, "AWS::Lambda::Function"):
        if "LogGroup" not in function.get("LoggingConfig", {}):
            yield f"{stack}/{name}: writes to a log group that Lambda makes, kept for ever"


def every_bucket_is_private(templates: Templates) -> Iterator[str]:
    closed = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    for stack, name, bucket in each(templates, "AWS::S3::Bucket"):
        if bucket.get("PublicAccessBlockConfiguration") != closed:
            yield f"{stack}/{name}: public access is not blocked"
        if "BucketEncryption" not in bucket:
            yield f"{stack}/{name}: not encrypted"


RULES: tuple[Rule, ...] = (
    every_queue_has_a_dead_letter_queue_with_an_alarm,
    every_scaling_metric_has_a_dead_man_alarm,
    the_world_reaches_the_load_balancer_alone,
    no_permission_has_a_wildcard_action,
    no_deploy_sets_a_desired_capacity,
    nothing_removes_a_worker,
    no_secret_stands_in_plain_text,
    every_log_group_forgets,
    every_bucket_is_private,
)

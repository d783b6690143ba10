"""The rules of `estate_rules`, over our environments and over random valid settings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from config.checks import problems
from config.models import Settings
from config.settings import environments, load_settings
from tests.conftest import Templates, synthesize
from tests.stacks.estate_rules import RULES, Rule

EXTERNAL = {"host": "db.example.com", "port": 6432, "credentials_secret_name": "academy/db"}
CACHE = {"host": "redis.example.com", "port": 6380, "credentials_secret_name": "academy/redis"}
ZONES = ["ap-northeast-2a", "ap-northeast-2c", "ap-northeast-2d"]

#: What an estate may choose, by dotted key; a path that an environment lacks is left alone.
CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "protect_data": st.booleans(),
    "log_retention_days": st.sampled_from([1, 30, 731]),
    "network.nat": st.sampled_from(["none", "instance", "gateway"]),
    "network.nat_zones": st.integers(1, 3),
    "network.interface_endpoints": st.booleans(),
    "network.availability_zones": st.sampled_from([ZONES[:2], ZONES]),
    "database.tls": st.booleans(),
    "database.rds.multi_az": st.booleans(),
    "database.rds.read_replicas": st.integers(0, 2),
    "database.rds.rotation_days": st.sampled_from([None, 30]),
    "database.external": st.sampled_from([None, None, EXTERNAL]),
    "redis.tls": st.booleans(),
    "redis.elasticache.shards": st.integers(1, 3),
    "redis.elasticache.replicas": st.integers(0, 2),
    "redis.external": st.sampled_from([None, None, CACHE]),
    "backup": st.sampled_from([None, {"keep_days": 30, "lock_after_days": 3}]),
    "storage.provider": st.sampled_from(["s3", "r2"]),
    "workers.video.spot_percent": st.integers(0, 100),
    "workers.video.on_demand_base": st.integers(0, 3),
    "workers.video.scratch_gb": st.sampled_from([None, 200]),
    "workers.video.min_instances": st.integers(0, 2),
    "workers.ai": st.sampled_from([None, ...]),
    "workers.messaging": st.sampled_from([None, ...]),
    "workers.messaging.warm_pool": st.sampled_from([None, {"size": 1}]),
    "api.compute": st.sampled_from(["ec2", "ecs"]),
    "edge.provider": st.sampled_from(["none", "cloudfront", "cloudflare"]),
    "alarms.monthly_budget_usd": st.sampled_from([None, 200]),
    "delivery.creates_shared": st.booleans(),
}


@st.composite
def estates(draw: st.DrawFn) -> Settings:
    """Draw valid settings: an environment's with up to eight choices made otherwise."""
    data = load_settings(draw(st.sampled_from(environments()))).model_dump()
    for key in draw(st.lists(st.sampled_from(sorted(CHOICES)), unique=True, max_size=8)):
        choose(data, key, draw(CHOICES[key]))
    found = Settings.model_validate(data)
    assume(not list(problems(found)))
    return found


def choose(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; None removes a worker kind, Ellipsis leaves what is there."""
    *above, last = key.split(".")
    for part in above:
        data = data.get(part, {})
    if value is None and above == ["workers"]:
        data.pop(last, None)
    elif value is not ... and (last in data or not above):
        data[last] = value


@given(estates())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_valid_estate_keeps_every_rule(estate: Settings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        templates = synthesize(estate, Path(folder))
    broken = {rule.__name__: list(rule(templates)) for rule in RULES}
    assert not {name: found for name, found in broken.items() if found}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_environments_keep_every_rule(templates: Templates, rule: Rule) -> None:
    assert list(rule(templates)) == []


def estate_of(kind: str, **properties: Any) -> Templates:
    """Return templates with one resource."""
    return {"one": {"Resources": {"It": {"Type": f"AWS::{kind}", "Properties": properties}}}}


WORLD = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp"}
ALLOWED = {"Effect": "Allow", "Resource": "*"}
BROKEN = [
    (0, estate_of("SQS::Queue", QueueName="jobs")),
    (0, estate_of("SQS::Queue", RedrivePolicy={"deadLetterTargetArn": {"Ref": "It"}})),
    (1, estate_of("AutoScaling::AutoScalingGroup", AutoScalingGroupName="academy-ai-worker-asg")),
    (
        2,
        estate_of(
            "EC2::SecurityGroup", SecurityGroupIngress=[{**WORLD, "FromPort": 22, "ToPort": 22}]
        ),
    ),
    (
        2,
        estate_of(
            "EC2::SecurityGroup", SecurityGroupIngress=[{**WORLD, "FromPort": 443, "ToPort": 443}]
        ),
    ),
    (3, estate_of("IAM::Policy", PolicyDocument={"Statement": [{**ALLOWED, "Action": "s3:Get*"}]})),
    (4, estate_of("AutoScaling::AutoScalingGroup", DesiredCapacity="1")),
    (
        5,
        estate_of(
            "AutoScaling::ScalingPolicy",
            AutoScalingGroupName="academy-ai-worker-asg",
            PolicyType="TargetTrackingScaling",
        ),
    ),
    (
        5,
        estate_of(
            "AutoScaling::ScalingPolicy",
            AutoScalingGroupName="academy-dev-ai-worker-asg",
            PolicyType="StepScaling",
            AdjustmentType="ChangeInCapacity",
            StepAdjustments=[{"ScalingAdjustment": 1}, {"ScalingAdjustment": -1}],
        ),
    ),
    (5, estate_of("AutoScaling::ScheduledAction", AutoScalingGroupName="academy-ai-worker-asg")),
    (6, estate_of("Lambda::Function", Environment={"Variables": {"API_TOKEN": "hunter2"}})),
    (6, estate_of("SSM::Parameter", Name="/academy/api/env/DB_PASSWORD", Value="hunter2")),
    (6, estate_of("RDS::DBInstance", MasterUserPassword="hunter2")),
    (7, estate_of("Logs::LogGroup")),
    (7, estate_of("Lambda::Function")),
    (8, estate_of("S3::Bucket", BucketEncryption={})),
]


@pytest.mark.parametrize(("index", "templates_"), BROKEN)
def test_a_broken_rule_is_found(index: int, templates_: Templates) -> None:
    assert list(RULES[index](templates_))

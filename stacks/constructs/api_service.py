"""What the API's two kinds of compute have in common: what they get, and what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.alarm import alarm
from stacks.constructs.parameters import EnvironmentParameters
from stacks.constructs.platform_stack import Place

MINUTE = cdk.Duration.minutes(1)
#: The chapter of the runbook that every release alarm points to.
CHAPTER = "a-release-was-rolled-back"


@dataclass(frozen=True)
class ApiProps:
    """Where the API runs, how many of it, and when a release of it is taken back.

    Between `minimum` and `maximum` instances or tasks serve, so many that their CPU use stays near
    `cpu_target_percent`. A release during which one of `release_alarms` goes off is rolled back.
    """

    place: Place
    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup
    targets: elbv2.ApplicationTargetGroup
    environment: EnvironmentParameters
    minimum: int
    maximum: int
    cpu_target_percent: int
    release_alarms: Sequence[cloudwatch.Alarm]


class ApiCompute(Protocol):
    """The API, whatever it runs on."""

    @property
    def role(self) -> iam.IRole:
        """What its code acts as."""

    @property
    def log_group(self) -> logs.ILogGroup:
        """Where it logs."""

    @property
    def cpu(self) -> cloudwatch.IMetric:
        """Its mean CPU use, per cent."""

    @property
    def release_alarms(self) -> Sequence[cloudwatch.Alarm]:
        """The alarms that take a release back."""


def release_alarms(
    scope: Construct,
    *,
    place: Place,
    entry: elbv2.ApplicationLoadBalancer,
    targets: elbv2.ApplicationTargetGroup,
    errors_per_minute: int,
    latency_p95_s: float,
    unhealthy_minutes: int,
    minimum: int,
) -> list[cloudwatch.Alarm]:
    """Return the alarms on what the load balancer sees: errors, its own too, latency, health.

    Health is that of `minimum` targets: a new one counts as unhealthy while it boots.
    """
    seen = targets.metrics
    answered = seen.http_code_target(elbv2.HttpCodeTarget.TARGET_5XX_COUNT, period=MINUTE)
    refused = entry.metrics.http_code_elb(elbv2.HttpCodeElb.ELB_5XX_COUNT, period=MINUTE)
    latency = seen.target_response_time(statistic="p95", period=MINUTE)
    healthy = seen.healthy_host_count(statistic="Minimum", period=MINUTE)
    errors = float(errors_per_minute)
    table: list[tuple[str, cloudwatch.IMetric, float, int, str]] = [
        ("Errors", answered, errors, 2, "The API answers 5xx."),
        ("EntryErrors", refused, errors, 2, "The load balancer gets no answer from the API."),
        ("Latency", latency, latency_p95_s, 2, "The API answers slowly (p95)."),
        ("Unhealthy", healthy, minimum, unhealthy_minutes, "Too few of the API are healthy."),
    ]
    return [
        alarm(
            scope,
            name,
            place=place,
            metric=metric,
            threshold=threshold,
            above=metric is not healthy,
            periods=periods,
            missing_is_bad=False,
            meaning=meaning,
            runbook=CHAPTER,
        )
        for name, metric, threshold, periods, meaning in table
    ]

"""Alarms on a worker fleet, by its documented names."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.contracts import metrics
from config.contracts.names import worker_group_name
from stacks.constructs.alarm import alarm
from stacks.constructs.platform_stack import Place

MINUTE = cdk.Duration.minutes(1)
#: An instance boots in 2 to 3 minutes; one that was ended meanwhile is replaced once.
BOOT_MINUTES = 15


def fleet_alarms(
    scope: Construct, *, place: Place, kind: str, late_s: int
) -> list[cloudwatch.Alarm]:
    """Return alarms on a fleet whose instances never boot, and on jobs that start `late_s` late."""
    title = kind.title()
    missing = cloudwatch.MathExpression(
        expression="desired - in_service",
        using_metrics={
            "desired": group_metric(place.environment, kind, "GroupDesiredCapacity"),
            "in_service": group_metric(place.environment, kind, "GroupInServiceInstances"),
        },
        label=f"{kind}: instances asked for and not in service",
        period=MINUTE,
    )
    return [
        alarm(
            scope,
            f"{title}NeverBootsAlarm",
            place=place,
            metric=missing,
            threshold=0,
            above=True,
            periods=BOOT_MINUTES,
            missing_is_bad=False,
            meaning=f"Instances of the {kind} fleet are asked for and do not come into service.",
            runbook="instances-never-come-into-service",
        ),
        alarm(
            scope,
            f"{title}LateAlarm",
            place=place,
            metric=worker_metric(place.environment, kind, metrics.TIME_TO_START_S, "Maximum"),
            threshold=late_s,
            above=True,
            periods=1,
            missing_is_bad=False,
            meaning=f"A job of the {kind} fleet started more than {late_s // 60} minutes late.",
            runbook="jobs-wait-too-long",
        ),
    ]


def group_metric(environment: str, kind: str, name: str) -> cloudwatch.Metric:
    """Return a metric of a fleet's Auto Scaling group over a minute."""
    return cloudwatch.Metric(
        namespace="AWS/AutoScaling",
        metric_name=name,
        dimensions_map={"AutoScalingGroupName": worker_group_name(environment, kind)},
        period=MINUTE,
        statistic="Maximum",
    )


def worker_metric(environment: str, kind: str, name: str, statistic: str) -> cloudwatch.Metric:
    """Return a metric that a fleet's workers publish with each job, over 5 minutes."""
    return cloudwatch.Metric(
        namespace=metrics.WORKERS_NAMESPACE,
        metric_name=name,
        dimensions_map=metrics.worker_dimensions(environment, kind),
        period=cdk.Duration.minutes(5),
        statistic=statistic,
    )

"""Alarms on a worker fleet, by its documented names."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.contracts import metrics
from stacks.constructs.alarm import alarm
from stacks.constructs.fleet_metrics import MINUTE, group_metric, worker_metric
from stacks.constructs.platform_stack import Place

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

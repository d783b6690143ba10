"""Alarms on a worker fleet, by its documented names."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.contracts import metrics
from stacks.constructs.alarm import alarm
from stacks.constructs.fleet_metrics import worker_metric
from stacks.constructs.platform_stack import Place

#: Failed boots within this are looked at together; a single one is made good by the next.
BOOTS_WITHIN = cdk.Duration.minutes(15)
FAILED_BOOTS = 2


def fleet_alarms(
    scope: Construct, *, place: Place, kind: str, late_s: int
) -> list[cloudwatch.Alarm]:
    """Return alarms on a fleet whose boots fail, and on jobs that start `late_s` late.

    Instances that Auto Scaling does not get at all are told by the jobs that wait for them.
    """
    title = kind.title()
    failed = worker_metric(place.environment, kind, metrics.BOOTS_FAILED, "Sum")
    return [
        alarm(
            scope,
            f"{title}BootsFailAlarm",
            place=place,
            metric=failed.with_(period=BOOTS_WITHIN),
            threshold=FAILED_BOOTS - 1,
            above=True,
            periods=1,
            missing_is_bad=False,
            meaning=f"Instances of the {kind} fleet fail to boot, {FAILED_BOOTS} or more of late.",
            runbook="instances-fail-to-boot",
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

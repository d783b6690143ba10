"""Alarms that every scheduled function has."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.alarm import alarm
from stacks.constructs.platform_stack import Place

#: Runs in a row that may fail, or be refused, before it is no accident.
RUNS = 3


def function_alarms(
    scope: Construct, function: lambda_.Function, *, place: Place, runs_each_minute: bool = False
) -> list[cloudwatch.Alarm]:
    """Return alarms on runs of a function that failed or were throttled.

    A function that runs each minute may fail RUNS times; a rarer one never.
    """
    period = cdk.Duration.minutes(1 if runs_each_minute else 5)
    periods = RUNS if runs_each_minute else 1
    watched = {
        "Errors": (function.metric_errors(period=period), "fails; its log says at what"),
        "Throttles": (function.metric_throttles(period=period), "is not allowed to run"),
    }
    return [
        alarm(
            scope,
            f"{name}Alarm",
            place=place,
            metric=metric,
            threshold=0,
            above=True,
            periods=periods,
            missing_is_bad=False,
            meaning=f"The function {scope.node.id} {what}.",
            runbook="a-function-fails",
        )
        for name, (metric, what) in watched.items()
    ]

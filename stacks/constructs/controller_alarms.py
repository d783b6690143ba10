"""The alarms on what the metric function says, and on its silence."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.contracts import metrics
from config.contracts.fleet_rules import FleetRules
from stacks.constructs.alarm import alarm
from stacks.constructs.fleet_metrics import MINUTE, controller_metric, signal_metric
from stacks.constructs.platform_stack import Place

#: Whole minutes without a metric before the alarm goes off: within 3 minutes of the last one.
SILENT_MINUTES = 2


def silence_alarm(scope: Construct, fleet: FleetRules, *, place: Place) -> cloudwatch.Alarm:
    """Return the dead-man alarm on a fleet's signal.

    An alarm looks further back than its periods, and finds an older point before it treats any as
    missing: silence of 2 minutes would be told after 4 or 5. FILL makes each silent minute a point
    of its own. The latest minute may not have arrived yet, hence two; and where CloudWatch has
    nothing left to fill, missing data is breaching.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    signal = signal_metric(place.environment, fleet.kind, statistic="SampleCount")
    return alarm(
        scope,
        f"{fleet.kind.title()}SilenceAlarm",
        place=place,
        metric=cloudwatch.MathExpression(
            expression="FILL(published, 0)",
            using_metrics={"published": signal},
            label=f"{signal.metric_name} of {fleet.kind}: times published",
            period=MINUTE,
        ),
        threshold=1,
        above=False,
        periods=SILENT_MINUTES,
        missing_is_bad=True,
        meaning=f"{signal.metric_name} of {fleet.kind} is silent: nobody sizes the fleet.",
        runbook="a-metric-is-no-longer-published",
    )


def breaker_alarm(scope: Construct, fleet: FleetRules, *, place: Place) -> cloudwatch.Alarm:
    """Return the alarm on boots that fail in a row.

    The metric function sets it off itself, to give the failed step as the reason; the metric keeps
    it in ALARM and ends it. Its name is physical: the function's variable and permission hold it.
    """
    return alarm(
        scope,
        f"{fleet.kind.title()}BreakerAlarm",
        name=fleet.breaker_alarm,
        place=place,
        metric=controller_metric(place.environment, fleet.kind, metrics.BREAKER_OPEN),
        threshold=0,
        above=True,
        periods=1,
        missing_is_bad=False,
        meaning=f"Boots of the {fleet.kind} fleet fail in a row: only one at a time is tried.",
        runbook="instances-fail-to-boot",
    )

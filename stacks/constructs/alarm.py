"""An alarm that reaches somebody and says where to read on."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from stacks.constructs.platform_stack import Place


def alarm(
    scope: Construct,
    identifier: str,
    *,
    place: Place,
    metric: cloudwatch.IMetric,
    threshold: float,
    above: bool,
    periods: int,
    missing_is_bad: bool,
    meaning: str,
    runbook: str,
    name: str | None = None,
) -> cloudwatch.Alarm:
    """Return an alarm that tells the operators' topic when it goes off and when it is over.

    The dashboard shows every alarm made here.

    It goes off when `metric` is above (else below) `threshold` for `periods` of its periods.
    `missing_is_bad` makes it a dead-man alarm; otherwise missing data is no alarm. `meaning` is
    one sentence; `runbook` the anchor of its chapter in docs/runbook.md, linked in the description.
    `name` is for an alarm that others know by its name; others get one of CloudFormation's.

    Raises: ValueError in a stack that was not told whom to tell.
    """
    if place.alarms is None:
        raise ValueError(f"{scope.node.path}/{identifier}: no topic to tell; give Place.alarms")
    made = cloudwatch.Alarm(
        scope,
        identifier,
        alarm_name=name,
        alarm_description=f"{meaning} {place.alarms.runbook_url}#{runbook}",
        metric=metric,
        threshold=threshold,
        comparison_operator=(
            cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
            if above
            else cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        ),
        evaluation_periods=periods,
        treat_missing_data=(
            cloudwatch.TreatMissingData.BREACHING
            if missing_is_bad
            else cloudwatch.TreatMissingData.NOT_BREACHING
        ),
    )
    action = actions.SnsAction(place.alarms.topic)
    made.add_alarm_action(action)
    made.add_ok_action(action)
    place.alarms.made.append(made)
    return made

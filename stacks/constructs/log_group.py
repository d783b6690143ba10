"""A log group that never grows for ever."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
}


def log_group(
    scope: Construct, identifier: str, *, retention_days: int, name: str | None = None
) -> logs.LogGroup:
    """Return a log group kept `retention_days` days and deleted with its stack.

    Raises: ValueError for a number of days that CloudWatch Logs does not offer.
    """
    if retention_days not in _RETENTION:
        allowed = ", ".join(str(days) for days in _RETENTION)
        raise ValueError(f"retention_days {retention_days} is not offered; allowed: {allowed}")
    return logs.LogGroup(
        scope,
        identifier,
        log_group_name=name,
        retention=_RETENTION[retention_days],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )

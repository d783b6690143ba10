"""The metrics of a fleet, by their documented names: what alarms and the dashboard look at."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from config.contracts import metrics
from config.contracts.names import worker_group_name

MINUTE = cdk.Duration.minutes(1)


def backlog_metric(environment: str, *, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Return BacklogCount as the documented query reads it, over a minute."""
    return cloudwatch.Metric(
        namespace=metrics.VIDEO_NAMESPACE,
        metric_name=metrics.BACKLOG_COUNT,
        dimensions_map=metrics.backlog_dimension_sets(environment)[0],
        period=MINUTE,
        statistic=statistic,
    )


def signal_metric(environment: str, kind: str, *, statistic: str = "Maximum") -> cloudwatch.Metric:
    """Return what the metric function always publishes of a fleet: BacklogCount, or QueueDepth."""
    if kind == "video":
        return backlog_metric(environment, statistic=statistic)
    return controller_metric(environment, kind, metrics.QUEUE_DEPTH, statistic=statistic)


def controller_metric(
    environment: str,
    kind: str,
    name: str,
    *,
    statistic: str = "Maximum",
    dimensions: Mapping[str, str] | None = None,
) -> cloudwatch.Metric:
    """Return a metric that the metric function publishes of a fleet, over a minute."""
    return worker_metric(environment, kind, name, statistic).with_(
        period=MINUTE,
        dimensions_map={**metrics.worker_dimensions(environment, kind), **(dimensions or {})},
    )


def worker_metric(environment: str, kind: str, name: str, statistic: str) -> cloudwatch.Metric:
    """Return a metric that a fleet's instances publish with each job or boot, over 5 minutes."""
    return cloudwatch.Metric(
        namespace=metrics.WORKERS_NAMESPACE,
        metric_name=name,
        dimensions_map=metrics.worker_dimensions(environment, kind),
        period=cdk.Duration.minutes(5),
        statistic=statistic,
    )


def group_metric(environment: str, kind: str, name: str) -> cloudwatch.Metric:
    """Return a metric of a fleet's Auto Scaling group over a minute."""
    return cloudwatch.Metric(
        namespace="AWS/AutoScaling",
        metric_name=name,
        dimensions_map={"AutoScalingGroupName": worker_group_name(environment, kind)},
        period=MINUTE,
        statistic="Maximum",
    )

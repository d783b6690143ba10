"""Alarms on PostgreSQL and Redis, and the metrics that they watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs.alarm import alarm
from stacks.constructs.platform_stack import Place

_GB = 1024**3
PERIOD = cdk.Duration.minutes(5)
#: RDS grows the disk by itself below 10 %, so less than that means that it may not grow further.
#: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
FREE_STORAGE_SHARE = 0.05
CONNECTIONS_SHARE = 0.8
#: A burstable instance earns credits idle and is throttled at 0.
LOW_CREDITS = 30
REDIS_MEMORY_PERCENT = 80


@dataclass(frozen=True)
class _Limit:
    """One alarm: a metric, its threshold and direction, and what it means."""

    metric: str
    threshold: float
    above: bool
    meaning: str


def database_alarms(
    scope: Construct,
    *,
    place: Place,
    instance: str,
    storage_gb: int,
    connections: int,
    burstable: bool,
) -> list[cloudwatch.Alarm]:
    """Return alarms on an RDS instance: free storage, connections, CPU credits (`burstable`)."""
    limits = [
        _Limit(
            "FreeStorageSpace",
            round(storage_gb * _GB * FREE_STORAGE_SHARE),
            above=False,
            meaning="The database's disk is nearly full and has stopped growing.",
        ),
        _Limit(
            "DatabaseConnections",
            round(connections * CONNECTIONS_SHARE),
            above=True,
            meaning="The database is running out of connections.",
        ),
    ]
    if burstable:
        limits.append(
            _Limit(
                "CPUCreditBalance",
                LOW_CREDITS,
                above=False,
                meaning="The database has used up its CPU credits and will be slow.",
            )
        )
    return [
        _alarm(scope, f"Database{each.metric}", place, database_metric(instance, each.metric), each)
        for each in limits
    ]


def redis_alarms(scope: Construct, *, place: Place, nodes: Sequence[str]) -> list[cloudwatch.Alarm]:
    """Return an alarm on the memory of each Redis node."""
    limit = _Limit(
        "DatabaseMemoryUsagePercentage",
        REDIS_MEMORY_PERCENT,
        above=True,
        meaning="Redis is nearly full: progress and locks will be refused.",
    )
    return [
        _alarm(scope, f"Redis{number}Memory", place, redis_metric(node, limit.metric), limit)
        for number, node in enumerate(nodes, start=1)
    ]


def _alarm(
    scope: Construct, name: str, place: Place, metric: cloudwatch.IMetric, limit: _Limit
) -> cloudwatch.Alarm:
    return alarm(
        scope,
        f"{name}Alarm",
        place=place,
        metric=metric,
        threshold=limit.threshold,
        above=limit.above,
        periods=3,
        missing_is_bad=False,
        meaning=limit.meaning,
        runbook="the-database-or-redis-runs-short",
    )


def database_metric(instance: str, name: str) -> cloudwatch.Metric:
    """Return an average of an RDS instance over 5 minutes."""
    return _average("AWS/RDS", name, DBInstanceIdentifier=instance)


def redis_metric(node: str, name: str) -> cloudwatch.Metric:
    """Return an average of a Redis node over 5 minutes."""
    return _average("AWS/ElastiCache", name, CacheClusterId=node)


def _average(namespace: str, name: str, **dimensions: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        period=PERIOD,
        statistic="Average",
    )

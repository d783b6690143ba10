"""What the workers of a kind measured, asked from CloudWatch period by period."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from config.contracts import metrics
from config.settings import Settings
from ops import aws
from ops.simulate.trace import PERIOD_S, Period

#: A field of Period -> the metric and its statistic.
_ASKED = {
    "jobs": (metrics.JOBS, "Sum"),
    "deliveries": (metrics.JOB_DURATION_S, "SampleCount"),
    "total_s": (metrics.JOB_DURATION_S, "Sum"),
    "shortest_s": (metrics.JOB_DURATION_S, "Minimum"),
    "longest_s": (metrics.JOB_DURATION_S, "Maximum"),
    "wait_s": (metrics.TIME_TO_START_S, "Average"),
}


def measured(settings: Settings, kind: str, *, since: datetime, until: datetime) -> list[Period]:
    """Return the periods in which deliveries of a kind ended, in seconds from `since`.

    Both moments lie on a whole period. Raises: botocore's errors.
    """
    found: defaultdict[datetime, dict[str, float]] = defaultdict(dict)
    pages = aws.client("cloudwatch", settings.aws.region).get_paginator("get_metric_data")
    for page in pages.paginate(
        MetricDataQueries=[_query(settings, kind, field) for field in _ASKED],
        StartTime=since,
        EndTime=until,
        ScanBy="TimestampAscending",
    ):
        for answer in page["MetricDataResults"]:
            for at, value in zip(answer["Timestamps"], answer["Values"], strict=True):
                found[at][answer["Id"]] = value
    return [_period(at - since, values) for at, values in sorted(found.items())]


def last_period(now: datetime) -> datetime:
    """Return the end of the last whole period."""
    return now - timedelta(seconds=now.timestamp() % PERIOD_S)


def _query(settings: Settings, kind: str, field: str) -> dict[str, Any]:
    name, statistic = _ASKED[field]
    dimensions = metrics.worker_dimensions(settings.environment, kind)
    if name == metrics.JOBS:
        dimensions = {**dimensions, "Outcome": "SUCCEEDED"}
    metric = {
        "Namespace": metrics.WORKERS_NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    stat = {"Metric": metric, "Period": PERIOD_S, "Stat": statistic}
    return {"Id": field, "MetricStat": stat}


def _period(since_start: timedelta, values: dict[str, float]) -> Period:
    return Period(
        at_s=since_start.total_seconds(),
        jobs=round(values.get("jobs", 0)),
        deliveries=round(values.get("deliveries", 0)),
        total_s=values.get("total_s", 0.0),
        shortest_s=values.get("shortest_s", 0.0),
        longest_s=values.get("longest_s", 0.0),
        wait_s=values.get("wait_s", 0.0),
    )

"""Alarms, dashboards, metrics and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ops.cost import machines
from ops.cost.estate import Month, Resource
from ops.cost.model import LECTURE_PARTS, Need

#: Log lines are kept compressed to about a seventh: gzip on JSON.
_COMPRESSED = 0.15
_DAYS_PER_MONTH = 30
_HOURS_A_DAY = 24
_FREE_DASHBOARD_METRICS = 50


def alarm(resource: Resource, month: Month) -> Iterator[Need]:
    """An alarm, billed for each metric that it looks at.

    https://aws.amazon.com/cloudwatch/pricing/: an alarm on metric math costs by its metrics.
    """
    looked_at = sum("MetricStat" in each for each in resource.properties.get("Metrics", []))
    yield Need("alarms", "alarm", max(1, looked_at), resource.name)


def composite(resource: Resource, month: Month) -> Iterator[Need]:
    """An alarm on alarms."""
    yield Need("alarms", "alarm.composite", 1, resource.name)


def dashboard(resource: Resource, month: Month) -> Iterator[Need]:
    """A dashboard: those of up to 50 metrics are free, three of them.

    https://aws.amazon.com/cloudwatch/pricing/ (free tier)
    """
    shown = set(_shown(json.loads(_text(resource.properties["DashboardBody"]))))
    price = "dashboard" if len(shown) <= _FREE_DASHBOARD_METRICS else "dashboard.large"
    yield Need("metrics", price, 1, resource.name)


def _shown(board: dict[str, Any]) -> Iterator[str]:
    """Yield what a dashboard refers to: each metric, whether drawn or in an expression."""
    for widget in board["widgets"]:
        for row in widget["properties"].get("metrics", []):
            if names := [each for each in row if isinstance(each, str)]:
                yield json.dumps(names)


def _text(value: Any) -> str:
    """Return a template's value as text, whatever only a deploy knows as its own JSON, escaped."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(_text(part) for part in value["Fn::Join"][1])
    return json.dumps(json.dumps(value))[1:-1]


def metric_filter(resource: Resource, month: Month) -> Iterator[Need]:
    """A metric counted from log lines."""
    yield Need("metrics", "metric", 1, resource.name)


def logs(month: Month) -> Iterator[Need]:
    """Log lines written, and kept for as long as the longest group keeps them."""
    groups = month.estate.of_type("AWS::Logs::LogGroup")
    if not groups:
        return
    written = month.usage.logs_gb
    gb = (
        written.total
        if month.estate.of_type("AWS::EC2::FlowLog")
        else (written.total - written.network)
    )
    days = max(float(each.properties["RetentionInDays"]) for each in groups)
    yield Need("logs", "logs.in", gb, "usage: logs_gb")
    kept_gb = gb * days / _DAYS_PER_MONTH * _COMPRESSED
    yield Need("logs", "logs.kept", kept_gb, f"the longest retention, {days:g} days")


def metrics(month: Month) -> Iterator[Need]:
    """The metrics that our code publishes: some all day, those of a fleet while it has jobs.

    A metric is paid for by the hour in which it is sent.
    """
    usage = month.usage
    if not month.estate.of_type("AWS::Lambda::Function"):
        return
    yield Need("metrics", "metric", usage.custom_metrics, "usage: custom_metrics")
    yield Need(
        "metrics",
        "metric.requests",
        usage.metric_requests_million,
        "usage: metric_requests_million",
    )
    for kind, use in usage.workers.items():
        if machines.fleets(month.estate, kind):
            share = use.hours_with_jobs / _HOURS_A_DAY
            # Those of lectures are there with the lectures alone.
            part = f"{kind} workers" if f"{kind} workers" in LECTURE_PARTS else "metrics"
            yield Need(part, "metric", usage.fleet_metrics * share, "usage: fleet_metrics")

"""Alarms, dashboards, metrics and logs."""

from __future__ import annotations

from collections.abc import Iterator

from ops.cost.estate import Month, Resource
from ops.cost.model import Need

#: Log lines are kept compressed to about a seventh: gzip on JSON.
_COMPRESSED = 0.15
_DAYS_PER_MONTH = 30


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
    """A dashboard."""
    yield Need("metrics", "dashboard", 1, resource.name)


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
    """The metrics that our code publishes, the metric function before all."""
    if month.estate.of_type("AWS::Lambda::Function"):
        yield Need("metrics", "metric", month.usage.custom_metrics, "usage: custom_metrics")

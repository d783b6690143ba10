"""What alarms look at, as namespace, name and dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.conftest import Templates
from tests.templates import properties, resources, text

ALARM = "AWS::CloudWatch::Alarm"
Alarm = dict[str, Any]
#: Namespace, name and dimensions of a metric.
Metric = tuple[str, str, frozenset[tuple[str, str]]]


def alarms(templates: Templates) -> Iterator[Alarm]:
    """Yield the alarms of every stack."""
    for template in templates.values():
        yield from properties(template, ALARM)


def watched(alarm: Alarm) -> set[Metric]:
    """Return the metrics that an alarm looks at, alone or in an expression."""
    if "MetricName" in alarm:
        return {metric_of(alarm)}
    return {
        metric_of(each["MetricStat"]["Metric"]) for each in alarm["Metrics"] if "MetricStat" in each
    }


def metric_of(found: Mapping[str, Any]) -> Metric:
    """Return the metric of an alarm, of a part of one, or of PutMetricData's arguments."""
    pairs = ((each["Name"], text(each["Value"])) for each in found.get("Dimensions", []))
    return str(found["Namespace"]), str(found["MetricName"]), frozenset(pairs)


def published(namespace: str, data: list[dict[str, Any]]) -> set[Metric]:
    """Return the metrics of PutMetricData's arguments."""
    return {metric_of({"Namespace": namespace, **datum}) for datum in data}


def boards(templates: Templates) -> dict[str, str]:
    """Return the dashboards' bodies by their ids' beginnings, as text."""
    found = resources(templates["monitoring"], "AWS::CloudWatch::Dashboard")
    names = ("OperatorsBoard", "OperatorsInstances", "OperatorsParts")
    made = {
        name: text(resource["Properties"]["DashboardBody"])
        for name in names
        for logical, resource in found.items()
        if logical.startswith(name)
    }
    assert len(made) == len(found) == len(names)
    return made


def dead_men(templates: Templates) -> set[Metric]:
    """Return the metrics whose silence raises an alarm, by how often they were published."""
    return {
        metric
        for alarm in alarms(templates)
        if alarm["TreatMissingData"] == "breaching"
        and "SampleCount"
        in {alarm.get("Statistic"), *(_statistics(alarm) if "Metrics" in alarm else ())}
        for metric in watched(alarm)
    }


def _statistics(alarm: Alarm) -> set[str]:
    return {each["MetricStat"]["Stat"] for each in alarm["Metrics"] if "MetricStat" in each}

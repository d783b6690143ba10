"""Defects of moto 5.2's CloudWatch that the platform would notice, mended in place.

A metric is a namespace, a name and an exact set of dimensions; moto takes a set that merely
contains the asked dimensions for the same metric, so that one published under two sets counts
twice. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse

_BACKEND: Any = CloudWatchBackend
_CALLS: Any = CloudWatchResponse
_Metric = tuple[str, str, frozenset[tuple[str, str]]]


class _Holding:
    """A backend that holds nothing but the given data points."""

    def __init__(self, data: list[Any]) -> None:
        self._data = data

    def get_all_metrics(self) -> list[Any]:
        return self._data


def statistics_are_of_one_metric() -> None:
    """Let GetMetricStatistics take the data of the very metric that is asked for."""
    read = _BACKEND.get_metric_statistics

    def get_metric_statistics(
        backend: Any, namespace: str, metric_name: str, *args: Any, **others: Any
    ) -> Any:
        wanted = (namespace, metric_name, _named(others["dimensions"]))
        data = [datum for datum in backend.get_all_metrics() if _metric(datum) == wanted]
        return read(_Holding(data), namespace, metric_name, *args, **others)

    _BACKEND.get_metric_statistics = get_metric_statistics


def data_queries_are_of_one_metric_each() -> None:
    """Let each query of GetMetricData take the data of its very metric.

    moto's own reading is kept for periods and metric math: every query is given a metric name of
    its own, and copies of its data under that name. Metrics Insights, which moto answers with the
    sum of everything, is refused.
    """
    read = _BACKEND.get_metric_data

    def get_metric_data(backend: Any, queries: list[Any], *args: Any, **others: Any) -> Any:
        data, asked, answers = backend.get_all_metrics(), [], []
        for number, query in enumerate(queries):
            if str(query.get("Expression", "")).upper().startswith("SELECT"):
                raise ValidationError("The embedded AWS plays no Metrics Insights queries.")
            if "MetricStat" not in query:
                asked.append(query)
                continue
            stat = query["MetricStat"]
            metric = stat["Metric"]
            own = {**metric, "MetricName": f"{metric['MetricName']} of query {number}"}
            label = query.get("Label") or f"{metric['MetricName']} {stat['Stat']}"
            asked.append({**query, "Label": label, "MetricStat": {**stat, "Metric": own}})
            dimensions = _named(metric.get("Dimensions") or [])
            wanted = (metric["Namespace"], metric["MetricName"], dimensions)
            for datum in data:
                if _metric(datum) == wanted:
                    answers.append(copy.copy(datum))
                    answers[-1].name = own["MetricName"]
        return read(_Holding(answers), asked, *args, **others)

    _BACKEND.get_metric_data = get_metric_data


def states_are_set_with_a_reason_of_bounded_length() -> None:
    """Refuse what SetAlarmState refuses: a reason above 1023 characters, data above 4000.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    set_state = _CALLS.set_alarm_state

    def set_alarm_state(call: Any) -> Any:
        for name, longest in (("StateReason", 1023), ("StateReasonData", 4000)):
            length = len(call._get_param(name) or "")
            if length > longest:
                raise ValidationError(f"{name} has {length} characters; allowed: up to {longest}")
        return set_state(call)

    _CALLS.set_alarm_state = set_alarm_state


def metrics_are_listed_once() -> None:
    """Let ListMetrics answer a metric of several dimensions, or of none, once."""

    def get_filtered_metrics(
        backend: Any, metric_name: str, namespace: str, dimensions: list[dict[str, str]]
    ) -> list[Any]:
        found: dict[_Metric, Any] = {}
        for datum in backend.get_all_metrics():
            if datum.filter(namespace=namespace, name=metric_name, dimensions=dimensions):
                found.setdefault(_metric(datum), datum)
        return list(found.values())

    _BACKEND.get_filtered_metrics = get_filtered_metrics


def _metric(datum: Any) -> _Metric:
    dimensions = frozenset((one.name, one.value) for one in datum.dimensions)
    return datum.namespace, datum.name, dimensions


def _named(dimensions: Iterable[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((one["Name"], one["Value"]) for one in dimensions)


def composite_alarms_can_be_put() -> None:
    """Serve PutCompositeAlarm, which moto lacks though its alarms know an AlarmRule."""
    _CALLS.put_composite_alarm = _CALLS.put_metric_alarm


def alarms_are_those_of_a_state_by_name_too() -> None:
    """Let DescribeAlarms respect StateValue beside names or a prefix, which moto passes over."""
    describe = _CALLS.describe_alarms

    def describe_alarms(call: Any) -> Any:
        answer, state = describe(call), call._get_param("StateValue")
        for kind in ("MetricAlarms", "CompositeAlarms") if state else ():
            found = answer.result[kind]
            answer.result[kind] = [alarm for alarm in found if alarm.state_value == state]
        return answer

    _CALLS.describe_alarms = describe_alarms


def alarms_keep_their_state_when_put_again() -> None:
    """Start an alarm in INSUFFICIENT_DATA and keep the state of one that is put again.

    moto starts it as OK and resets it at each put; AWS leaves the state unchanged.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    put = _BACKEND.put_metric_alarm
    state = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp")

    def put_metric_alarm(backend: Any, name: str, **settings: Any) -> Any:
        before = backend.alarms.get(name)
        alarm = put(backend, name=name, **settings)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            alarm.history = before.history
            for field in state:
                setattr(alarm, field, getattr(before, field))
        return alarm

    _BACKEND.put_metric_alarm = put_metric_alarm

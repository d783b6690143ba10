"""What moto 5.2's CloudWatch Logs lacks and the platform needs, added in place."""

from __future__ import annotations

import functools
import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs import models
from moto.logs.exceptions import InvalidParameterException
from moto.logs.responses import LogsResponse

from local.services.embedded_metrics import MalformedError, metrics_in
from local.services.log_patterns import Matcher, PatternError, matcher

_log = logging.getLogger(__name__)
_CALLS: Any = LogsResponse
_MODELS: Any = models
_STREAM: Any = models.LogStream


def embedded_metrics_become_metrics() -> None:
    """Put the metrics that accepted log events carry into CloudWatch, whoever sent the events.

    Every event of a container, a function or a caller ends in `LogStream.put_log_events`. One that
    is malformed stays a log line and counts in AWS/Logs EMFValidationErrors, as on AWS.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    """
    put = _STREAM.put_log_events

    def put_log_events(stream: Any, log_events: list[dict[str, Any]]) -> Any:
        answer = put(stream, log_events)
        backend = cloudwatch_backends[stream.account_id][stream.region]
        for event in log_events:
            for namespace, entry in _metrics(stream, event["message"]):
                naive = entry["Timestamp"].replace(tzinfo=None)  # as moto keeps every time
                backend.put_metric_data(namespace, [{**entry, "Timestamp": naive}])
        return answer

    _STREAM.put_log_events = put_log_events


def _metrics(stream: Any, message: str) -> list[tuple[str, dict[str, Any]]]:
    now = time.time()
    try:
        return metrics_in(message, now)
    except MalformedError as error:
        group = stream.log_group.name
        _log.warning("log event of %s %s: %s", group, stream.log_stream_name, error)
        entry = {
            "MetricName": "EMFValidationErrors",
            "Dimensions": [{"Name": "LogGroupName", "Value": group}],
            "Timestamp": datetime.fromtimestamp(now, UTC),
            "Value": 1.0,
        }
        return [("AWS/Logs", entry)]


def events_are_found_by_prefix_and_pattern_in_time_order() -> None:
    """Let FilterLogEvents respect logStreamNamePrefix and patterns of fields, streams mingled.

    moto passes over the first, matches everything by the second, and goes stream by stream; AWS
    has ignored `interleaved` and mingled since 2019.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """

    def filter_log_events(call: Any) -> str:
        group, prefix = call._get_param("logGroupName"), call._get_param("logStreamNamePrefix")
        names = call._get_param("logStreamNames", [])
        if prefix and names:
            raise InvalidParameterException(
                "LogStreamNamePrefix and LogStreamNames exclude each other."
            )
        if prefix:
            known = call.logs_backend._find_log_group(log_group_name=group).streams
            names = [name for name in list(known) if name.startswith(prefix)]
            if not names:
                return json.dumps({"events": [], "searchedLogStreams": []})
        given = [call._get_param(each) for each in ("startTime", "endTime", "limit", "nextToken")]
        pattern = call._get_param("filterPattern")
        found = call.logs_backend.filter_log_events(group, names, *given, pattern, True)
        answer = dict(zip(("events", "nextToken", "searchedLogStreams"), found, strict=True))
        return json.dumps({name: value for name, value in answer.items() if value is not None})

    _CALLS.filter_log_events = filter_log_events
    _MODELS.EventMessageFilter = _Pattern


class _Pattern:
    """Stands for moto's reading of a filter pattern. Raises: InvalidParameterException."""

    def __init__(self, pattern: str | None) -> None:
        try:
            self.matches = _matcher(pattern)
        except PatternError as error:
            raise InvalidParameterException(str(error)) from error


@functools.lru_cache(maxsize=100)
def _matcher(pattern: str | None) -> Matcher:
    return matcher(pattern)

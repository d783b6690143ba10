"""CloudWatch Logs: embedded metrics become metrics, and events are found as AWS finds them."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.clients import REGION
from local.clock import ManualClock
from local.hosts.cloudwatch_sink import CloudWatchSink
from local.hosts.function_log import FunctionLog
from local.hosts.ports import free_port
from local.server import EmbeddedAws, build
from local.services.embedded_metrics import MalformedError, metrics_in
from local.services.log_patterns import PatternError, matcher

#: When the tests were collected; they may run much later.
NOW = time.time()
NOW_MS = int(NOW * 1000)
VIDEO = [{"Name": "WorkerType", "Value": "Video"}]


def embedded(metrics: list[Any], dimensions: Any = (("WorkerType",),), **fields: Any) -> str:
    """Return an event in the embedded metric format."""
    directive = {"Namespace": "Academy/Workers", "Dimensions": dimensions, "Metrics": metrics}
    metadata = {"Timestamp": NOW_MS, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, "WorkerType": "Video", **fields})


def test_a_metric_has_namespace_dimensions_unit_and_time() -> None:
    message = embedded([{"Name": "BootSeconds", "Unit": "Seconds"}], BootSeconds=12.5)
    minute = datetime.fromtimestamp(NOW // 60 * 60, UTC)
    entry = {"MetricName": "BootSeconds", "Unit": "Seconds", "Timestamp": minute}
    assert metrics_in(message, NOW) == [
        ("Academy/Workers", {**entry, "Values": [12.5], "Dimensions": VIDEO})
    ]


def test_each_dimension_set_is_a_metric_of_its_own_and_a_list_is_many_values() -> None:
    sets = [["WorkerType"], ["WorkerType", "State"], []]
    message = embedded([{"Name": "n"}], sets, n=[1, 2, 2], State="idle")
    found = [entry for _, entry in metrics_in(message, NOW)]
    assert [len(entry["Dimensions"]) for entry in found] == [1, 2, 0]
    assert all(entry["Values"] == [1, 2, 2] for entry in found)


def test_a_resolution_of_one_second_keeps_the_second() -> None:
    metrics = [{"Name": "n", "StorageResolution": 1}, {"Name": "n", "StorageResolution": 60}]
    fine, coarse = (e["Timestamp"].timestamp() for _, e in metrics_in(embedded(metrics, n=1), NOW))
    assert (fine, coarse) == (NOW_MS // 1000, NOW_MS // 60_000 * 60)


@pytest.mark.parametrize(
    "message",
    ["plain", "", "[1]", '{"_aws": 1}', '{"a": "CloudWatchMetrics"}', '{"_aws": {}}', '"_aws": {'],
)
def test_any_other_event_carries_none(message: str) -> None:
    assert metrics_in(message, NOW) == []


@pytest.mark.parametrize(
    "message",
    [
        embedded([{"Name": "n"}]),
        embedded([{"Name": "n"}], n="1"),
        embedded([{"Name": "n"}], n=True),
        embedded([{"Name": "n"}], n=[1] * 101),
        embedded([{"Name": "n"}], n=1e300),
        embedded([{"Name": "n", "Unit": "Jobs"}], n=1),
        embedded([{"Name": "n", "StorageResolution": 10}], n=1),
        embedded([{"Name": "n"}], [["State"]], n=1),
        embedded([{"Name": "n"}], [["State"]], n=1, State=3),
        embedded([{"Name": "n"}], ["WorkerType"], n=1),
        embedded([{"Name": "n"}] * 101, n=1),
        embedded([{"Name": "n"}], None, n=1),
        embedded([{"Name": "n"}], n=1).replace("Academy/Workers", "AWS/SQS"),
        embedded([{"Name": "n"}], n=1).replace(f'"Timestamp": {NOW_MS}', '"Timestamp": 1'),
        embedded([{"Name": "n"}], n=1).replace(f'"Timestamp": {NOW_MS}, ', ""),
        json.dumps({"_aws": {"Timestamp": NOW_MS, "CloudWatchMetrics": {}}}),
        json.dumps({"_aws": {"Timestamp": NOW_MS, "CloudWatchMetrics": [1]}}),
    ],
    ids=itertools.count(),
)
def test_what_breaks_the_format_is_told_apart(message: str) -> None:
    with pytest.raises(MalformedError):
        metrics_in(message, NOW)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda s: (
            st.lists(s)
            | st.dictionaries(
                st.sampled_from(["Namespace", "Dimensions", "Metrics", "Name", "Unit"]), s
            )
        ),
    )
)
def test_no_metadata_does_anything_but_be_malformed(metadata: Any) -> None:
    message = json.dumps({"_aws": {"Timestamp": NOW_MS, "CloudWatchMetrics": metadata}})
    try:
        assert metrics_in(message, NOW) == []
    except MalformedError as error:
        assert str(error)


class Lab:
    """An embedded AWS that listens, with one log group."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.logs = aws.clients.client("logs")
        self.logs.create_log_group(logGroupName="g")

    def put(self, stream: str, *messages: str, at_ms: int = NOW_MS) -> None:
        with_times = [{"timestamp": at_ms, "message": message} for message in messages]
        with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_stream(logGroupName="g", logStreamName=stream)
        self.logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=with_times)

    def found(self, **asked: Any) -> list[str]:
        events = self.logs.filter_log_events(logGroupName="g", **asked)["events"]
        return [event["message"] for event in events]

    def sum(self, name: str, dimensions: Any, namespace: str = "Academy/Workers") -> float:
        points = self.aws.clients.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=dimensions,
            StartTime=datetime.fromtimestamp(NOW, UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.fixture
def lab() -> Lab:
    return Lab(build(port=4566, clock=ManualClock()))


def test_an_event_that_is_put_becomes_a_metric_and_stays_a_line(lab: Lab) -> None:
    message = embedded([{"Name": "n"}], n=[2, 3])
    lab.put("s", "before", message, "after")
    assert lab.sum("n", VIDEO) == 5
    assert lab.found() == ["before", message, "after"]


def test_a_malformed_event_is_counted_and_the_others_go_on(lab: Lab) -> None:
    lab.put("s", embedded([{"Name": "n"}], n="x"), embedded([{"Name": "n"}], n=1))
    assert lab.sum("n", VIDEO) == 1
    group = [{"Name": "LogGroupName", "Value": "g"}]
    assert lab.sum("EMFValidationErrors", group, "AWS/Logs") == 1


def test_containers_and_functions_publish_by_their_output(tmp_path: Path) -> None:
    aws = build(port=free_port(), clock=ManualClock())
    aws.start()
    lab = Lab(aws)
    sink = CloudWatchSink(aws.endpoint, REGION, "g", "worker/i-1")
    sink.write(embedded([{"Name": "n"}], n=1))
    sink.close()
    assert (sink.problems, lab.sum("n", VIDEO)) == ([], 1)
    log = FunctionLog(aws.clients, "g", "f", tmp_path / "none")
    log.line(embedded([{"Name": "n"}], n=10))
    log.send()
    aws.stop()
    assert lab.sum("n", VIDEO) == 11


def test_lines_of_two_threads_are_queued_in_the_order_of_their_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(CloudWatchSink, "_call", lambda sink, operation, body: sent.append(body))
    sink = CloudWatchSink("http://nowhere", REGION, "g", "s")
    threads = [
        threading.Thread(target=lambda: [sink.write("line") for _ in range(2000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    times = [e["timestamp"] for body in sent for e in body.get("logEvents", [])]
    assert (len(times), times) == (8000, sorted(times))


def test_a_functions_line_that_is_half_written_waits_for_its_end(lab: Lab, tmp_path: Path) -> None:
    output = tmp_path / "log.txt"
    message = embedded([{"Name": "n"}], n=4)
    log = FunctionLog(lab.aws.clients, "g", "f", output)
    for written in (f"first\n{message[:40]}", f"first\n{message}", f"first\n{message}\nlast"):
        output.write_text(written)
        log.copy()
        log.send()
    assert (lab.sum("n", VIDEO), lab.found()) == (4, ["first", message])
    log.copy(ended=True)
    log.send()
    assert lab.found() == ["first", message, "last"]


def test_events_are_found_by_stream_prefix_time_and_field(lab: Lab) -> None:
    record = json.dumps({"event": "boot", "outcome": "failed"})
    lab.put("boot/i-2", "old", at_ms=NOW_MS - 9000)
    lab.put("boot/i-1", "step=pull", record)
    lab.put("boot/i-2", json.dumps({"event": "boot"}), at_ms=NOW_MS - 1000)
    lab.put("worker/i-1", record)
    later = json.dumps({"event": "boot"})
    boots = {"logStreamNamePrefix": "boot/", "startTime": NOW_MS - 5000}
    assert lab.found(**boots) == [later, "step=pull", record]
    assert lab.found(**boots, filterPattern='{ $.event = "boot" }') == [later, record]
    assert lab.found(logStreamNamePrefix="nowhere/") == []
    with pytest.raises(ClientError, match="exclude each other"):
        lab.found(logStreamNamePrefix="boot/", logStreamNames=["boot/i-1"])


def test_a_prefix_is_followed_through_pages(lab: Lab) -> None:
    for number in range(5):
        lab.put(f"boot/{number % 2}", str(number), at_ms=NOW_MS + number)
        lab.put("worker/1", "other", at_ms=NOW_MS + number)
    pages = lab.logs.get_paginator("filter_log_events").paginate(
        logGroupName="g", logStreamNamePrefix="boot/", PaginationConfig={"PageSize": 2}
    )
    assert [e["message"] for page in pages for e in page["events"]] == ["0", "1", "2", "3", "4"]


MESSAGE = json.dumps({"event": "boot", "n": 3, "deep": {"word": "ab"}, "yes": True})


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (None, True),
        ("", True),
        ("boot event", True),
        ("boot nothing", False),
        ('"n\\": 3"', True),
        ('"n\\": 4"', False),
        ('boot "deep"', True),
        ('{ $.event = "boot" }', True),
        ("{ $.event = boot }", True),
        ('{ $.event = "b*t" && $.n >= 3 }', True),
        ('{ $.event = "b.*" }', False),
        ('{ $.event != "boot" }', False),
        ("{ $.n = 3 && $.n < 3 }", False),
        ('{ $.deep.word = "ab" }', True),
        ('{ $.deep.none = "ab" }', False),
        ('{ $.n.deeper = "ab" }', False),
        ('{ $.yes > 0 && $.event = "boot" }', True),
    ],
)
def test_a_pattern_matches_by_its_words(pattern: str | None, matches: bool) -> None:
    assert matcher(pattern)(MESSAGE) is matches


def test_a_field_is_looked_for_in_json_alone() -> None:
    assert not matcher('{ $.event = "boot" }')('{"event": "boot"')


@pytest.mark.parametrize(
    "pattern",
    ["?a ?b", "-a", "%a.*%", "[a, b]", "{ $.a IS NULL }", "{ $.a = 1 || $.b = 2 }", "{ $.a > b }"],
)
def test_a_pattern_that_is_not_played_is_refused(lab: Lab, pattern: str) -> None:
    with pytest.raises(PatternError, match="is not played"):
        matcher(pattern)
    lab.put("s", "line")
    with pytest.raises(ClientError, match="is not played"):
        lab.found(filterPattern=pattern)

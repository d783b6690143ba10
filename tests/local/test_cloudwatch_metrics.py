"""A metric is its namespace, name and exact dimensions, whoever else shares its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import EmbeddedAws

KIND = [{"Name": "Kind", "Value": "video"}]
BOTH = [*KIND, {"Name": "Source", "Value": "api"}]
#: Dimensions -> the values that one minute publishes.
PUBLISHED: list[tuple[str, list[dict[str, str]], list[float]]] = [
    ("Academy", KIND, [3.0, 5.0]),
    ("Academy", BOTH, [3.0, 5.0]),
    ("Academy", [], [100.0]),
    ("Elsewhere", KIND, [1000.0]),
]
MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
SPAN = {"StartTime": MINUTE, "EndTime": MINUTE + timedelta(minutes=1)}


@pytest.fixture
def cloudwatch(aws: EmbeddedAws) -> Any:
    """CloudWatch with one metric's name under several namespaces and dimension sets."""
    client = aws.clients.client("cloudwatch")
    for namespace, dimensions, values in PUBLISHED:
        data = [
            {
                "MetricName": "BacklogCount",
                "Dimensions": dimensions,
                "Timestamp": MINUTE + timedelta(seconds=number),
                "Value": value,
            }
            for number, value in enumerate(values)
        ]
        client.put_metric_data(Namespace=namespace, MetricData=data)
    return client


@pytest.mark.parametrize(("namespace", "dimensions", "values"), PUBLISHED)
def test_statistics_are_those_of_one_metric(
    cloudwatch: Any, namespace: str, dimensions: Any, values: list[float]
) -> None:
    found = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName="BacklogCount",
        Dimensions=dimensions,
        Period=60,
        Statistics=["Sum", "SampleCount"],
        **SPAN,
    )["Datapoints"]
    assert [(one["Sum"], one["SampleCount"]) for one in found] == [(sum(values), len(values))]


def _query(number: int, namespace: str, dimensions: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": "BacklogCount", "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}


def test_queries_of_one_call_keep_apart_what_shares_a_name(cloudwatch: Any) -> None:
    queries = [_query(n, ns, dimensions) for n, (ns, dimensions, _) in enumerate(PUBLISHED)]
    found = cloudwatch.get_metric_data(MetricDataQueries=queries, **SPAN)["MetricDataResults"]
    assert [one["Values"] for one in found] == [[8.0], [8.0], [100.0], [1000.0]]
    assert {one["Label"] for one in found} == {"BacklogCount Sum"}


def test_each_metric_is_listed_once(cloudwatch: Any) -> None:
    found = [(m["Namespace"], m["Dimensions"]) for m in cloudwatch.list_metrics()["Metrics"]]
    assert found == [(namespace, dimensions) for namespace, dimensions, _ in PUBLISHED]
    [wider] = cloudwatch.list_metrics(Namespace="Academy", Dimensions=BOTH)["Metrics"]
    assert wider["Dimensions"] == BOTH


def test_metric_math_still_sees_the_queries_that_it_names(cloudwatch: Any) -> None:
    queries = [
        {**_query(0, "Academy", KIND), "ReturnData": False},
        {"Id": "total", "Expression": "m0"},
    ]
    found = cloudwatch.get_metric_data(MetricDataQueries=queries, **SPAN)["MetricDataResults"]
    assert [(one["Id"], one["Values"]) for one in found] == [("total", [8.0])]


def test_what_is_not_played_is_refused_instead_of_summed_up(cloudwatch: Any) -> None:
    queries = [{"Id": "all", "Expression": "SELECT SUM(BacklogCount) FROM Academy", "Period": 60}]
    with pytest.raises(ClientError, match="plays no Metrics Insights"):
        cloudwatch.get_metric_data(MetricDataQueries=queries, **SPAN)

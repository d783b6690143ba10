"""Alarms: the judgement alone, then on moto's metric store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from moto.cloudwatch.models import cloudwatch_backends

from local.clients import ACCOUNT, REGION
from local.clock import ManualClock
from local.control.alarm_rules import InvalidRuleError, holds
from local.control.alarms import Alarms
from local.control.evaluation import (
    NotPlayedError,
    Sample,
    Threshold,
    by_period,
    judge,
    statistic,
)
from local.control.metric_math import evaluate
from local.control.sqs_metrics import SqsMetrics
from local.server import build
from local.services.sqs.service import SqsService
from tests.local.alarm_account import START, Account

X, O, N = 9.0, 0.0, None  # noqa: E741 - breaching, fine, missing, as in AWS's table


@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ([O, N, X, N, X], "OK", "OK", "OK", "OK"),
        ([N, N, N, N, O], "OK", "OK", "OK", "OK"),
        ([N, N, N, N, N], "INSUFFICIENT_DATA", "before", "ALARM", "OK"),
        ([O, X, X, N, X], "ALARM", "ALARM", "ALARM", "ALARM"),
        ([N, N, X, N, N], "ALARM", "before", "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_in_the_documented_table(
    points: list[float | None], missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    states = [
        judge(points, Threshold("GreaterThanThreshold", 1, 3, 3, treatment), "before")
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert states == [missing, ignore, breaching, not_breaching]


@given(
    st.lists(st.none() | st.floats(-10, 10), max_size=6),
    st.sampled_from(["missing", "ignore", "notBreaching"]),
    st.integers(1, 4),
)
def test_without_a_breaching_point_nothing_alarms(
    points: list[float | None], treatment: str, periods: int
) -> None:
    threshold = Threshold("LessThanThreshold", -11, periods, 1, treatment)
    assert judge(points, threshold, "OK") != "ALARM"


@pytest.mark.parametrize(
    ("name", "value"),
    [("Average", 3), ("Sum", 12), ("SampleCount", 4), ("Minimum", 1), ("Maximum", 6), ("p50", 2)],
)
def test_statistics_add_single_values_and_statistic_sets(name: str, value: float) -> None:
    samples = [Sample(0, 1, v, v, v) for v in (1.0, 2.0)] + [Sample(0, 2, 9, 3, 6)]
    assert statistic(name, samples) == value


def test_only_whole_periods_count() -> None:
    samples = [Sample(at, 1, at, at, at) for at in (0.0, 59.0, 60.0, 120.0)]
    assert by_period(samples, "SampleCount", 60, 3, now=130) == [None, 2, 1]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ('ALARM("a")', True),
        ("ALARM(b)", False),
        ("OK('b') AND NOT ALARM(b)", True),
        ("ALARM(b) OR ALARM(arn:aws:cloudwatch:r:1:alarm:a)", True),
        ("NOT (ALARM(a) OR FALSE)", False),
        ("ALARM(a) OR OK(b) AND FALSE", True),
    ],
)
def test_composite_rules_follow_their_words(rule: str, value: bool) -> None:
    assert holds(rule, {"a": "ALARM", "b": "OK"}.__getitem__) is value


@pytest.mark.parametrize("rule", ["", "ALARM(", "ALARM(a", "a", "ALARM(a) ALARM(a)", "AT_LEAST(1)"])
def test_a_rule_that_cannot_be_read_says_so(rule: str) -> None:
    with pytest.raises(InvalidRuleError):
        holds(rule, lambda name: "OK")


@pytest.fixture
def account() -> Account:
    return Account()


def test_an_alarm_goes_off_and_comes_back(account: Account) -> None:
    account.alarm()
    account.pass_minutes()
    assert account.state() == "INSUFFICIENT_DATA"
    account.put(5)
    account.pass_minutes()
    assert account.state() == "ALARM"
    account.put(4)
    account.pass_minutes()
    assert account.state() == "OK"


def test_only_the_exact_dimensions_are_looked_at(account: Account) -> None:
    account.alarm()
    account.put(9, "d", "more")
    account.put(9, "other")
    account.pass_minutes()
    assert account.state() == "INSUFFICIENT_DATA"


def test_silence_can_be_the_alarm(account: Account) -> None:
    account.alarm(TreatMissingData="breaching", EvaluationPeriods=2)
    account.put(1)
    account.pass_minutes(2)
    assert account.state() == "OK"
    account.pass_minutes(4)
    assert account.state() == "ALARM"


def test_a_state_change_reaches_the_topic_once(account: Account) -> None:
    sns = account.aws.clients.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    account.alarm(AlarmActions=[topic])
    published: list[dict[str, Any]] = []
    sns.meta.events.register(
        "provide-client-params.sns.Publish", lambda params, **_: published.append(params)
    )
    account.put(7)
    account.pass_minutes(3)
    [message] = published
    assert json.loads(message["Message"])["NewStateValue"] == "ALARM"
    assert message["TopicArn"] == topic


STEPS = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 3},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 8},
]


@pytest.mark.parametrize(("value", "desired"), [(4, 2), (5, 3), (14.9, 3), (15, 8)])
def test_the_step_is_chosen_by_how_far_the_metric_is_beyond_the_threshold(
    account: Account, value: float, desired: int
) -> None:
    account.alarm(AlarmActions=[account.fleet(StepAdjustments=STEPS)])
    account.put(value)
    account.pass_minutes()
    assert account.desired() == desired


def test_a_policy_is_executed_again_while_the_alarm_lasts(account: Account) -> None:
    account.alarm(AlarmActions=[account.fleet(StepAdjustments=STEPS)])
    account.put(6)
    account.pass_minutes()
    assert account.desired() == 3
    account.put(20)
    account.pass_minutes(2)
    assert account.desired() == 8


def test_a_suspended_group_does_not_hear_alarms(account: Account) -> None:
    account.alarm(AlarmActions=[account.fleet(StepAdjustments=STEPS)])
    account.autoscaling.suspend_processes(
        AutoScalingGroupName="g", ScalingProcesses=["AlarmNotification"]
    )
    account.put(20)
    account.pass_minutes()
    assert account.desired() == 2


@pytest.mark.parametrize("treatment", ["missing", "ignore", "breaching", "notBreaching"])
def test_missing_data_never_removes_capacity(account: Account, treatment: str) -> None:
    to_zero = [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}]
    policy = account.fleet(StepAdjustments=to_zero)
    account.alarm(
        AlarmActions=[policy],
        InsufficientDataActions=[policy],
        ComparisonOperator="LessThanThreshold",
        TreatMissingData=treatment,
    )
    account.pass_minutes(5)
    assert account.desired() == 2


def test_composite_alarms_follow_their_parts(account: Account) -> None:
    account.alarm()
    account.cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) AND NOT OK(a)")
    account.put(7)
    account.pass_minutes()
    assert account.state("both") == "ALARM"
    account.put(1)
    account.pass_minutes()
    assert account.state("both") == "OK"


MATH: list[tuple[str, list[float | None]]] = [
    ("a - b", [1, None, None, -1]),
    ("(a + 2) * 2 / b", [8, None, None, 2.4]),
    ("IF(a > 0 AND FILL(b, 0) < 2, 1, 0)", [1, None, 1, 0]),
    ("IF(FILL(a, 0) >= 3 || b == 5, a, 7)", [7, 7, None, 4]),
    ("a / (b - b)", [None, None, None, None]),
]


@pytest.mark.parametrize(("expression", "expected"), MATH, ids=lambda value: str(value)[:20])
def test_metric_math_follows_its_words(expression: str, expected: list[float | None]) -> None:
    series: dict[str, list[float | None]] = {"a": [2, None, 3, 4], "b": [1, 1, None, 5]}
    assert evaluate(expression, series, 4) == expected


@pytest.mark.parametrize(
    "expression", ["SUM(METRICS())", "unknown + 1", "a +", "a ** 2", "+a", "import os"]
)
def test_other_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(NotPlayedError):
        evaluate(expression, {"a": [1]}, 1)


def query(name: str, metric: str) -> dict[str, Any]:
    """Return a metric query over a minute's maximum."""
    dimensions = [{"Name": "d", "Value": "1"}]
    found = {"Namespace": "N", "MetricName": metric, "Dimensions": dimensions}
    stat = {"Metric": found, "Period": 60, "Stat": "Maximum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def test_an_alarm_on_metric_math_goes_off_and_comes_back(account: Account) -> None:
    account.cloudwatch.put_metric_alarm(
        AlarmName="a",
        EvaluationPeriods=2,
        Threshold=3,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "e", "Expression": "m * 2 - FILL(other, 1)", "ReturnData": True},
            query("m", "m"),
            query("other", "nowhere"),
        ],
    )
    for value, state in ((3, "ALARM"), (2, "OK")):
        for _ in range(2):
            account.put(value)
            account.pass_minutes()
        assert account.state() == state


def test_what_is_not_played_says_so_in_the_alarms_own_words(account: Account) -> None:
    account.cloudwatch.put_metric_alarm(
        AlarmName="a",
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[{"Id": "e", "Expression": "1 + 1", "ReturnData": True}],
    )
    account.pass_minutes()
    [alarm] = account.cloudwatch.describe_alarms()["MetricAlarms"]
    assert "1 expressions over periods []" in alarm["StateReason"]


def test_queues_show_their_depth_age_and_traffic_each_minute(account: Account) -> None:
    sqs = account.aws.clients.client("sqs")
    service = account.aws.services["sqs"]
    assert isinstance(service, SqsService)
    metrics = SqsMetrics(account.aws.clients, service)
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    metrics.tick(account.clock.now())
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="m")
    sqs.receive_message(QueueUrl=url)
    account.alarm(
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Dimensions=[{"Name": "QueueName", "Value": "jobs"}],
        Threshold=3,
    )
    account.clock.advance(60)
    metrics.tick(account.clock.now())
    metrics.tick(account.clock.now() + 1)
    account.pass_minutes()
    assert account.state() == "ALARM"
    found = account.cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "jobs"}],
        StartTime=datetime.fromtimestamp(START, UTC),
        EndTime=datetime.fromtimestamp(START + 600, UTC),
        Period=60,
        Statistics=["Maximum", "SampleCount"],
    )["Datapoints"]
    assert sorted(point["Maximum"] for point in found) == [0, 2]


def test_points_older_than_three_hours_leave_the_store_and_alarms_still_know_them() -> None:
    def put(at: float, value: float) -> None:
        moment = datetime.fromtimestamp(at, UTC)
        datum = {"MetricName": "Depth", "Timestamp": moment, "Value": value}
        client.put_metric_data(Namespace="Academy", MetricData=[datum])

    aws = build(port=4566, clock=ManualClock(START))
    client = aws.clients.client("cloudwatch")
    alarms = Alarms(aws.clients, account=ACCOUNT, region=REGION)
    client.put_metric_alarm(
        AlarmName="day",
        Namespace="Academy",
        MetricName="Depth",
        Period=3600,
        EvaluationPeriods=6,
        DatapointsToAlarm=3,
        TreatMissingData="notBreaching",
        Statistic="Maximum",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1.0,
    )
    hour = START // 3600 * 3600
    put(hour, 5.0)
    alarms.tick(hour + 60)
    for now in (hour + 3600, hour + 3 * 3600 + 120):
        put(now, 9.0)
        alarms.tick(now)

    store = cloudwatch_backends[ACCOUNT][REGION].metric_data
    assert [datum.value for datum in store] == [9.0, 9.0]
    alarms.tick(hour + 4 * 3600)
    assert client.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"
    assert [datum.value for datum in store] == [9.0, 9.0]
    alarms.tick(hour + 7 * 3600)
    assert store == []


def test_alarms_are_found_by_name_and_state_together() -> None:
    cloudwatch = build(port=4566, clock=ManualClock(START)).clients.client("cloudwatch")
    for name in ("one", "two"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.set_alarm_state(AlarmName="two", StateValue="ALARM", StateReason="a test")
    for asked in ({"AlarmNames": ["one", "two"]}, {"AlarmNamePrefix": "t"}, {}):
        found = cloudwatch.describe_alarms(StateValue="ALARM", **asked)["MetricAlarms"]
        assert [alarm["AlarmName"] for alarm in found] == ["two"]

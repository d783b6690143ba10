"""What the fleets' alarms need: states set from outside, missing data, math, steps that warm up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control.evaluation import NotPlayedError, Threshold, judge
from local.control.fleets import Fleets
from local.control.metric_math import evaluate
from local.control.sqs_metrics import SqsMetrics
from local.services.autoscaling.service import AutoScalingService
from local.services.sqs.service import SqsService
from tests.local.alarm_account import Account

X, O, N = 9.0, 0.0, None  # noqa: E741 - breaching, fine, missing, as in AWS's table


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ([O, N, X, N, X], "ALARM", "ALARM", "ALARM", "ALARM"),
        ([O, O, X, O, X], "ALARM", "ALARM", "ALARM", "ALARM"),
        ([O, N, X, N, N], "OK", "OK", "ALARM", "OK"),
        ([N, N, N, N, O], "OK", "OK", "ALARM", "OK"),
        ([N, N, N, X, N], "ALARM", "before", "ALARM", "OK"),
        ([N, N, N, N, X], "before", "before", "ALARM", "OK"),
        ([N, N, N, N, N], "INSUFFICIENT_DATA", "before", "ALARM", "OK"),
    ],
)
def test_two_of_three_points_are_judged_as_in_the_documented_table(
    points: list[float | None], missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    states = [
        judge(points, Threshold("GreaterThanThreshold", 1, 3, 2, treatment), "before")
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert states == [missing, ignore, breaching, not_breaching]


@pytest.mark.parametrize("points", [[N, N, N, N, X], [N, N, N, X, N]])
def test_a_young_breaching_point_alone_waits_for_the_next(points: list[float | None]) -> None:
    assert judge(points, Threshold("GreaterThanThreshold", 1, 3, 3, "missing"), "OK") == "OK"


SERIES: dict[str, list[float | None]] = {"a": [2, None, 3, None], "b": [1, 1, None, None]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUM([a, b])", [3, 1, 3, None]),
        ("SUM([FILL(a, 0), FILL(b, 0), 1])", [4, 2, 4, 1]),
        ("FILL(a, 0) + FILL(b, 0)", [3, 1, 3, 0]),
        ("MAX([a, b]) - MIN([a, b])", [1, 0, 0, None]),
        ("AVG([a, b])", [1.5, 1, 3, None]),
        ("-a + FILL(b, -1)", [-1, None, -4, None]),
        ("IF(FILL(b, -1) < 0, -1, FILL(a, 0))", [2, 0, -1, -1]),
        ("IF(FILL(b, 0) < 1, a)", [None, None, 3, None]),
        ("FILL(a, 0) >= 2", [1, 0, 1, 0]),
    ],
)
def test_series_are_summed_filled_and_chosen(expression: str, expected: list[Any]) -> None:
    assert evaluate(expression, SERIES, 4) == expected


@pytest.mark.parametrize("expression", ["SUM(a)", "IF(a)", "FILL(a, REPEAT)", "IF(0, x, 1)", "[a]"])
def test_what_stands_beside_is_refused(expression: str) -> None:
    with pytest.raises(NotPlayedError):
        evaluate(expression, SERIES, 1)


def published(account: Account) -> list[dict[str, Any]]:
    """Return a list that fills with the messages to the topic."""
    found: list[dict[str, Any]] = []
    account.aws.clients.client("sns").meta.events.register(
        "provide-client-params.sns.Publish",
        lambda params, **_: found.append(json.loads(params["Message"])),
    )
    return found


def watched(account: Account, **more: Any) -> list[dict[str, Any]]:
    """Make an alarm whose both sides tell a topic, OK by its metric; return the messages."""
    topic = account.aws.clients.client("sns").create_topic(Name="t")["TopicArn"]
    account.alarm(AlarmActions=[topic], OKActions=[topic], **more)
    account.put(0)
    account.pass_minutes()
    messages = published(account)
    assert account.state() == "OK"
    return messages


def set_state(account: Account, state: str, reason: str, **more: Any) -> None:
    account.cloudwatch.set_alarm_state(AlarmName="a", StateValue=state, StateReason=reason, **more)


def test_a_state_set_from_outside_acts_once_and_names_its_reason(account: Account) -> None:
    messages = watched(account)
    set_state(account, "ALARM", "step pull: no route to the registry")
    account.put(9)
    account.alarms.tick(account.clock.now() + 0.5)
    [message] = messages
    assert message["NewStateReason"] == "step pull: no route to the registry"
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    account.pass_minutes()
    account.put(9)
    account.pass_minutes()
    assert (account.state(), len(messages)) == ("ALARM", 1)


def test_a_reason_that_is_too_long_is_refused(account: Account) -> None:
    account.alarm()
    set_state(account, "ALARM", "r" * 1023)
    with pytest.raises(ClientError, match="StateReason has 1024 characters"):
        set_state(account, "OK", "r" * 1024)
    assert account.state() == "ALARM"


def test_a_state_set_from_outside_holds_until_the_metric_is_looked_at(account: Account) -> None:
    messages = watched(account)
    set_state(account, "ALARM", "a rehearsal")
    account.put(0)
    account.clock.advance(50)
    account.alarms.tick(account.clock.now())
    assert account.state() == "ALARM"
    account.clock.advance(10)
    account.alarms.tick(account.clock.now())
    assert account.state() == "OK"
    assert [message["NewStateValue"] for message in messages] == ["ALARM", "OK"]


def test_every_change_between_two_looks_acts_and_a_repeated_state_does_not(
    account: Account,
) -> None:
    messages = watched(account)
    for state in ("ALARM", "ALARM", "OK", "ALARM"):
        set_state(account, state, f"set to {state}")
    account.alarms.tick(account.clock.now() + 1)
    account.alarms.tick(account.clock.now() + 2)
    assert [message["NewStateValue"] for message in messages] == ["ALARM", "OK", "ALARM"]


def test_an_alarm_that_is_deployed_anew_does_not_act_again(account: Account) -> None:
    messages = watched(account)
    set_state(account, "ALARM", "once")
    account.alarms.tick(account.clock.now() + 1)
    account.alarm(AlarmActions=["arn:aws:sns:ap-northeast-2:123456789012:t"])
    account.alarms.tick(account.clock.now() + 2)
    assert len(messages) == 1


def test_a_policy_is_executed_with_the_data_point_that_came_with_the_state(
    account: Account,
) -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 7}]
    account.alarm(AlarmActions=[account.fleet(StepAdjustments=steps)])
    set_state(account, "ALARM", "no point")
    account.alarms.tick(account.clock.now())
    assert account.desired() == 2
    set_state(account, "OK", "")
    data = json.dumps({"recentDatapoints": [5.0, 9.0]})
    set_state(account, "ALARM", "two points", StateReasonData=data)
    account.alarms.tick(account.clock.now() + 1)
    assert account.desired() == 7


def queried(name: str, namespace: str, metric: str, **dimension: str) -> dict[str, Any]:
    """Return a query for a minute's maximum that only the expressions see."""
    dimensions = [{"Name": key, "Value": value} for key, value in dimension.items()]
    found = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    stat = {"Metric": found, "Period": 60, "Stat": "Maximum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def math_alarm(account: Account, expression: str, *queries: Any, **more: Any) -> None:
    account.cloudwatch.put_metric_alarm(
        **{
            "AlarmName": "a",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Metrics": [{"Id": "e", "Expression": expression}, *queries],
            **more,
        }
    )


SIGNAL = queried("signal", "N", "m", d="1")
#: The controller's signal is missing in two minutes, in an alarm that takes no data for bad too.
DEAD_MAN = {
    "EvaluationPeriods": 2,
    "ComparisonOperator": "LessThanThreshold",
    "TreatMissingData": "breaching",
}


def test_a_dead_mans_alarm_goes_off_within_three_minutes_of_the_last_sign(
    account: Account,
) -> None:
    math_alarm(account, "FILL(signal, 0)", SIGNAL, **DEAD_MAN)
    for _ in range(3):
        account.put(1)
        account.pass_minutes()
    assert account.state() == "OK"
    account.put(1)
    minutes = 0
    while account.state() == "OK":
        account.pass_minutes()
        minutes += 1
    assert (account.state(), minutes) == ("ALARM", 3)
    account.put(1)
    account.pass_minutes()
    assert account.state() == "OK"


def test_expressions_may_name_each_other_but_not_in_a_circle(account: Account) -> None:
    twice = {"Id": "twice", "Expression": "signal * 2", "ReturnData": False}
    math_alarm(account, "twice + 1", SIGNAL, twice, Threshold=7)
    account.put(3)
    account.pass_minutes()
    assert account.state() == "ALARM"
    math_alarm(account, "twice + 1", SIGNAL, {**twice, "Expression": "e + signal"})
    account.pass_minutes()
    [alarm] = account.cloudwatch.describe_alarms()["MetricAlarms"]
    assert "name each other in a circle" in alarm["StateReason"]


class Machines:
    """Instances that always run."""

    def ensure(self, instance_id: str, **_: Any) -> None:
        """Nothing starts."""

    def stop(self, instance_id: str, grace_s: float) -> None:
        """Nothing stops."""

    def ended(self) -> list[str]:
        return []


class Backstop:
    """Two queues, a group from zero, and steps by what waits in both while no signal comes."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sqs = account.aws.clients.client("sqs")
        self.urls = [self.sqs.create_queue(QueueName=n)["QueueUrl"] for n in ("lite", "basic")]
        service = account.aws.services["sqs"]
        assert isinstance(service, SqsService)
        self._metrics = SqsMetrics(account.aws.clients, service)
        autoscaling = account.aws.services["autoscaling"]
        assert isinstance(autoscaling, AutoScalingService)
        self._fleets = Fleets(autoscaling.store, account.aws.clients, Machines())
        policy = account.fleet(
            AdjustmentType="ChangeInCapacity",
            EstimatedInstanceWarmup=150,
            StepAdjustments=[
                {
                    "MetricIntervalLowerBound": 0,
                    "MetricIntervalUpperBound": 9,
                    "ScalingAdjustment": 1,
                },
                {"MetricIntervalLowerBound": 9, "ScalingAdjustment": 3},
            ],
        )
        account.autoscaling.set_desired_capacity(AutoScalingGroupName="g", DesiredCapacity=0)
        visible = "ApproximateNumberOfMessagesVisible"
        math_alarm(
            account,
            "IF(FILL(signal, 0) < 1, SUM([lite, basic]), 0)",
            SIGNAL,
            queried("lite", "AWS/SQS", visible, QueueName="lite"),
            queried("basic", "AWS/SQS", visible, QueueName="basic"),
            AlarmActions=[policy],
            TreatMissingData="notBreaching",
        )

    def minute(self, *, signal: bool = False) -> int:
        """Let a minute pass and return the desired capacity."""
        if signal:
            self.account.put(1)
        for _ in range(6):
            self._metrics.tick(self.account.clock.now())
            self.account.clock.advance(10)
            self.account.alarms.tick(self.account.clock.now())
            self._fleets.tick(self.account.clock.now())
        return self.account.desired()


def test_the_backstop_adds_while_the_signal_is_missing_and_counts_what_warms_up(
    account: Account,
) -> None:
    backstop = Backstop(account)
    for url in backstop.urls:
        backstop.sqs.send_message(QueueUrl=url, MessageBody="job")
    assert [backstop.minute(signal=True) for _ in range(3)] == [0, 0, 0]
    assert [backstop.minute() for _ in range(8)] == [1, 1, 1, 2, 2, 2, 3, 3]
    assert backstop.minute(signal=True) == 3
    assert [backstop.minute(signal=True) for _ in range(3)] == [3, 3, 3]


def test_the_backstop_takes_the_step_of_all_queues_together(account: Account) -> None:
    backstop = Backstop(account)
    for number in range(10):
        backstop.sqs.send_message(QueueUrl=backstop.urls[number % 2], MessageBody="job")
    assert backstop.minute() == 3


def test_a_backstop_without_jobs_leaves_the_fleet_at_zero(account: Account) -> None:
    backstop = Backstop(account)
    assert [backstop.minute() for _ in range(4)] == [0, 0, 0, 0]
    assert account.state() == "OK"

"""The metric function, its permissions, and the dashboard."""

from __future__ import annotations

from config.contracts import metrics
from config.contracts.names import METRIC_FUNCTION, METRIC_RULE, physical_name, worker_group_name
from config.contracts.queues import OBSERVER_ACTIONS
from tests.conftest import Templates
from tests.templates import actions_on, only, statements, text


def test_function_and_rule_have_their_documented_names(
    templates: Templates, environment: str
) -> None:
    function = only(templates["scaling"], "AWS::Lambda::Function")
    rule = only(templates["scaling"], "AWS::Events::Rule")
    assert function["FunctionName"] == physical_name(environment, METRIC_FUNCTION)
    assert rule["Name"] == physical_name(environment, METRIC_RULE)
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == "ENABLED"


def test_the_function_runs_on_arm_once_at_a_time_and_within_its_minute(
    templates: Templates,
) -> None:
    function = only(templates["scaling"], "AWS::Lambda::Function")
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["ReservedConcurrentExecutions"] == 1
    assert function["Timeout"] == 60
    assert "VpcConfig" not in function


def test_it_publishes_to_our_namespaces_alone(templates: Templates) -> None:
    [publish] = [
        found
        for found in statements(templates["scaling"])
        if found["Action"] == "cloudwatch:PutMetricData"
    ]
    assert publish["Condition"] == {
        "StringEquals": {
            "cloudwatch:namespace": [metrics.VIDEO_NAMESPACE, metrics.WORKERS_NAMESPACE]
        }
    }


def test_it_sizes_the_named_groups_alone(templates: Templates, environment: str) -> None:
    [sizing] = [
        found
        for found in statements(templates["scaling"])
        if found["Action"] == "autoscaling:SetDesiredCapacity"
    ]
    assert text(sizing["Resource"]).endswith(worker_group_name(environment, "video"))


def test_it_only_looks_at_queues(templates: Templates) -> None:
    for queue in ("VideoQueue", "AiLiteQueue", "AiBasicQueue", "AiPremiumQueue", "MessagingQueue"):
        assert actions_on(templates["scaling"], queue) == set(OBSERVER_ACTIONS)


def test_the_dashboard_answers_section_7_from_top_to_bottom(
    templates: Templates, environment: str
) -> None:
    body = text(only(templates["dashboard"], "AWS::CloudWatch::Dashboard")["DashboardBody"])
    places = [body.index(f"### 7.{number} ") for number in (1, 2, 3, 4, 5)]
    assert places == sorted(places)
    assert metrics.VIDEO_NAMESPACE in body
    assert metrics.FETCH_FAILED_LINE in body
    assert worker_group_name(environment, "video") in body
    for metric in (
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "NumberOfMessagesSent",
        "BacklogCount",
        "ApproximateAgeOfOldestMessage",
        "GroupInServiceInstances",
    ):
        assert metric in body

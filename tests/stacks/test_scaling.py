"""The metric function and its permissions."""

from __future__ import annotations

from config.contracts import metrics
from config.contracts.names import METRIC_FUNCTION, METRIC_RULE, physical_name, worker_group_name
from config.contracts.queues import OBSERVER_ACTIONS
from config.settings import load_settings
from stacks.constructs.controller_grants import SIZING_ACTIONS
from tests.conftest import Templates
from tests.stacks.fleet_rules import rules_of
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
    assert function["Runtime"] == "python3.14"
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
        if "autoscaling:SetDesiredCapacity" in found["Action"]
    ]
    assert sorted(sizing["Action"]) == sorted(SIZING_ACTIONS)
    groups = [worker_group_name(environment, kind) for kind in load_settings(environment).workers]
    places = sizing["Resource"] if isinstance(sizing["Resource"], list) else [sizing["Resource"]]
    assert sorted(text(place).rpartition("/")[2] for place in places) == sorted(groups)


def test_it_only_looks_at_queues(templates: Templates) -> None:
    for queue in ("VideoQueue", "AiLiteQueue", "AiBasicQueue", "AiPremiumQueue", "MessagingQueue"):
        assert actions_on(templates["scaling"], queue) == set(OBSERVER_ACTIONS)


def test_it_reads_the_fleets_log_groups_and_sets_their_breaker_alarms_alone(
    templates: Templates,
) -> None:
    found = {
        actions if isinstance(actions := statement["Action"], str) else " ".join(sorted(actions)): [
            text(place) for place in statement["Resource"]
        ]
        for statement in statements(templates["scaling"])
        if "alarm" in str(statement["Action"]).lower() or "logs:Filter" in str(statement["Action"])
    }
    rules = rules_of(templates)
    assert len(found["logs:FilterLogEvents"]) == len(rules)
    assert all("FleetLogs" in place for place in found["logs:FilterLogEvents"])
    [names] = [v for k, v in found.items() if "SetAlarmState" in k]
    assert sorted(name.rpartition(":alarm:")[2] for name in names) == sorted(
        each.breaker_alarm for each in rules.values()
    )


def test_it_is_told_of_each_fleet_what_its_settings_say(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment)
    found = rules_of(templates)
    assert found.keys() == settings.workers.keys()
    for kind, worker in settings.workers.items():
        rules, scaling = found[kind], settings.scaling
        assert rules.group == worker_group_name(environment, kind)
        assert rules.slots == worker.concurrency
        assert (rules.start_within_s, rules.job_s) == (worker.start_within_s, worker.job_s)
        assert (rules.boot_s, rules.boot_limit_s) == (worker.boot_s, scaling.boot_limit_s)
        assert (rules.spot_percent, rules.spot_losses) == (
            worker.spot_percent,
            scaling.spot_losses,
        )
        assert "FleetLogs" in rules.boot_log_group


def test_a_failed_run_is_not_repeated_into_the_next_minute(templates: Templates) -> None:
    invoked = only(templates["scaling"], "AWS::Lambda::EventInvokeConfig")
    assert (invoked["MaximumRetryAttempts"], invoked["MaximumEventAgeInSeconds"]) == (0, 60)

"""Alarms, dashboard, canary and topic."""

from __future__ import annotations

import json
import re
from typing import Any

from config.contracts import health, metrics
from config.contracts.names import worker_group_name
from config.contracts.parameters import HEALTH_CANARY, found_path
from config.settings import load_settings
from lambdas.health_canary.publish import data
from tests.conftest import Template, Templates
from tests.runbook import RUNBOOKS, anchors
from tests.stacks.observed import ALARM, alarms, boards, dead_men, published, watched
from tests.templates import only, properties, resources, statements, text


def test_every_alarm_tells_the_operators_when_it_begins_and_when_it_is_over(
    templates: Templates,
) -> None:
    for alarm in alarms(templates):
        for actions in (alarm["AlarmActions"], alarm["OKActions"]):
            assert any("Operators" in text(action) for action in actions), alarm


def test_every_alarm_is_one_sentence_and_a_chapter_of_both_runbooks(
    templates: Templates,
) -> None:
    known = [anchors(path) for path in RUNBOOKS]
    for alarm in alarms(templates):
        found = re.fullmatch(
            r"[A-Z][^.]*\. https://\S+/runbook\.md#(\S+)", alarm["AlarmDescription"]
        )
        assert found, alarm["AlarmDescription"]
        assert all(found[1] in chapters for chapters in known), found[1]


def test_every_dead_letter_queue_has_an_alarm_on_its_first_message(templates: Templates) -> None:
    template = templates["queues"]
    dead = {
        text(found["RedrivePolicy"]["deadLetterTargetArn"])
        for found in properties(template, "AWS::SQS::Queue")
        if "RedrivePolicy" in found
    }
    covered = {
        value.replace("QueueName", "Arn")
        for alarm in properties(template, ALARM)
        if (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        for _, _, dimensions in watched(alarm)
        for _, value in dimensions
    }
    assert dead == covered


def test_the_canarys_silence_is_an_alarm_too(templates: Templates, environment: str) -> None:
    answer = health.Answer(
        up=True, url="u", latency_ms=1, status=200, hop=None, reason=None, failed=[]
    )
    up = published(health.NAMESPACE, data(environment, answer)[:1])
    assert up <= dead_men(templates)


def test_environments_of_one_account_do_not_speak_for_each_other(environment: str) -> None:
    mine = metrics.worker_dimensions(environment, "video")
    sharing = {"prod", "dev", "staging"}  # local has an account of its own
    others = sharing - {environment} if environment in sharing else set()
    assert mine not in [metrics.worker_dimensions(other, "video") for other in others]


def test_jobs_that_nobody_takes_are_not_told_by_the_age_that_running_jobs_have(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment)
    names = {name for alarm in alarms(templates) for _, name, _ in watched(alarm)}
    assert "ApproximateAgeOfOldestMessage" not in names
    for kind, worker in settings.workers.items():
        waiting = [
            alarm for alarm in properties(templates[kind], ALARM)
            if "NumberOfMessagesReceived" in {name for _, name, _ in watched(alarm)}
        ]  # fmt: skip
        assert len(waiting) == len(worker.queues)
        assert {alarm["EvaluationPeriods"] for alarm in waiting} == {
            worker.oldest_message_alarm_s // 60
        }


def test_jobs_that_start_late_raise_an_alarm(templates: Templates, environment: str) -> None:
    found = {
        metric for alarm in properties(templates["monitoring"], ALARM) for metric in watched(alarm)
    }
    for kind in load_settings(environment).workers:
        own = frozenset(metrics.worker_dimensions(environment, kind).items())
        assert (metrics.WORKERS_NAMESPACE, metrics.TIME_TO_START_S, own) in found


def test_every_function_on_a_schedule_has_alarms_on_errors_and_throttles(
    templates: Templates,
) -> None:
    for role in ("scaling", "monitoring"):
        [function] = resources(templates[role], "AWS::Lambda::Function")
        dimensions = frozenset({("FunctionName", f"<{function}>")})
        found = {m for alarm in properties(templates[role], ALARM) for m in watched(alarm)}
        for name in ("Errors", "Throttles"):
            assert ("AWS/Lambda", name, dimensions) in found


def test_the_database_has_alarms_on_what_it_runs_out_of(templates: Templates) -> None:
    found = {
        name
        for alarm in properties(templates["monitoring"], ALARM)
        for namespace, name, _ in watched(alarm)
        if namespace in {"AWS/RDS", "AWS/ElastiCache"}
    }
    assert found == {
        "FreeStorageSpace",
        "DatabaseConnections",
        "CPUCreditBalance",
        "DatabaseMemoryUsagePercentage",
    }


def test_the_dashboard_answers_section_7_from_top_to_bottom(
    templates: Templates, environment: str
) -> None:
    body = boards(templates)["OperatorsBoard"]
    places = [body.index(f"### 7.{number} ") for number in (1, 2, 3, 4, 5)]
    assert places == sorted(places)
    assert body.index('"type":"alarm"') < places[0]
    assert metrics.FETCH_FAILED_LINE in body
    for name in (
        worker_group_name(environment, "video"),
        metrics.VIDEO_NAMESPACE,
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
        "FILL(EPOCH(backlog), REPEAT)",
        "GroupInServiceInstances",
        metrics.TIME_TO_START_S,
        "HTTPCode_Target_5XX_Count",
        "TargetResponseTime",
    ):
        assert name in body, name


def test_the_boards_behind_it_show_what_workers_do_and_how_long_it_takes(
    templates: Templates,
) -> None:
    found = boards(templates)
    assert "NumberOfMessagesReceived" in found["OperatorsInstances"]
    for name in (
        metrics.QUEUE_AGE_S,
        metrics.JOB_DURATION_S,
        "PERIOD(video_finished)",
        health.DEPENDENCY_UP,
        "FreeStorageSpace",
    ):
        assert name in found["OperatorsParts"], name


def test_no_dashboard_is_too_large_to_be_free(templates: Templates) -> None:
    for name, body in boards(templates).items():
        rows = (
            row
            for widget in json.loads(body)["widgets"]
            for row in widget["properties"].get("metrics", [])
        )
        shown = {tuple(each for each in row if isinstance(each, str)) for row in rows} - {()}
        assert 3 <= len(shown) <= 50, (name, len(shown))


def test_the_dashboard_shows_every_alarm(templates: Templates) -> None:
    body = boards(templates)["OperatorsBoard"]
    shown = body.partition('"alarms":[')[2].partition("]")[0]
    assert shown.count("<") == len(list(alarms(templates)))


def test_no_stack_exports_anything_for_the_monitoring(templates: Templates) -> None:
    """An export in use can be neither changed nor removed: a graph must not forbid that.

    A bucket's may be there for a fleet of the release before.
    """
    assert "Fn::ImportValue" not in json.dumps(templates["monitoring"])
    imported = json.dumps([body for role, body in templates.items() if role != "monitoring"])
    exports = [
        output["Export"]["Name"]
        for role, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output and role != "storage"
    ]
    assert exports
    assert [name for name in exports if f'"Fn::ImportValue": "{name}"' not in imported] == []


def test_the_canary_looks_every_5_minutes_and_is_found_by_its_parameter(
    templates: Templates, environment: str
) -> None:
    template = templates["monitoring"]
    [function] = resources(template, "AWS::Lambda::Function")
    assert only(template, "AWS::Events::Rule")["ScheduleExpression"] == "rate(5 minutes)"
    parameter = only(template, "AWS::SSM::Parameter")
    assert parameter["Name"] == found_path(environment, HEALTH_CANARY)
    assert parameter["Value"] == {"Ref": function}
    [publish] = [s for s in statements(template) if s["Action"] == "cloudwatch:PutMetricData"]
    assert publish["Condition"] == {"StringEquals": {"cloudwatch:namespace": health.NAMESPACE}}


def test_those_who_must_may_publish_to_the_topic(templates: Templates) -> None:
    policy = only(templates["notifications"], "AWS::SNS::TopicPolicy")["PolicyDocument"]
    allowed = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    ours = {
        name
        for statement in allowed
        if statement["Action"] == "sns:Publish" and statement.get("Condition") == account
        for name in named(statement["Principal"]["Service"])
    }
    assert ours == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}


def named(value: str | list[str]) -> list[str]:
    """Return one or several names as a list."""
    return value if isinstance(value, list) else [value]


def test_plain_http_is_denied_to_everybody_at_the_topic(templates: Templates) -> None:
    policy = only(templates["notifications"], "AWS::SNS::TopicPolicy")["PolicyDocument"]
    [denied] = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    # A key of AWS's own would make the alarms mute.
    assert "KmsMasterKeyId" not in only(templates["notifications"], "AWS::SNS::Topic")


def test_the_budget_warns_before_and_after(templates: Templates, environment: str) -> None:
    usd = load_settings(environment).alarms.monthly_budget_usd
    found = properties(templates["notifications"], "AWS::Budgets::Budget")
    assert [each["Budget"]["BudgetLimit"]["Amount"] for each in found] == ([usd] if usd else [])
    for budget in found:
        told = {
            (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
            for each in budget["NotificationsWithSubscribers"]
        }
        assert told == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}


def test_prod_has_a_budget_and_local_has_none(prod: Templates, local: Templates) -> None:
    assert resources(prod["notifications"], "AWS::Budgets::Budget")
    assert not resources(local["notifications"], "AWS::Budgets::Budget")


def test_every_log_group_is_kept_a_limited_time(templates: Templates, environment: str) -> None:
    days = load_settings(environment).log_retention_days
    groups = [g for body in templates.values() for g in properties(body, "AWS::Logs::LogGroup")]
    assert groups
    assert {group.get("RetentionInDays") for group in groups} == {days}


def test_every_function_writes_into_a_log_group_of_ours(templates: Templates) -> None:
    """A function without one makes a group that is kept for ever."""
    for role, template in templates.items():
        for name, function in functions(template).items():
            assert "LogGroup" in function.get("LoggingConfig", {}), f"{role}/{name}"


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """Return the functions' properties by logical id."""
    found = resources(template, "AWS::Lambda::Function")
    return {name: each["Properties"] for name, each in found.items()}

"""Queues as contracts.md lists them."""

from __future__ import annotations

from typing import Any

from config.contracts.queues import QUEUES
from config.settings import load_settings
from tests.conftest import Templates
from tests.templates import properties, resources, text


def by_name(templates: Templates) -> dict[str, dict[str, Any]]:
    """Return the queues' properties by physical name."""
    return {
        found["QueueName"]: found for found in properties(templates["queues"], "AWS::SQS::Queue")
    }


def test_prod_and_local_carry_the_documented_names(prod: Templates, local: Templates) -> None:
    documented = {
        "academy-video-jobs",
        "academy-ai-jobs-lite",
        "academy-ai-jobs-basic",
        "academy-ai-jobs-premium",
        "academy-messaging-jobs",
    }
    expected = documented | {f"{name}-dlq" for name in documented}
    assert set(by_name(prod)) == set(by_name(local)) == expected


def test_other_environments_carry_their_own_name(templates: Templates, environment: str) -> None:
    expected = {queue.physical(environment) for queue in QUEUES}
    assert expected <= set(by_name(templates))


def test_messages_stay_14_days_and_receives_poll_20_s(templates: Templates) -> None:
    for queue in by_name(templates).values():
        assert queue["MessageRetentionPeriod"] == 1209600
        assert queue["ReceiveMessageWaitTimeSeconds"] == 20
        assert queue["SqsManagedSseEnabled"] is True


def test_jobs_are_given_up_later_than_the_application_gives_up(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment)
    for contract in QUEUES:
        queue = by_name(templates)[contract.physical(environment)]
        received = queue["RedrivePolicy"]["maxReceiveCount"]
        assert received > settings.queues[contract.key].attempts  # type: ignore[index]
        assert queue["VisibilityTimeout"] == settings.queues[contract.key].visibility_timeout_s  # type: ignore[index]


def test_plain_http_is_denied_on_every_queue(templates: Templates) -> None:
    template = templates["queues"]
    covered = {
        text(queue)
        for policy in properties(template, "AWS::SQS::QueuePolicy")
        for queue in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert covered == {f"<{name}>" for name in resources(template, "AWS::SQS::Queue")}


def test_each_dlq_raises_an_alarm_on_its_first_message(templates: Templates) -> None:
    alarms = properties(templates["queues"], "AWS::CloudWatch::Alarm")
    watched = {text(item["Value"]) for alarm in alarms for item in alarm["Dimensions"]}
    assert len(watched) == len(QUEUES)
    assert all("DeadLetter" in name for name in watched)
    assert {(a["Threshold"], a["ComparisonOperator"]) for a in alarms} == {
        (0, "GreaterThanThreshold")
    }

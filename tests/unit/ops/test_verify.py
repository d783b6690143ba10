"""What a deploy verifies: the pure decisions, and how long a wrong answer may become right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops import verify as verification
from ops.errors import OperatorError
from ops.facts import BacklogFact
from ops.findings import Finding, problems
from ops.verify import alarms, fleets, health, images, metric, queues, stacks, tasks
from ops.verify.alarms import AlarmFact
from ops.verify.fleets import GroupFact
from ops.verify.queues import QueueFact
from ops.verify.tasks import ServiceFact

MOMENT = datetime(2026, 11, 21, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ok"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", False),
        ("ROLLBACK_COMPLETE", False),
        ("UPDATE_IN_PROGRESS", False),
        ("DELETE_COMPLETE", False),
    ],
)
def test_only_a_complete_stack_is_well(status: str, ok: bool) -> None:
    [found] = stacks.decide(["one"], {"one": status}, ())
    assert found.ok is ok
    assert ok or status in found.cause


def test_a_stack_whose_failed_update_was_undone_is_well_when_it_runs_what_is_wanted() -> None:
    for status, ok in (("UPDATE_ROLLBACK_COMPLETE", True), ("UPDATE_ROLLBACK_FAILED", False)):
        [found] = stacks.decide(["one"], {"one": status}, {"one"})
        assert found.ok is ok


def test_a_stack_that_does_not_exist_is_a_problem() -> None:
    [found] = stacks.decide(["one"], {"other": "CREATE_COMPLETE"}, ())
    assert "does not exist" in found.cause


def test_a_queue_attribute_that_differs_is_named_with_both_values() -> None:
    said = {"VisibilityTimeout": 300, "redrive": "10 receives, then jobs-dlq"}
    assert queues.decide([QueueFact("jobs", said, {**said, "DelaySeconds": 0})])[0].ok
    [found] = queues.decide([QueueFact("jobs", said, {**said, "VisibilityTimeout": 30})])
    assert "VisibilityTimeout is 30, the template says 300" in found.cause
    missing = queues.decide([QueueFact("jobs", said, {})])
    assert len(problems(missing)) == len(said)


def test_a_policy_differs_when_an_action_is_added_not_when_its_form_does() -> None:
    one = {"Effect": "Deny", "Action": "sqs:*", "Condition": {"Bool": {}}}
    same = {**one, "Action": ["SQS:*"], "Resource": "arn"}
    more = {**one, "Action": ["sqs:*", "sqs:SendMessage"]}
    assert queues.statements({"Statement": [one]}) == queues.statements({"Statement": [same]})
    assert queues.statements({"Statement": [one]}) != queues.statements({"Statement": [more]})


@pytest.mark.parametrize(("offset_s", "ok"), [(60, True), (0, True), (-0.5, True), (-1, False)])
def test_a_backlog_counts_when_it_is_of_the_second_of_the_deploy_or_later(
    offset_s: float, ok: bool
) -> None:
    last = BacklogFact(at_s=MOMENT.timestamp() + offset_s, value=0)
    assert metric.decide(last, MOMENT, "the function").ok is ok


def test_no_backlog_at_all_names_the_function_whose_log_tells() -> None:
    found = metric.decide(None, MOMENT, "academy-worker-queue-depth-metric")
    assert "academy-worker-queue-depth-metric" in found.fix


def test_an_image_is_told_with_its_digest_or_as_missing() -> None:
    names = ["a:1", "b:1", "c:1"]
    there, missing, later = images.decide(names, {"a:1": "sha256:12"}, {"c"})
    assert later.ok
    assert there.ok
    assert "sha256:12" in there.what
    assert not missing.ok


def group(**fields: Any) -> GroupFact:
    values: dict[str, Any] = {
        "name": "group",
        "version": "2",
        "minimum": 1,
        "versions": {"i-1": "2"},
        "states": {"i-1": "InService"},
        "finishes_first": False,
    }
    return GroupFact(**{**values, **fields})


@pytest.mark.parametrize(
    ("fact", "ok"),
    [
        (group(), True),
        (group(minimum=0, versions={}, states={}), True),
        (group(versions={}, states={}), False),
        (group(states={"i-1": "Pending"}), False),
        (group(versions={"i-1": "1"}), False),
        # The old one is on its way out, but still there: the roll is not over.
        (
            group(
                versions={"i-0": "1", "i-1": "2"}, states={"i-0": "Terminating", "i-1": "InService"}
            ),
            False,
        ),
        # A worker finishes its job on what it began with.
        (group(minimum=0, versions={"i-1": "1"}, finishes_first=True), True),
    ],
)
def test_a_group_is_well_when_its_instances_run_what_was_deployed(
    fact: GroupFact, ok: bool
) -> None:
    [found] = fleets.decide([fact], ["group"])
    assert found.ok is ok


def test_a_group_that_is_not_there_is_a_problem() -> None:
    [found] = fleets.decide([], ["group"])
    assert not found.ok


@pytest.mark.parametrize(
    ("runs", "rollout", "running", "ok"),
    [
        ("api:2", "COMPLETED", 1, True),
        ("api:2", "IN_PROGRESS", 1, False),
        ("api:2", "COMPLETED", 0, False),
        ("api:1", "COMPLETED", 1, False),
    ],
)
def test_a_service_is_well_when_its_rollout_of_what_was_deployed_is_over(
    runs: str, rollout: str, running: int, ok: bool
) -> None:
    [found] = tasks.decide([ServiceFact("api", "api:2", runs, rollout, running, 1)])
    assert found.ok is ok


def test_the_canary_names_the_hop_or_the_dependency_that_failed() -> None:
    answer: dict[str, Any] = {
        "up": True,
        "url": "https://api/health",
        "latency_ms": 12.5,
        "status": 200,
        "hop": None,
        "reason": None,
        "failed": [],
    }
    assert health.by_canary(answer).ok
    tls = {**answer, "up": False, "status": None, "hop": "tls", "reason": "expired"}
    assert "fails at tls: expired" in health.by_canary(tls).cause
    redis = {**answer, "up": False, "status": 503, "hop": "http", "failed": ["redis"]}
    assert "redis" in health.by_canary(redis).cause


def settled(monkeypatch: pytest.MonkeyPatch, answers: list[bool], patience_s: float) -> int:
    """Return how often a question was asked whose answers come true or not, a second apart."""
    asked, now = [], [0.0]

    def ask(_: object) -> list[Finding]:
        asked.append(1)
        ok = answers[min(len(asked), len(answers)) - 1]
        return [Finding("it", "" if ok else "not yet")]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    question = verification.Verification("it", ask, patience_s)
    monkeypatch.setattr(verification, "VERIFICATIONS", (question,))
    context: Any = None
    seen: list[Finding] = []
    found = verification.verify(context, seen.extend, clock=lambda: now[0], sleep=sleep)
    assert found == seen
    return len(asked) if found[0].ok else -len(asked)


def test_a_question_is_asked_until_its_answer_is_right_or_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settled(monkeypatch, [True], 0) == 1
    assert settled(monkeypatch, [False, False, True], 10) == 3
    assert settled(monkeypatch, [False], 2) == -3
    assert settled(monkeypatch, [False], 0) == -1


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "too fast"}}, "Invoke"),
        EndpointConnectionError(endpoint_url="https://lambda"),
        OperatorError("the canary failed", hint="read its log group"),
    ],
)
def test_a_question_that_cannot_be_asked_is_asked_again_and_then_a_problem(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    asked, now = [], [0.0]

    def ask(_: object) -> list[Finding]:
        asked.append(1)
        raise error

    def sleep(seconds: float) -> None:
        now[0] += seconds

    question = verification.Verification("health", ask, patience_s=2)
    monkeypatch.setattr(verification, "VERIFICATIONS", (question,))
    context: Any = None
    [found] = verification.verify(context, lambda _: None, clock=lambda: now[0], sleep=sleep)
    assert len(asked) == 3
    assert found.what == "health"
    assert str(error) in found.cause
    assert found.fix


def fact(**changes: Any) -> AlarmFact:
    """Return an alarm that has been quiet for an hour."""
    quiet = AlarmFact(
        name="late",
        meaning="Jobs start late. https://example.com/runbook.md#jobs",
        is_breaker=False,
        state="OK",
        reason="3 data points",
        since=MOMENT - timedelta(hours=1),
    )
    return replace(quiet, **changes)


def test_quiet_alarms_are_one_line_and_those_without_data_are_quiet() -> None:
    [found] = alarms.decide([fact(), fact(name="n", state="INSUFFICIENT_DATA")], ["late"], MOMENT)
    assert found.ok
    assert "2 alarms" in found.what


def test_an_alarm_that_went_off_since_the_deploy_names_its_cause_and_its_chapter() -> None:
    for since in (MOMENT, MOMENT + timedelta(seconds=1)):
        [found] = alarms.decide([fact(state="ALARM", since=since)], ["late"], MOMENT)
        assert not found.ok
        assert found.cause == "Jobs start late. 3 data points"
        assert found.fix == "See https://example.com/runbook.md#jobs"


def test_an_alarm_from_before_the_deploy_is_told_and_an_open_breaker_is_a_problem() -> None:
    [before] = alarms.decide([fact(state="ALARM")], ["late"], MOMENT)
    assert before.ok
    assert "off since 2026-11-21 11:00" in before.what
    breaker = fact(state="ALARM", is_breaker=True, reason="step=pull: manifest unknown")
    [found] = alarms.decide([breaker], ["late"], MOMENT)
    assert "step=pull: manifest unknown" in found.cause


def test_an_alarm_that_is_not_there_is_a_problem() -> None:
    [missing] = alarms.decide([fact()], ["late", "gone"], MOMENT)
    assert (missing.what, missing.cause) == ("alarm gone", "it does not exist")

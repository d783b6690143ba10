"""What the CDK CLI prints, and what CloudFormation says of a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ops.deploy_events import StackProgress, advance, stack_of, trouble
from ops.failures import causes

EVENT = (
    "academy-local-queues |  3/26 | 10:31:22 AM | CREATE_COMPLETE      | AWS::SQS::Queue"
    "        | Video/Queue (VideoQueueEA857102)"
)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def progress(*lines: str) -> StackProgress | None:
    known = None
    for line in lines:
        known = advance(known, line) or known
    return known


def test_a_resource_event_moves_its_stack() -> None:
    found = progress(EVENT)
    assert found == StackProgress(
        "academy-local-queues", "deploying", 3, 26, "SQS::Queue create_complete"
    )
    assert stack_of(EVENT) == "academy-local-queues"


def test_an_event_without_a_total_keeps_the_known_one() -> None:
    found = progress(EVENT, EVENT.replace("3/26", "4"))
    assert found and (found.done, found.total) == (4, 26)


def test_a_finished_stack_is_done_and_an_unchanged_one_says_so() -> None:
    done = progress(EVENT, " ✅  academy-local-queues")
    same = progress(" ✅  academy-local-queues (no changes)")
    assert done and (done.state, done.done) == ("done", 26)
    assert same and same.state == "unchanged"


def test_a_failed_stack_keeps_the_reason() -> None:
    found = progress("❌  academy-local-api failed: ToolkitError: no luck")
    assert found == StackProgress("academy-local-api", "failed", current="ToolkitError: no luck")


def test_other_lines_are_about_no_stack() -> None:
    for line in ("", "✨  Deployment time: 1.2s", "Stack ARN:", "academy-local-api: deploying... "):
        assert stack_of(line) is None
        assert advance(None, line) is None


def test_a_refused_change_set_is_told_without_the_noise_around_it() -> None:
    refused = [
        "Failed to create change set cdk-deploy-change-set:",
        "academy-local-queues  (AWS::CloudFormation::Stack)",
        "  The embedded AWS does not support property NoSuchThing of AWS::SQS::Queue (VideoQueue)",
    ]
    before = ["✅  academy-local-network (no changes)", "Outputs:", "a.Export = vpc-1"]
    after = ["Source Location: ...jsii runtime", "    (no user code in 10 frames, use ...)"]
    assert trouble([*before, *refused, *after]) == refused


def test_without_a_word_of_failure_everything_is_told() -> None:
    assert trouble(["Outputs:", "killed"]) == ["Outputs:", "killed"]


def event(offset_s: int, status: str, reason: str = "", logical: str = "Queue") -> dict[str, Any]:
    return {
        "StackName": "academy-local-queues",
        "LogicalResourceId": logical,
        "ResourceType": "AWS::SQS::Queue",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "Timestamp": MOMENT + timedelta(seconds=offset_s),
    }


def test_causes_come_oldest_first_without_their_consequences() -> None:
    events = [
        event(9, "ROLLBACK_COMPLETE"),
        event(5, "CREATE_FAILED", "Resource creation cancelled", "Other"),
        event(4, "CREATE_FAILED", "the second", "Second"),
        event(3, "CREATE_FAILED", "the first", "First"),
        event(2, "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        event(-60, "UPDATE_FAILED", "an old story"),
    ]
    assert [failure.reason for failure in causes(events, MOMENT)] == ["the first", "the second"]


def test_a_stack_without_failures_has_no_causes() -> None:
    assert causes([event(1, "CREATE_COMPLETE")], MOMENT) == []

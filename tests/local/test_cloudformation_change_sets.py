"""Change sets: what they announce, and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import EmbeddedAws
from tests.local.stacks import QUEUE, Stacks, parameter, resource, template


@pytest.fixture
def stacks(aws: EmbeddedAws) -> Stacks:
    return Stacks(aws)


def test_a_stack_made_by_a_change_set_exists_in_review_until_it_is_executed(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    planned = stacks.change_set("line", template({"Q": resource(QUEUE)}), "CREATE")
    assert [change["ResourceChange"]["Action"] for change in planned["Changes"]] == ["Add"]
    assert stacks.describe("line")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert "QueueUrls" not in aws.clients.client("sqs").list_queues()
    assert stacks.execute("line")["StackStatus"] == "CREATE_COMPLETE"


def test_the_same_again_is_an_empty_change_set_in_the_words_that_the_cli_looks_for(
    stacks: Stacks,
) -> None:
    body = template({"Q": resource(QUEUE), "P": parameter({"Fn::GetAtt": ["Q", "Arn"]})})
    stacks.create("line", body)
    planned = stacks.change_set("line", body)
    assert planned["Status"] == "FAILED"
    assert planned["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(ClientError, match="cannot be executed"):
        stacks.execute("line")


def test_each_change_names_its_property_and_whether_it_replaces(stacks: Stacks) -> None:
    def body(name: str, seconds: int, *, third: bool) -> str:
        resources: dict[str, Any] = {
            "P": parameter("v", Name=name),
            "Q": resource(QUEUE, VisibilityTimeout=seconds),
            "User": parameter({"Ref": "P"}),
        }
        if third:
            resources["Third"] = parameter("t")
        return template(resources)

    stacks.create("line", body("/one", 30, third=True))
    planned = stacks.change_set("line", body("/two", 31, third=False))
    changes = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]
        for change in planned["Changes"]
    }
    assert {name: change["Action"] for name, change in changes.items()} == {
        "P": "Modify",
        "Q": "Modify",
        "User": "Modify",
        "Third": "Remove",
    }
    assert changes["P"]["Replacement"] == "True"
    assert changes["Q"]["Replacement"] == "False"
    target = changes["Q"]["Details"][0]["Target"]
    assert (target["Name"], target["BeforeValue"], target["AfterValue"]) == (
        "VisibilityTimeout",
        "30",
        "31",
    )
    assert changes["User"]["Details"][0]["Evaluation"] == "Dynamic"
    assert changes["User"]["Details"][0]["CausingEntity"] == "P"


def test_a_change_of_outputs_alone_is_a_change(stacks: Stacks) -> None:
    resources = {"P": parameter("v")}
    stacks.create("line", template(resources))
    planned = stacks.change_set("line", template(resources, Outputs={"O": {"Value": "x"}}))
    assert planned["Status"] == "CREATE_COMPLETE"
    assert stacks.execute("line")["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.outputs("line") == {"O": "x"}


def test_a_change_set_of_one_stack_is_not_found_under_another(stacks: Stacks) -> None:
    body = template({"P": parameter("v")})
    stacks.create("one", body)
    stacks.create("two", body)
    stacks.change_set("one", template({"P": parameter("w")}))
    with pytest.raises(stacks.api.exceptions.ChangeSetNotFoundException):
        stacks.api.describe_change_set(StackName="two", ChangeSetName="plan")


def test_deleting_an_unknown_change_set_is_fine(stacks: Stacks) -> None:
    stacks.create("line", template({"P": parameter("v")}))
    stacks.api.delete_change_set(StackName="line", ChangeSetName="never-made")


def test_an_executed_change_set_voids_the_others(stacks: Stacks) -> None:
    stacks.create("line", template({"P": parameter("a")}))
    other = template({"P": parameter("b")})
    stacks.api.create_change_set(StackName="line", ChangeSetName="other", TemplateBody=other)
    stacks.change_set("line", template({"P": parameter("c")}))
    stacks.execute("line")
    with pytest.raises(stacks.api.exceptions.ChangeSetNotFoundException):
        stacks.api.describe_change_set(StackName="line", ChangeSetName="other")


def test_a_circle_of_references_fails_by_its_members(stacks: Stacks) -> None:
    body = template({"A": parameter({"Ref": "B"}), "B": parameter({"Ref": "A"})})
    planned = stacks.change_set("line", body, "CREATE")
    assert planned["Status"] == "FAILED"
    assert "Circular dependency between resources: [A, B]" in planned["StatusReason"]


def test_a_stack_that_failed_its_creation_takes_no_update(stacks: Stacks) -> None:
    bad = template({"Q": resource(QUEUE, VisibilityTimeout=99_999_999)})
    stacks.create("line", bad)
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        stacks.change_set("line", template({"Q": resource(QUEUE)}))

"""Stacks through their lives: created, updated, replaced, rolled back, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import EmbeddedAws
from tests.local.stacks import QUEUE, Stacks, message, parameter, resource, template

TOO_LONG_S = 99_999_999


@pytest.fixture
def stacks(aws: EmbeddedAws) -> Stacks:
    return Stacks(aws)


def queue(**properties: Any) -> str:
    return template({"Jobs": resource(QUEUE, **properties)})


def test_a_created_stack_has_its_resources_and_outputs(aws: EmbeddedAws, stacks: Stacks) -> None:
    body = template(
        {"Jobs": resource(QUEUE, VisibilityTimeout=45)},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Jobs", "Arn"]}}},
    )
    stack = stacks.create("line", body)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    url = stacks.physical_id("line", "Jobs")
    attributes = aws.clients.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["All"]
    )["Attributes"]
    assert attributes["VisibilityTimeout"] == "45"
    assert stacks.outputs("line")["Arn"] == attributes["QueueArn"]


def test_resources_are_created_after_those_they_refer_to(stacks: Stacks) -> None:
    body = template(
        {
            "A": parameter({"Fn::Sub": "${B}-suffix"}),
            "B": parameter({"Ref": "C"}),
            "C": parameter("x", Name="/c"),
            "D": resource(QUEUE, attributes={"DependsOn": "A"}),
        }
    )
    stacks.create("line", body)
    created = [name for name, status in stacks.history("line") if status == "CREATE_COMPLETE"]
    assert created == ["C", "B", "A", "D", "line"]


def test_an_update_changes_the_resource_in_place(aws: EmbeddedAws, stacks: Stacks) -> None:
    stacks.create("line", queue(VisibilityTimeout=30))
    url = stacks.physical_id("line", "Jobs")
    sqs = aws.clients.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="job")
    assert stacks.update("line", queue(VisibilityTimeout=60))["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.physical_id("line", "Jobs") == url
    received = sqs.receive_message(QueueUrl=url)["Messages"]
    assert [entry["Body"] for entry in received] == ["job"]


def test_a_change_that_replaces_makes_the_new_before_it_deletes_the_old(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    def named(name: str) -> str:
        resources = {"P": parameter("v", Name=name), "User": parameter({"Ref": "P"}, Name="/user")}
        return template(resources)

    stacks.create("line", named("/first"))
    stacks.update("line", named("/second"))
    ssm = aws.clients.client("ssm")
    assert ssm.get_parameter(Name="/user")["Parameter"]["Value"] == "/second"
    names = [entry["Name"] for entry in ssm.describe_parameters()["Parameters"]]
    assert "/first" not in names
    history = stacks.history("line")
    assert history.index(("User", "UPDATE_COMPLETE")) < history.index(("P", "DELETE_COMPLETE"))


def test_a_replaced_resource_without_a_name_gets_another_generated_one(stacks: Stacks) -> None:
    def of_type(kind: str) -> str:
        return template({"P": resource("AWS::SSM::Parameter", Type=kind, Value="v")})

    stacks.create("line", of_type("String"))
    before = stacks.physical_id("line", "P")
    stacks.update("line", of_type("StringList"))
    assert stacks.physical_id("line", "P") != before


def test_a_resource_left_out_is_deleted_and_a_retained_one_stays(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    keep = {"DeletionPolicy": "Retain"}
    resources = {
        "Stay": parameter("s", Name="/stay"),
        "Gone": parameter("g", Name="/gone"),
        "Kept": {**parameter("k", Name="/kept"), **keep},
    }
    stacks.create("line", template(resources))
    stacks.update("line", template({"Stay": resources["Stay"]}))
    listed = aws.clients.client("ssm").describe_parameters()["Parameters"]
    names = {entry["Name"] for entry in listed}
    assert {"/stay", "/kept"} <= names
    assert "/gone" not in names
    assert ("Kept", "DELETE_SKIPPED") in stacks.history("line")


def test_a_failing_create_leaves_nothing_behind(aws: EmbeddedAws, stacks: Stacks) -> None:
    resources = {
        "P": parameter("v", Name="/made-first"),
        "Bad": resource(
            QUEUE, attributes={"DependsOn": "P"}, VisibilityTimeout=TOO_LONG_S, QueueName="bad"
        ),
    }
    assert stacks.create("line", template(resources))["StackStatus"] == "ROLLBACK_COMPLETE"
    listed = aws.clients.client("ssm").describe_parameters()["Parameters"]
    assert "/made-first" not in {entry["Name"] for entry in listed}
    assert "QueueUrls" not in aws.clients.client("sqs").list_queues()
    assert ("Bad", "CREATE_FAILED") in stacks.history("line")


def test_a_failing_update_rolls_back_and_the_message_in_the_queue_is_still_there(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    before = {"Jobs": resource(QUEUE, VisibilityTimeout=30), "P": parameter("old", Name="/p")}
    stacks.create("line", template(before))
    url = stacks.physical_id("line", "Jobs")
    sqs = aws.clients.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="job")
    after = {
        "Jobs": resource(QUEUE, VisibilityTimeout=60),
        "P": parameter("new", Name="/p"),
        "Bad": resource(
            QUEUE, attributes={"DependsOn": ["Jobs", "P"]}, VisibilityTimeout=TOO_LONG_S
        ),
    }
    stack = stacks.update("line", template(after))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    assert aws.clients.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "old"
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["job"]
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in stacks.api.describe_stack_events(StackName="line")["StackEvents"]
        if event["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"
    ]
    assert "[Bad]" in reasons[0]
    assert "VisibilityTimeout" in reasons[0]


def test_after_a_rolled_back_update_the_same_stack_updates_again(stacks: Stacks) -> None:
    stacks.create("line", queue(VisibilityTimeout=30))
    stacks.update("line", queue(VisibilityTimeout=TOO_LONG_S))
    assert stacks.update("line", queue(VisibilityTimeout=31))["StackStatus"] == "UPDATE_COMPLETE"


def test_a_rolled_back_replacement_keeps_the_old_one(aws: EmbeddedAws, stacks: Stacks) -> None:
    stacks.create("line", template({"P": parameter("v", Name="/first")}))
    resources = {
        "P": parameter("v", Name="/second"),
        "Bad": resource(QUEUE, attributes={"DependsOn": "P"}, VisibilityTimeout=TOO_LONG_S),
    }
    stacks.update("line", template(resources))
    listed = aws.clients.client("ssm").describe_parameters()["Parameters"]
    names = {entry["Name"] for entry in listed}
    assert "/first" in names
    assert "/second" not in names
    assert stacks.physical_id("line", "P") == "/first"


def test_a_failed_update_without_rollback_stays_until_it_is_rolled_back(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    stacks.create("line", template({"P": parameter("old", Name="/p")}))
    resources = {
        "P": parameter("new", Name="/p"),
        "Bad": resource(QUEUE, attributes={"DependsOn": "P"}, VisibilityTimeout=TOO_LONG_S),
    }
    stack = stacks.update("line", template(resources), DisableRollback=True)
    assert stack["StackStatus"] == "UPDATE_FAILED"
    ssm = aws.clients.client("ssm")
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "new"
    stacks.api.rollback_stack(StackName="line")
    assert stacks.describe("line")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "old"


def test_a_deleted_stack_takes_its_resources_along_dependents_first(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    body = template({"A": parameter({"Ref": "B"}), "B": parameter("x", Name="/b")})
    stack_id = stacks.create("line", body)["StackId"]
    stacks.api.delete_stack(StackName="line")
    history = stacks.history(stack_id)
    assert history.index(("A", "DELETE_COMPLETE")) < history.index(("B", "DELETE_COMPLETE"))
    assert history[-1] == ("line", "DELETE_COMPLETE")
    with pytest.raises(ClientError, match="Stack with id line does not exist"):
        stacks.describe("line")


def test_a_protected_stack_is_not_deleted(stacks: Stacks) -> None:
    stacks.create("line", queue(), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stacks.api.delete_stack(StackName="line")
    stacks.api.update_termination_protection(StackName="line", EnableTerminationProtection=False)
    stacks.api.delete_stack(StackName="line")
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe("line")


def test_an_unknown_type_is_refused_by_name(stacks: Stacks) -> None:
    body = template({"Q": resource(QUEUE), "Odd": resource("AWS::Made::Up")})
    with pytest.raises(ClientError) as caught:
        stacks.create("line", body)
    assert "AWS::Made::Up" in message(caught.value)
    assert "Odd" in message(caught.value)


def test_an_unknown_property_fails_the_change_set_by_name(stacks: Stacks) -> None:
    planned = stacks.change_set("line", queue(Nonsense=1), "CREATE")
    assert planned["Status"] == "FAILED"
    for part in ("Nonsense", QUEUE, "Jobs"):
        assert part in planned["StatusReason"]


def test_an_export_in_use_neither_changes_nor_goes(stacks: Stacks) -> None:
    def exporting(value: str) -> str:
        outputs = {"Name": {"Value": {"Ref": "P"}, "Export": {"Name": "shared"}}}
        return template({"P": parameter("v", Name=value)}, Outputs=outputs)

    stacks.create("up", exporting("/one"))
    stacks.create("down", template({"Q": parameter({"Fn::ImportValue": "shared"})}))
    assert stacks.api.list_imports(ExportName="shared")["Imports"] == ["down"]
    changed = stacks.update("up", exporting("/two"))
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.outputs("up")["Name"] == "/one"
    stacks.api.delete_stack(StackName="up")
    assert stacks.describe("up")["StackStatus"] == "DELETE_FAILED"
    stacks.api.delete_stack(StackName="down")
    stacks.api.delete_stack(StackName="up")
    assert stacks.api.list_exports()["Exports"] == []


def test_an_output_that_is_read_may_change_and_go(stacks: Stacks, aws: EmbeddedAws) -> None:
    def giving(value: str) -> str:
        return template(
            {"P": parameter("v", Name=value)}, Outputs={"Name": {"Value": {"Ref": "P"}}}
        )

    reading = {"Fn::GetStackOutput": {"StackName": "up", "OutputName": "Name"}}
    stacks.create("up", giving("/one"))
    stacks.create("down", template({"Q": parameter(reading, Name="/q")}))
    assert stacks.update("up", giving("/two"))["StackStatus"] == "UPDATE_COMPLETE"
    stacks.update("down", template({"Q": parameter(reading, Name="/q", Description="again")}))
    value = aws.clients.client("ssm").get_parameter(Name="/q")["Parameter"]["Value"]
    assert value == "/two"
    stacks.api.delete_stack(StackName="up")
    gone = stacks.api.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [stack["StackName"] for stack in gone] == ["up"]
    unknown = stacks.create("late", template({"Q": parameter(reading)}))
    assert unknown["StackStatus"] == "ROLLBACK_COMPLETE"


def test_two_stacks_cannot_export_the_same_name(stacks: Stacks) -> None:
    body = template({"P": parameter("v")}, Outputs={"N": {"Value": "x", "Export": {"Name": "n"}}})
    stacks.create("first", body)
    assert stacks.create("second", body)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_an_import_of_nothing_fails_the_stack(stacks: Stacks) -> None:
    stack = stacks.create("line", template({"P": parameter({"Fn::ImportValue": "nothing"})}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.api.list_stack_resources(StackName="line")["StackResourceSummaries"] == []


def test_an_attribute_that_a_resource_lacks_fails_instead_of_being_stored(stacks: Stacks) -> None:
    body = template({"Q": resource(QUEUE), "P": parameter({"Fn::GetAtt": ["Q", "Colour"]})})
    assert stacks.create("line", body)["StackStatus"] == "ROLLBACK_COMPLETE"
    events = json.dumps(stacks.api.describe_stack_events(StackName="line"), default=str)
    assert "Q.Colour" in events


def test_the_template_comes_back_as_it_was_given(stacks: Stacks) -> None:
    body = '{\n  "Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": ' + (
        '{"Type": "String", "Value": "v"}}}\n}'
    )
    stacks.create("line", body)
    returned = stacks.api.get_template(StackName="line")["TemplateBody"]
    assert returned == json.loads(body)

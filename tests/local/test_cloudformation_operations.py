"""Operations that meet each other, or fail on their way back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clock import ManualClock
from local.cloudformation.service import CloudFormation
from local.cloudformation.store import Store
from local.cloudformation.workspace import Workspace
from local.resources import handler_for
from local.resources.base import ANY_PROPERTY, Applied, Context
from local.server import EmbeddedAws
from local.signals import Signals
from tests.local.stacks import QUEUE, Stacks, parameter, resource, template

CUSTOM = "Custom::Scripted"


class Scripted:
    """A resource whose creation runs a test's script."""

    type_name = CUSTOM
    properties = ANY_PROPERTY
    replace_on: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.script: Callable[[], None] = lambda: None
        self.contexts: list[Context] = []
        self.deleted: list[str] = []

    def create(self, context: Context, properties: Any) -> Applied:
        self.contexts.append(context)
        self.script()
        return Applied("made", {"Word": "hello"})

    def update(self, context: Context, physical_id: str, old: Any, new: Any) -> Applied:
        self.contexts.append(context)
        return Applied(str(new.get("Id", physical_id)), {"Word": "hello"})

    def delete(self, context: Context, physical_id: str, properties: Any) -> None:
        self.deleted.append(physical_id)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def stacks(aws: EmbeddedAws, clock: ManualClock, scripted: Scripted) -> Stacks:
    workspace = Workspace(
        Store(clock),
        aws.clients,
        aws.hosts,
        aws.endpoint,
        Signals(clock),
        handler_for=lambda name: scripted if name == CUSTOM else handler_for(name),
    )
    aws.application.add(CloudFormation(workspace))
    return Stacks(aws)


def test_a_stack_takes_one_operation_at_a_time(stacks: Stacks, scripted: Scripted) -> None:
    running, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        running.set()
        assert go_on.wait(30)

    scripted.script = wait
    body = template({"C": resource(CUSTOM)})
    call = threading.Thread(target=lambda: stacks.create("line", body))
    call.start()
    assert running.wait(30)
    with pytest.raises(ClientError, match="CREATE_IN_PROGRESS state and can not be updated"):
        stacks.update("line", body)
    with pytest.raises(ClientError, match="CREATE_IN_PROGRESS"):
        stacks.api.delete_stack(StackName="line")
    go_on.set()
    call.join(30)
    assert stacks.describe("line")["StackStatus"] == "CREATE_COMPLETE"


def test_resources_that_do_not_need_each_other_are_made_at_the_same_time(
    stacks: Stacks, scripted: Scripted
) -> None:
    both = threading.Barrier(2, timeout=30)
    scripted.script = lambda: both.wait() and None
    stack = stacks.create("line", template({"A": resource(CUSTOM), "B": resource(CUSTOM)}))
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_a_failed_rollback_goes_on_once_its_cause_is_gone(
    aws: EmbeddedAws, stacks: Stacks, scripted: Scripted
) -> None:
    stacks.create("line", template({"Jobs": resource(QUEUE, QueueName="jobs")}))

    def sabotage() -> None:
        aws.faults.put("sqs", down=True)
        raise RuntimeError("sabotaged")

    scripted.script = sabotage
    resources = {
        "Jobs": resource(QUEUE, QueueName="jobs", VisibilityTimeout=60),
        "C": resource(CUSTOM, attributes={"DependsOn": "Jobs"}),
    }
    stack = stacks.update("line", template(resources))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    aws.faults.put("sqs", down=False)
    stacks.api.continue_update_rollback(StackName="line")
    assert stacks.describe("line")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    sqs = aws.clients.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "30"


def test_a_handler_learns_its_stack_its_policies_and_a_name_of_its_own(
    stacks: Stacks, scripted: Scripted
) -> None:
    policy = {"AutoScalingRollingUpdate": {"MinInstancesInService": 1}}
    body = template({"C": resource(CUSTOM, attributes={"UpdatePolicy": policy})})
    stack = stacks.create("line", body, Tags=[{"Key": "env", "Value": "local"}])
    context = scripted.contexts[0]
    assert (context.stack_id, context.logical_id) == (stack["StackId"], "C")
    assert context.update_policy == policy
    assert context.tags == {"env": "local"}
    name = context.unique_name(max_length=30)
    assert len(name) <= 30
    assert name.startswith("line-C-")
    assert name == context.unique_name(max_length=30)


def test_an_update_that_answers_another_id_makes_dependents_follow(
    stacks: Stacks, scripted: Scripted
) -> None:
    def body(made: str) -> str:
        user = parameter({"Fn::Sub": "${C}-${C.Word}"}, Name="/user")
        return template({"C": resource(CUSTOM, Id=made), "User": user})

    stacks.create("line", body("made"))
    stacks.update("line", body("other"))
    assert stacks.physical_id("line", "C") == "other"
    history = stacks.history("line")
    assert history.count(("User", "UPDATE_COMPLETE")) == 1
    assert scripted.deleted == ["made"]


def test_a_failing_deletion_names_what_is_left_and_can_be_repeated(
    stacks: Stacks, scripted: Scripted, aws: EmbeddedAws
) -> None:
    stacks.create("line", template({"Jobs": resource(QUEUE), "C": resource(CUSTOM)}))
    aws.faults.put("sqs", down=True)
    stacks.api.delete_stack(StackName="line")
    stack = stacks.describe("line")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "[Jobs]" in stack["StackStatusReason"]
    assert scripted.deleted == ["made"]
    aws.faults.put("sqs", down=False)
    stacks.api.delete_stack(StackName="line")
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe("line")
    assert scripted.deleted == ["made"]

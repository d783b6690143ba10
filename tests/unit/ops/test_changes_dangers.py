"""What must not be deployed: lost data, and exports in use."""

from __future__ import annotations

from typing import Any

import pytest

from config.contracts.statefulness import STATEFUL
from ops.changes import Danger, Kind, compare, unsafe
from tests.unit.ops.changes_templates import exported, imported, one, ref, resource, template

QUEUE = "AWS::SQS::Queue"
PATH = "app/Video/Resource"


def queue(name: str = "a", *, holds: str = "queued jobs", **more: Any) -> dict[str, Any]:
    return {**resource(QUEUE, path=PATH, holds=holds, QueueName=name), **more}


def dangers(before: dict[str, Any], after: dict[str, Any]) -> list[Danger]:
    return unsafe(compare(before, after))


@pytest.mark.parametrize(
    ("before", "after", "kind", "said"),
    [
        (one(Q=queue()), one(Q=queue("b")), Kind.REPLACED, "QueueName cannot change"),
        (one(Q=queue()), one(), Kind.REMOVED, "is removed: the old one is deleted"),
        (one(Q=queue()), {}, Kind.REMOVED, "is removed"),
        (one(Q=queue()), one(R=queue()), Kind.REMOVED, "logical id becomes R"),
        (one(Q=queue(DeletionPolicy="Retain")), one(), Kind.REMOVED, "stays behind, unmanaged"),
        (one(Q=queue()), one(Q=queue("b", holds="")), Kind.REPLACED, "holds queued jobs"),
        (one(Q=queue(holds="")), one(Q=queue("b")), Kind.REPLACED, "holds queued jobs"),
        (
            one(Q=queue()),
            one(Q=resource("AWS::SNS::Topic", path=PATH)),
            Kind.REPLACED,
            "its type was AWS::SQS::Queue",
        ),
        (
            one(D=resource("AWS::RDS::DBInstance", holds="rows", Engine="postgres")),
            one(D=resource("AWS::RDS::DBInstance", holds="rows", Engine="mysql")),
            Kind.REPLACED,
            "may be replaced",
        ),
    ],
)
def test_data_that_would_be_lost_is_a_danger(
    before: dict[str, Any], after: dict[str, Any], kind: Kind, said: str
) -> None:
    (danger,) = dangers(before, after)
    assert danger.kind is kind
    assert said in danger.sentence
    assert danger.remedy.endswith(".")
    assert "\n" not in danger.sentence + danger.remedy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (one(Q=queue(holds="")), one(Q=queue("b", holds=""))),
        (one(Q=queue(holds="")), one()),
        (one(), one(Q=queue())),
        (one(Q=queue(holds="")), one(Q=queue())),
        (one(Q=queue()), one(Q=queue(UpdateReplacePolicy="Retain"))),
    ],
)
def test_what_loses_no_data_is_safe(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert dangers(before, after) == []


def test_a_mark_taken_away_is_seen_but_loses_nothing_yet() -> None:
    changes = compare(one(Q=queue()), one(Q=queue(holds="")))
    (change,) = changes.resources
    assert change.unmarked
    assert unsafe(changes) == []


def test_the_mark_is_the_contracts_metadata() -> None:
    assert queue()["Metadata"][STATEFUL] == "queued jobs"


def network(**outputs: dict[str, Any]) -> dict[str, Any]:
    return template({"Vpc": resource("AWS::EC2::VPC")}, **outputs)


def user(value: Any) -> dict[str, Any]:
    return template({"User": resource(QUEUE, KmsMasterKeyId=value)})


BEFORE = {"network": network(Out=exported("vpc", ref("Vpc"))), "app": user(imported("vpc"))}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"network": network(), "app": user("other")}, "is removed while app still imports it"),
        ({"network": network()}, "is removed while app still imports it"),
        (
            {"network": network(Out=exported("vpc", "fixed")), "app": user(imported("vpc"))},
            "changes its value while app still imports it",
        ),
    ],
)
def test_an_export_in_use_cannot_go_or_change(after: dict[str, Any], said: str) -> None:
    (danger,) = dangers(BEFORE, after)
    assert (danger.kind, danger.subject) == (Kind.EXPORT, "vpc")
    assert said in danger.sentence


NEW = exported("new", ref("Vpc"))
ID = {"Value": ref("Vpc")}
READING = {"Fn::GetStackOutput": {"StackName": "network", "OutputName": "Id"}}


@pytest.mark.parametrize(
    ("after", "first", "remedy"),
    [
        ({"network": network(), "app": user("none")}, ("app",), "Deploy app alone first"),
        ({"network": network(Out=NEW), "app": user(imported("new"))}, (), "two releases"),
        ({"network": network(Id=ID), "app": user(READING)}, (), "two releases"),
        ({"network": network()}, (), "two releases"),
        ({"network": network(), "app": user(imported("vpc"))}, (), "two releases"),
    ],
)
def test_importers_that_can_leave_by_themselves_are_to_be_deployed_first(
    after: dict[str, Any], first: tuple[str, ...], remedy: str
) -> None:
    (danger,) = dangers(BEFORE, after)
    assert danger.first == first
    assert remedy in danger.remedy


def test_two_users_of_an_export_are_both_named() -> None:
    before = {**BEFORE, "other": user(imported("vpc"))}
    (danger,) = dangers(before, {**before, "network": network()})
    assert "while app, other still import it" in danger.sentence


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({**BEFORE, "app": user("none")}, {"network": network(), "app": user("none")}),
        (BEFORE, {**BEFORE, "app": user("none")}),
        (BEFORE, {"network": network(New=exported("vpc", ref("Vpc"))), "app": BEFORE["app"]}),
    ],
)
def test_an_export_that_nobody_loses_is_safe(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert dangers(before, after) == []


def test_data_comes_before_exports() -> None:
    before = {**BEFORE, "app": template({"Q": queue(), "G": resource(QUEUE, X=imported("vpc"))})}
    after = {"network": network(), "app": template({"G": resource(QUEUE)})}
    assert [danger.kind for danger in dangers(before, after)] == [Kind.REMOVED, Kind.EXPORT]

"""Permissions and openings that a deploy widens, and those that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from ops.changes import compare
from tests.unit.ops.changes_templates import arn, one, ref, resource

Json = dict[str, Any]
GET: Json = {"Action": "s3:GetObject", "Resource": "bucket/*"}


def allow(**statement: Any) -> Json:
    return {"Effect": "Allow", **statement}


def role(**properties: Any) -> Json:
    return resource("AWS::IAM::Role", path="app/Api/Role/Resource", **properties)


def policy(*statements: Json) -> Json:
    return resource(
        "AWS::IAM::Policy", Roles=[ref("Role")], PolicyDocument={"Statement": list(statements)}
    )


def permissions(before: Json, after: Json) -> list[tuple[str, str]]:
    return [(each.whose, each.what) for each in compare(one(**before), one(**after)).permissions]


def of_role(before: list[Json], after: list[Json]) -> list[str]:
    """Return what the role may do more, with one policy on each side."""
    sides = ({"Role": role(), "P": policy(*statements)} for statements in (before, after))
    found = permissions(*sides)
    assert all(whose == "Api/Role" for whose, _ in found)
    return [what for _, what in found]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [allow(**GET)], "may s3:GetObject on bucket/*"),
        (
            [allow(**GET)],
            [allow(Action=["s3:GetObject", "s3:PutObject"], Resource="bucket/*")],
            "may s3:PutObject on bucket/*",
        ),
        ([allow(**GET)], [allow(Action="s3:*", Resource="bucket/*")], "may s3:* on bucket/*"),
        ([allow(**GET)], [allow(Action="s3:GetObject", Resource="*")], "may s3:GetObject on *"),
        (
            [allow(Action="sqs:SendMessage", Resource=arn("A"))],
            [allow(Action="sqs:SendMessage", Resource=[arn("A"), arn("B")])],
            "may sqs:SendMessage on ${B.Arn}",
        ),
        (
            [allow(**GET, Condition={"Bool": {"aws:SecureTransport": "true"}})],
            [allow(**GET)],
            "may s3:GetObject on bucket/* (no longer only if Bool aws:SecureTransport true)",
        ),
        (
            [{"Effect": "Deny", **GET}],
            [],
            "is no longer denied s3:GetObject on bucket/*",
        ),
        ([], [allow(NotAction="iam:*", Resource="*")], "may not iam:* on *"),
    ],
)
def test_a_wider_policy_is_named_with_its_role(
    before: list[Json], after: list[Json], said: str
) -> None:
    assert of_role(before, after) == [said]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([allow(**GET)], [allow(**GET)]),
        ([allow(**GET)], []),
        ([allow(Action="s3:*", Resource="*")], [allow(**GET)]),
        (
            [allow(Action="s3:Get*", Resource="bucket/*")],
            [allow(Action="s3:GetObject", Resource="bucket/a")],
        ),
        ([allow(**GET)], [allow(**GET, Condition={"Bool": {"aws:SecureTransport": "true"}})]),
        (
            [allow(Action=["a:b", "c:d"], Resource="x")],
            [allow(Action=v, Resource="x") for v in ("a:b", "c:d")],
        ),
        ([], [{"Effect": "Deny", **GET}]),
    ],
)
def test_what_was_allowed_before_is_no_widening(before: list[Json], after: list[Json]) -> None:
    assert of_role(before, after) == []


def test_a_statement_that_moves_to_another_policy_of_the_role_widens_nothing() -> None:
    before = {"Role": role(), "P": policy(allow(**GET))}
    after = {"Role": role(), "Q": policy(allow(**GET))}
    assert permissions(before, after) == []


def test_a_managed_policy_is_named() -> None:
    found = permissions(
        {"Role": role()}, {"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/X"])}
    )
    assert found == [("Api/Role", "may do everything in arn:aws:iam::aws:policy/X")]


def test_who_may_take_a_role_is_named() -> None:
    def trusting(*services: str) -> Json:
        statement = allow(Action="sts:AssumeRole", Principal={"Service": list(services)})
        return {"Role": role(AssumeRolePolicyDocument={"Statement": [statement]})}

    found = permissions(
        trusting("ec2.amazonaws.com"), trusting("ec2.amazonaws.com", "ecs.amazonaws.com")
    )
    assert found == [("Api/Role (trust)", "may sts:AssumeRole for Service:ecs.amazonaws.com")]
    assert permissions(trusting("a", "b"), trusting("a")) == []


@pytest.mark.parametrize(
    ("type_name", "target", "holder"),
    [
        ("AWS::S3::BucketPolicy", {"Bucket": ref("Held")}, "AWS::S3::Bucket"),
        ("AWS::SQS::QueuePolicy", {"Queues": [ref("Held")]}, "AWS::SQS::Queue"),
        ("AWS::SNS::TopicPolicy", {"Topics": [ref("Held")]}, "AWS::SNS::Topic"),
    ],
)
def test_a_resource_open_to_more_principals_is_named(
    type_name: str, target: Json, holder: str
) -> None:
    def side(principal: Any) -> Json:
        document = {"Statement": [allow(Action="x:Do", Resource="*", Principal=principal)]}
        return {
            "Held": resource(holder),
            "P": resource(type_name, **target, PolicyDocument=document),
        }

    assert permissions(side({"AWS": "me"}), side("*")) == [("Held", "may x:Do on * for *")]
    assert permissions(side("*"), side({"AWS": "me"})) == []


def test_a_dropped_denial_of_a_bucket_is_named_unless_the_bucket_goes_too() -> None:
    denial = {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    bucket = resource("AWS::S3::Bucket")
    denied = resource(
        "AWS::S3::BucketPolicy", Bucket=ref("B"), PolicyDocument={"Statement": denial}
    )
    found = permissions({"B": bucket, "P": denied}, {"B": bucket})
    assert found == [("B", "is no longer denied s3:* on * for *")]
    assert permissions({"B": bucket, "P": denied}, {}) == []


def test_who_may_invoke_a_function_is_named_on_the_function() -> None:
    invoke = resource(
        "AWS::Lambda::Permission",
        FunctionName=arn("F"),
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="rule",
    )
    function = resource("AWS::Lambda::Function", path="app/Metric/Resource")
    found = permissions({"F": function}, {"F": function, "P": invoke})
    assert found == [
        ("Metric", "may lambda:InvokeFunction for events.amazonaws.com if SourceArn rule")
    ]


def openings(before: list[Json], after: list[Json]) -> list[str]:
    """Return what a group lets through more; the rules are resources of their own."""

    def side(rules: list[Json]) -> dict[str, Json]:
        made = {
            f"R{index}": resource("AWS::EC2::SecurityGroupIngress", GroupId=ref("Group"), **rule)
            for index, rule in enumerate(rules)
        }
        return one(
            Group=resource("AWS::EC2::SecurityGroup", path="app/Firewall/Api/Resource"), **made
        )

    found = compare(side(before), side(after)).openings
    assert all(each.whose == "Firewall/Api" for each in found)
    return [each.what for each in found]


def tcp(first: Any, last: Any = None, peer: Any = "10.0.0.0/16") -> Json:
    source = "CidrIp" if isinstance(peer, str) else "SourceSecurityGroupId"
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last or first, source: peer}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [tcp(22)], ["lets tcp 22 from 10.0.0.0/16"]),
        (
            [tcp(22)],
            [tcp(22, peer="10.0.0.0/8")],
            ["lets tcp 22 from 10.0.0.0/8, was tcp 22 from 10.0.0.0/16"],
        ),
        (
            [tcp(22)],
            [tcp(20, 30)],
            ["lets tcp 20-30 from 10.0.0.0/16, was tcp 22 from 10.0.0.0/16"],
        ),
        (
            [tcp(22)],
            [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"}],
            ["lets everything from 10.0.0.0/16, was tcp 22 from 10.0.0.0/16"],
        ),
        ([], [tcp(arn("Db"), peer=ref("Other"))], ["lets tcp ${Db.Arn} from ${Other}"]),
        ([tcp(22)], [tcp(22)], []),
        ([tcp(22)], [tcp(22, peer="10.0.1.0/24")], []),
        ([tcp(20, 30)], [tcp(22)], []),
        ([tcp(22)], [], []),
        ([{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}], [tcp(22)], []),
    ],
)
def test_a_wider_security_group_is_named(
    before: list[Json], after: list[Json], said: list[str]
) -> None:
    assert openings(before, after) == said


def test_a_rule_inside_its_group_counts_like_one_of_its_own() -> None:
    inside = one(Group=resource("AWS::EC2::SecurityGroup", SecurityGroupIngress=[tcp(22)]))
    apart = one(
        Group=resource("AWS::EC2::SecurityGroup"),
        Rule=resource("AWS::EC2::SecurityGroupIngress", GroupId=ref("Group"), **tcp(22)),
    )
    assert compare(inside, apart).openings == ()
    assert [each.what for each in compare(one(), inside).openings] == [
        "lets tcp 22 from 10.0.0.0/16"
    ]


def test_what_goes_out_is_told_apart_from_what_comes_in() -> None:
    out = one(
        Group=resource("AWS::EC2::SecurityGroup", SecurityGroupEgress=[tcp(443, peer="0.0.0.0/0")])
    )
    into = one(
        Group=resource("AWS::EC2::SecurityGroup", SecurityGroupIngress=[tcp(443, peer="0.0.0.0/0")])
    )
    assert [each.what for each in compare(into, out).openings] == ["lets tcp 443 to 0.0.0.0/0"]


def test_a_rule_of_waf_is_no_policy() -> None:
    rule = {"Statement": {"RateBasedStatement": {"Limit": 100}}}
    found = permissions({}, {"Acl": resource("AWS::WAFv2::WebACL", Rules=[rule])})
    assert found == []

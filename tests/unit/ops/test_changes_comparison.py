"""What a deploy adds, changes, replaces and removes, decided from small templates."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.changes import Action, Changes, compare
from tests.unit.ops.changes_templates import exported, imported, one, ref, resource, template

DATABASE = "AWS::RDS::DBInstance"
GROUP = "AWS::AutoScaling::AutoScalingGroup"
QUEUE = "AWS::SQS::Queue"
SUBNET = "AWS::EC2::Subnet"


def actions(changes: Changes) -> dict[str, str]:
    return {each.logical_id: str(each.action) for each in changes.resources}


def between(type_name: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    old, new = (one(It=resource(type_name, **side)) for side in (before, after))
    return actions(compare(old, new))


@pytest.mark.parametrize(
    ("type_name", "before", "after", "action"),
    [
        (QUEUE, {"QueueName": "a"}, {"QueueName": "b"}, "replaced"),
        (QUEUE, {"VisibilityTimeout": 1}, {"VisibilityTimeout": 2}, "changed"),
        (QUEUE, {}, {"FifoQueue": True}, "replaced"),
        (DATABASE, {"DBName": "a"}, {"DBName": "b"}, "replaced"),
        (DATABASE, {"StorageEncrypted": False}, {"StorageEncrypted": True}, "replaced"),
        (DATABASE, {"MultiAZ": False}, {"MultiAZ": True}, "changed"),
        (DATABASE, {"DBParameterGroupName": "a"}, {"DBParameterGroupName": "b"}, "changed"),
        (DATABASE, {"Engine": "postgres"}, {"Engine": "mysql"}, "maybe replaced"),
        (DATABASE, {"DBSnapshotIdentifier": "a"}, {}, "maybe replaced"),
        ("AWS::S3::Bucket", {"BucketName": "a"}, {"BucketName": "b"}, "replaced"),
        (
            GROUP,
            {"LaunchTemplate": {"Version": "1"}},
            {"LaunchTemplate": {"Version": "2"}},
            "changed",
        ),
        (GROUP, {"AutoScalingGroupName": "a"}, {"AutoScalingGroupName": "b"}, "replaced"),
        (
            "AWS::EC2::VPCEndpoint",
            {"DnsOptions": {"PrivateDnsPreference": "a", "DnsRecordIpType": "ipv4"}},
            {"DnsOptions": {"PrivateDnsPreference": "a", "DnsRecordIpType": "ipv6"}},
            "changed",
        ),
        (
            "AWS::EC2::VPCEndpoint",
            {"DnsOptions": {"PrivateDnsPreference": "a"}},
            {"DnsOptions": {"PrivateDnsPreference": "b"}},
            "replaced",
        ),
        ("AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": "a"}, {"SubnetId": "b"}, "replaced"),
        ("Custom::Settings", {"ServiceToken": "a"}, {"ServiceToken": "b"}, "replaced"),
        (
            "Custom::Settings",
            {"ServiceToken": "a", "X": 1},
            {"ServiceToken": "a", "X": 2},
            "changed",
        ),
        ("AWS::Unheard::Of", {"X": 1}, {"X": 2}, "maybe replaced"),
    ],
)
def test_the_providers_schema_says_what_replaces(
    type_name: str, before: dict[str, Any], after: dict[str, Any], action: str
) -> None:
    assert between(type_name, before, after) == {"It": action}


def test_a_group_that_replaces_itself_on_updates_may_be_replaced() -> None:
    def side(version: str) -> dict[str, Any]:
        group = resource(GROUP, LaunchTemplate={"Version": version})
        return one(
            It={**group, "UpdatePolicy": {"AutoScalingReplacingUpdate": {"WillReplace": True}}}
        )

    assert actions(compare(side("1"), side("2"))) == {"It": "maybe replaced"}


def test_another_type_under_the_same_id_replaces() -> None:
    changes = compare(one(It=resource(QUEUE)), one(It=resource("AWS::SNS::Topic")))
    assert actions(changes) == {"It": "replaced"}


def test_what_a_replaced_resource_is_named_by_is_replaced_across_stacks() -> None:
    def stacks(zone: str) -> dict[str, Any]:
        network = template(
            {"Subnet": resource(SUBNET, AvailabilityZone=zone)},
            Out=exported("subnet", ref("Subnet")),
        )
        app = template(
            {
                "Host": resource("AWS::EC2::Instance", SubnetId=imported("subnet")),
                "Record": resource("AWS::EC2::EIPAssociation", InstanceId=ref("Host")),
                "Alarm": resource("AWS::CloudWatch::Alarm", Threshold=1),
                "Group": resource(GROUP, VPCZoneIdentifier=[imported("subnet")]),
            }
        )
        return {"network": network, "app": app}

    found = compare(stacks("a"), stacks("b"))
    # A group takes other subnets in place; an instance and what belongs to it do not.
    assert actions(found) == {"Subnet": "replaced", "Host": "replaced", "Record": "replaced"}
    assert [broken.export for broken in found.broken_exports] == ["subnet"]


def test_what_may_be_replaced_makes_what_names_it_no_more_certain() -> None:
    def side(engine: str) -> dict[str, Any]:
        return one(
            Main=resource(DATABASE, Engine=engine),
            Attached=resource("AWS::SecretsManager::SecretTargetAttachment", SecretId=ref("Main")),
        )

    found = actions(compare(side("a"), side("b")))
    assert found == {"Main": "maybe replaced", "Attached": "maybe replaced"}


def test_the_same_target_under_another_export_replaces_nothing() -> None:
    def stacks(export: str) -> dict[str, Any]:
        network = template({"Vpc": resource("AWS::EC2::VPC")}, Out=exported(export, ref("Vpc")))
        group = resource("AWS::EC2::SecurityGroup", VpcId=imported(export))
        return {"network": network, "app": template({"Group": group})}

    assert not compare(stacks("old"), stacks("new")).resources


def test_an_output_read_without_an_export_is_followed() -> None:
    def stacks(cidr: str) -> dict[str, Any]:
        network = template(
            {"Vpc": resource("AWS::EC2::VPC", CidrBlock=cidr)}, Id={"Value": ref("Vpc")}
        )
        reading = {"Fn::GetStackOutput": {"StackName": "network", "OutputName": "Id"}}
        group = resource("AWS::EC2::SecurityGroup", VpcId=reading)
        return {"network": network, "app": template({"Group": group})}

    found = compare(stacks("10.0.0.0/16"), stacks("10.1.0.0/16"))
    assert actions(found) == {"Vpc": "replaced", "Group": "replaced"}


def test_the_same_construct_under_another_id_is_one_replacement() -> None:
    before = one(OldA1=resource(QUEUE, path="app/Video/Resource"))
    after = one(NewB2=resource(QUEUE, path="app/Video/Resource"))
    (change,) = compare(before, after).resources
    assert (change.action, change.path) == (Action.REPLACED, "Video")
    assert (change.logical_id, change.renamed_to) == ("OldA1", "NewB2")


def test_metadata_and_order_of_creation_are_no_change() -> None:
    before = one(It=resource(QUEUE, path="a/b"))
    after = one(It={**resource(QUEUE, path="c/d"), "DependsOn": ["Other"]})
    assert not compare(before, after)


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"Tags": [1, 2]}, {"Tags": [1, 3]}, ["Tags.1"]),
        ({"Tags": [1]}, {"Tags": [0, 1]}, ["Tags.0"]),
        ({"Tags": [1, 2]}, {"Tags": [2, 1]}, ["Tags (order)"]),
        ({"A": {"B": 1, "C": 2}}, {"A": {"B": 3, "C": 2}}, ["A.B"]),
        ({"A": {"Ref": "X"}}, {"A": {"Ref": "Y"}}, ["A"]),
        ({"A": 1}, {}, ["A"]),
    ],
)
def test_changes_name_the_path_that_differs(
    before: dict[str, Any], after: dict[str, Any], paths: list[str]
) -> None:
    (change,) = compare(
        one(It=resource(QUEUE, **before)), one(It=resource(QUEUE, **after))
    ).resources
    assert [each.path for each in change.properties] == paths


def test_a_removed_resource_says_whether_it_is_kept() -> None:
    kept = {**resource(QUEUE), "DeletionPolicy": "Retain"}
    found = compare(one(Kept=kept, Gone=resource(QUEUE)), one())
    assert {each.logical_id: each.kept for each in found.resources} == {"Kept": True, "Gone": False}


def test_outputs_and_stacks_that_come_and_go_are_named() -> None:
    before = {"old": template({}, Url={"Value": "a"}), "both": template({}, Url={"Value": "a"})}
    after = {"new": template({}), "both": template({}, Url={"Value": "b"})}
    found = compare(before, after)
    assert (found.stacks_added, found.stacks_removed) == (("new",), ("old",))
    assert [(each.stack, each.before, each.after) for each in found.outputs] == [
        ("both", "a", "b"),
        ("old", "a", None),
    ]


names = st.sampled_from(["A", "B", "C"])
values = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.builds(ref, names)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
resources = st.builds(
    lambda type_name, properties: resource(type_name, **properties),
    st.sampled_from([QUEUE, DATABASE, SUBNET, "AWS::EC2::Instance", "Custom::Thing"]),
    st.dictionaries(st.sampled_from(["QueueName", "DBName", "SubnetId", "Tags"]), values),
)
stacks = st.dictionaries(
    st.sampled_from(["one", "two"]), st.builds(template, st.dictionaries(names, resources))
)


@given(stacks)
def test_a_set_of_templates_does_not_differ_from_itself(templates: dict[str, Any]) -> None:
    found = compare(templates, copy.deepcopy(templates))
    assert not found
    assert found == Changes()


@given(stacks, stacks)
def test_what_one_way_adds_the_other_way_removes(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    there, back = compare(before, after), compare(after, before)

    def those(changes: Changes, *actions: Action) -> set[tuple[str, str]]:
        return {(each.stack, each.logical_id) for each in changes.of(*actions)}

    assert those(there, Action.ADDED) == those(back, Action.REMOVED)
    assert those(there, Action.REMOVED) == those(back, Action.ADDED)
    differing = (Action.CHANGED, Action.MAYBE_REPLACED, Action.REPLACED)
    assert those(there, *differing) - those(back, *differing) <= dependents(before, after)
    assert there.unchanged + len(there.of(*differing)) == shared(before, after)


def shared(before: dict[str, Any], after: dict[str, Any]) -> int:
    return len(_keys(before) & _keys(after))


def dependents(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what names another resource in `after`: replaced with it on the one way alone."""
    return {
        (stack, name)
        for stack, name in _keys(before) & _keys(after)
        if "Ref" in str(after[stack]["Resources"][name])
    }


def _keys(templates: dict[str, Any]) -> set[tuple[str, str]]:
    return {(stack, name) for stack, each in templates.items() for name in each["Resources"]}

"""Values in templates: parameters, conditions, dynamic references, intrinsic functions."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.cloudformation.errors import DeploymentError
from local.cloudformation.intrinsics import Resolver, Unknown
from local.cloudformation.template import parse
from local.server import EmbeddedAws
from tests.local.stacks import QUEUE, Stacks, message, parameter, resource, template


class Lookup:
    """Two resources, one export; the resource New is not made yet."""

    def reference(self, logical_id: str) -> Any:
        return Unknown(logical_id, "Ref") if logical_id == "New" else f"id-of-{logical_id}"

    def attribute(self, logical_id: str, name: str) -> Any:
        return Unknown(logical_id, name) if logical_id == "New" else f"{logical_id}.{name}!"

    def imported(self, name: str) -> Any:
        return f"imported {name}"

    def output(self, stack: str, name: str) -> Any:
        return f"{name} of {stack}"


def resolver(**sections: Any) -> Resolver:
    body = template({"Old": resource(QUEUE), "New": resource(QUEUE)}, **sections)
    parameters = {"AWS::Region": "ap-northeast-2", "Env": "prod", "Zones": ["a", "b"]}
    return Resolver(parse(body), parameters, Lookup())


CASES: list[tuple[Any, Any]] = [
    ({"Ref": "Env"}, "prod"),
    ({"Ref": "Old"}, "id-of-Old"),
    ({"Fn::GetAtt": ["Old", "Arn"]}, "Old.Arn!"),
    ({"Fn::GetAtt": "Old.Endpoint.Address"}, "Old.Endpoint.Address!"),
    ({"Fn::Sub": "${Env}/${Old}/${Old.Arn}/${!Literal}"}, "prod/id-of-Old/Old.Arn!/${Literal}"),
    ({"Fn::Sub": ["${A}-${Env}", {"A": {"Ref": "Old"}}]}, "id-of-Old-prod"),
    ({"Fn::Join": ["-", ["a", 1, True, {"Ref": "Env"}]]}, "a-1-true-prod"),
    ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
    ({"Fn::Select": [1, {"Fn::Split": ["/", "x/y/z"]}]}, "y"),
    ({"Fn::Select": ["0", {"Fn::GetAZs": ""}]}, "ap-northeast-2a"),
    ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
    ({"Fn::ImportValue": {"Fn::Sub": "${Env}-vpc"}}, "imported prod-vpc"),
    ({"Fn::GetStackOutput": {"StackName": {"Ref": "Env"}, "OutputName": "vpc"}}, "vpc of prod"),
    (
        {"Fn::GetStackOutput": {"StackName": "a", "OutputName": "b", "Region": "ap-northeast-2"}},
        "b of a",
    ),
    ({"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "disk"]}, 80),
    ({"Fn::If": ["Prod", "yes", {"Ref": "Nowhere"}]}, "yes"),
    ({"Fn::If": ["Dev", {"Ref": "Nowhere"}, "no"]}, "no"),
    ([1, {"Ref": "AWS::NoValue"}, 2], [1, 2]),
    ({"A": {"Ref": "AWS::NoValue"}, "B": 1}, {"B": 1}),
    ({"Condition": "Prod"}, {"Condition": "Prod"}),
]
CONDITIONS = {
    "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
    "Dev": {"Fn::Not": [{"Condition": "Prod"}]},
    "Both": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "Dev"}]},
    "Either": {"Fn::Or": [{"Condition": "Prod"}, {"Condition": "Dev"}]},
    "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
}
MAPPINGS = {"Sizes": {"prod": {"disk": 80}}}


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_functions_resolve(value: Any, expected: Any) -> None:
    assert resolver(Conditions=CONDITIONS, Mappings=MAPPINGS).resolve(value) == expected


def test_conditions_combine() -> None:
    values = resolver(Conditions=CONDITIONS)
    assert [values.condition(name) for name in ("Prod", "Dev", "Both", "Either")] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Ref": "Nowhere"}, "Nowhere"),
        ({"Fn::GetAtt": ["Nowhere", "Arn"]}, "Nowhere"),
        ({"Fn::Sub": "${Nowhere}"}, "Nowhere"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform"),
        ({"Fn::Join": ["-", "no list"]}, "Fn::Join"),
        ({"Fn::Join": ["-", [{"a": "b"}]]}, "string"),
        ({"Fn::Select": [3, ["a"]]}, "Fn::Select"),
        ({"Fn::FindInMap": ["Sizes", "prod", "colour"]}, "colour"),
        ({"Fn::GetStackOutput": {"StackName": "a", "OutputName": "b", "Region": "c"}}, "Region"),
        ({"Fn::If": ["Undefined", 1, 2]}, "Undefined"),
        ({"Fn::If": ["Loop", 1, 2]}, "Loop"),
        ({"Fn::Cidr": ["10.0.0.0/24", 300, 8]}, "10.0.0.0/24"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_resolve_fails_by_name(value: Any, named: str) -> None:
    with pytest.raises(DeploymentError, match=named):
        resolver(Conditions=CONDITIONS, Mappings=MAPPINGS).resolve(value)


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "New"},
        {"Fn::GetAtt": ["New", "Arn"]},
        {"Fn::Sub": "a-${New.Arn}"},
        {"Fn::Join": ["", ["a", {"Fn::Base64": {"Ref": "New"}}]]},
    ],
)
def test_what_depends_on_the_unmade_is_unknown_and_equals_nothing(value: Any) -> None:
    result = resolver().resolve(value)
    assert isinstance(result, Unknown)
    assert result != resolver().resolve(value)


@given(st.lists(st.text(alphabet="abc01-", min_size=0), min_size=1))
def test_split_undoes_join(parts: list[str]) -> None:
    joined = {"Fn::Join": ["|", parts]}
    assert resolver().resolve({"Fn::Split": ["|", joined]}) == parts


@given(st.text())
def test_base64_keeps_every_text(text: str) -> None:
    encoded = resolver().resolve({"Fn::Base64": text})
    assert base64.b64decode(encoded).decode() == text


@given(st.integers(1, 16), st.integers(4, 12))
def test_cidr_blocks_lie_in_their_block_and_do_not_overlap(count: int, bits: int) -> None:
    blocks = resolver().resolve({"Fn::Cidr": ["10.0.0.0/16", count, bits]})
    networks = [ipaddress.ip_network(block) for block in blocks]
    assert len(networks) == count
    assert all(network.subnet_of(ipaddress.ip_network("10.0.0.0/16")) for network in networks)
    assert all(not a.overlaps(b) for a, b in itertools.pairwise(networks))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text().filter(lambda key: key != "Ref" and "::" not in key), inner)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_values_without_functions_come_back_unchanged(value: Any) -> None:
    assert resolver().resolve(value) == value


@pytest.fixture
def stacks(aws: EmbeddedAws) -> Stacks:
    return Stacks(aws)


def value_of(aws: EmbeddedAws, name: str) -> str:
    return str(aws.clients.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


ONE = {"P": parameter({"Ref": "In"}, Name="/out")}


def test_a_parameter_held_by_ssm_is_read_when_the_stack_is_deployed(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    aws.clients.client("ssm").put_parameter(Name="/ami", Value="ami-1", Type="String")
    kind = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    body = template(ONE, Parameters={"In": {"Type": kind, "Default": "/ami"}})
    stack = stacks.create("line", body)
    assert value_of(aws, "/out") == "ami-1"
    assert stack["Parameters"][0]["ResolvedValue"] == "ami-1"
    aws.clients.client("ssm").put_parameter(
        Name="/ami", Value="ami-2", Type="String", Overwrite=True
    )
    stacks.update("line", body)
    assert value_of(aws, "/out") == "ami-2"


def test_previous_values_are_kept_and_secret_ones_are_not_shown(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    body = template(ONE, Parameters={"In": {"Type": "String", "NoEcho": True}})
    stacks.create("line", body, Parameters=[{"ParameterKey": "In", "ParameterValue": "s3cret"}])
    resources = {**ONE, "More": parameter("m")}
    stack = stacks.update(
        "line",
        template(resources, Parameters={"In": {"Type": "String", "NoEcho": True}}),
        Parameters=[{"ParameterKey": "In", "UsePreviousValue": True}],
    )
    assert value_of(aws, "/out") == "s3cret"
    assert stack["Parameters"] == [{"ParameterKey": "In", "ParameterValue": "****"}]


@pytest.mark.parametrize(
    ("declaration", "given_value", "named"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", r"one of \[a, b\]"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "pattern"),
        ({"Type": "Number", "MaxValue": 5}, "6", "between"),
        ({"Type": "Number"}, "many", "number"),
        ({"Type": "String"}, None, "must have values"),
    ],
)
def test_a_parameter_outside_its_declaration_is_refused(
    stacks: Stacks, declaration: dict[str, Any], given_value: str | None, named: str
) -> None:
    values = [{"ParameterKey": "In", "ParameterValue": given_value}] if given_value else []
    with pytest.raises(ClientError, match=named):
        stacks.create("line", template(ONE, Parameters={"In": declaration}), Parameters=values)


def test_an_undeclared_parameter_is_refused(stacks: Stacks) -> None:
    with pytest.raises(ClientError) as caught:
        stacks.create(
            "line",
            template({"P": parameter("v")}),
            Parameters=[{"ParameterKey": "Odd", "ParameterValue": "1"}],
        )
    assert "[Odd]" in message(caught.value)


def test_dynamic_references_reach_the_resource_and_are_stored_nowhere_else(
    aws: EmbeddedAws, stacks: Stacks
) -> None:
    secrets = aws.clients.client("secretsmanager")
    arn = secrets.create_secret(Name="db", SecretString=json.dumps({"password": "s3cret"}))["ARN"]
    aws.clients.client("ssm").put_parameter(Name="/plain", Value="seen", Type="String")
    resources = {
        "A": parameter(f"{{{{resolve:secretsmanager:{arn}:SecretString:password::}}}}", Name="/a"),
        "B": parameter("x-{{resolve:ssm:/plain}}", Name="/b"),
    }
    stacks.create("line", template(resources))
    assert value_of(aws, "/a") == "s3cret"
    assert value_of(aws, "/b") == "x-seen"
    assert "s3cret" not in str(stacks.api.describe_stack_events(StackName="line"))
    planned = stacks.change_set("line", template({**resources, "A": parameter("new", Name="/a")}))
    assert "s3cret" not in str(planned)


def test_a_dynamic_reference_to_nothing_fails_the_stack(stacks: Stacks) -> None:
    body = template({"P": parameter("{{resolve:secretsmanager:nothing}}")})
    assert stacks.create("line", body)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_resources_and_outputs_follow_their_condition(stacks: Stacks) -> None:
    sections = {
        "Parameters": {"Env": {"Type": "String"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
        "Outputs": {"O": {"Value": {"Ref": "Q"}, "Condition": "Prod"}},
    }
    resources = {"P": parameter("v"), "Q": resource(QUEUE, attributes={"Condition": "Prod"})}
    body = template(resources, **sections)

    def environment(name: str) -> list[dict[str, str]]:
        return [{"ParameterKey": "Env", "ParameterValue": name}]

    stacks.create("line", body, Parameters=environment("dev"))
    assert stacks.outputs("line") == {}
    stacks.update("line", body, Parameters=environment("prod"))
    assert stacks.outputs("line")["O"].endswith(stacks.physical_id("line", "Q").rsplit("/", 1)[1])
    stacks.update("line", body, Parameters=environment("dev"))
    with pytest.raises(ClientError, match="Q does not exist"):
        stacks.physical_id("line", "Q")


YAML = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}
  P:
    Type: AWS::SSM::Parameter
    Properties: {Name: /p, Type: String, Value: !Sub "${AWS::Region} ${Role.Arn}"}
Outputs:
  Arn: {Value: !GetAtt Role.Arn}
"""


def test_yaml_with_short_forms_and_dates_is_a_template(aws: EmbeddedAws, stacks: Stacks) -> None:
    stack = stacks.create("line", YAML, Capabilities=["CAPABILITY_IAM"])
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert value_of(aws, "/p") == f"ap-northeast-2 {stacks.outputs('line')['Arn']}"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{", "neither JSON nor YAML"),
        ("{}", "At least one Resources member"),
        (template({"P": {"Properties": {}}}), "P must have a Type"),
        (template({"P": parameter("v")}, Transform="AWS::Serverless"), "Transform"),
        (template({"P": {**parameter("v"), "DeletionPolicy": "Keep"}}), "Keep"),
        (
            template({"P": {**parameter("v"), "CreationPolicy": {"StartFleet": True}}}),
            "StartFleet",
        ),
    ],
)
def test_a_template_that_would_not_be_honoured_is_refused(
    stacks: Stacks, body: str, named: str
) -> None:
    with pytest.raises(ClientError, match=named):
        stacks.create("line", body)

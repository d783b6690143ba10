"""A role may do what its users call, all of it and nothing else.

Users are the code that runs with it, its boot script, and agents that are declared with where they
are documented. No role is left out: one that nobody known uses fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Templates, synthesize
from tests.contracts.roles import Role, listed, roles
from tests.stacks.test_variants import varied

Check = Callable[[Role], list[str]]
#: What may stand beside Resource "*" without a condition: no action of these knows a resource,
#: by the service authorization reference, unless another reason is given.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCES = {
    "autoscaling:DescribeAutoScalingGroups": "list_amazonec2autoscaling.html",
    "autoscaling:DescribeAutoScalingInstances": "list_amazonec2autoscaling.html",
    "cloudformation:ListStacks": "list_awscloudformation.html",
    "cloudwatch:GetMetricStatistics": "list_amazoncloudwatch.html",
    "ecr:GetAuthorizationToken": "list_amazonelasticcontainerregistry.html",
    "elasticloadbalancing:DescribeTargetHealth": "list_awselasticloadbalancingv2.html",
    "secretsmanager:GetRandomPassword": "list_awssecretsmanager.html",
    # It knows instances, but an instance's id is not known before it runs.
    "ssm:UpdateInstanceInformation": "list_awssystemsmanager.html",
    "ssmmessages:CreateControlChannel": "list_amazonmessagegatewayservice.html",
    "ssmmessages:CreateDataChannel": "list_amazonmessagegatewayservice.html",
    "ssmmessages:OpenControlChannel": "list_amazonmessagegatewayservice.html",
    "ssmmessages:OpenDataChannel": "list_amazonmessagegatewayservice.html",
}


def missing(role: Role) -> list[str]:
    """Return what is called and not granted."""
    granted = role.granted()
    return sorted(
        f"{role.stack}/{role.name} lacks {call.action}, called at {call.where}"
        for call in role.needed()
        if call.action not in granted
    )


def unused(role: Role) -> list[str]:
    """Return what is granted and not called."""
    called = {call.action for call in role.needed()}
    return sorted(
        f"{role.stack}/{role.name} is granted {action}, which nobody calls"
        for action in role.granted() - called
    )


def unbounded(role: Role) -> list[str]:
    """Return what is granted on everything though it could be granted on something."""
    return sorted(
        f"{role.stack}/{role.name} is granted {action} on everything"
        for statement in role.statements()
        if statement["Effect"] == "Allow" and "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if "Condition" not in statement and action not in WITHOUT_RESOURCES
    )


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> list[Templates]:
    """Return estates with what no environment of ours has today."""
    return [
        synthesize(varied(environment, **changes), tmp_path_factory.mktemp("variant"))
        for environment, changes in (
            ("dev", {"network": {"nat": "instance"}, "api": {"compute": "ec2"}}),
            ("prod", {"network": {"nat": "gateway"}, "api": {"compute": "ecs"}}),
        )
    ]


def refused(templates: Templates, check: Check) -> str:
    """Return what a check has against the roles of an estate, a line each."""
    found = list(roles(templates))
    assert found, "an estate without roles"
    return "\n".join(line for role in found for line in check(role))


def test_what_is_called_is_granted(templates: Templates) -> None:
    found = refused(templates, missing)
    assert not found, found


def test_what_is_granted_is_called(templates: Templates) -> None:
    found = refused(templates, unused)
    assert not found, found


def test_what_is_granted_on_everything_could_be_granted_on_nothing_less(
    templates: Templates,
) -> None:
    found = refused(templates, unbounded)
    assert not found, found


@pytest.mark.parametrize("check", [missing, unused, unbounded])
def test_the_same_holds_for_what_could_be_chosen(variants: list[Templates], check: Check) -> None:
    found = "\n".join(refused(each, check) for each in variants).strip()
    assert not found, found


def estate(**role: Any) -> Role:
    """Return the role of a canary's function, with some of its properties."""
    function = {
        "Handler": "lambdas.health_canary.handler.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }
    return Role({"one": {"Resources": resources}}, "one", "Role")


def allowing(*actions: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return {"Policies": [{"PolicyDocument": {"Statement": [statement]}}]}


def test_a_missing_action_is_told_with_the_line_that_calls_it() -> None:
    found = missing(estate(**allowing("logs:CreateLogStream", "logs:PutLogEvents")))
    [line] = found
    assert "lacks cloudwatch:PutMetricData" in line
    assert re.search(r"lambdas/health_canary/\w+\.py:\d+$", line)


def test_an_unused_action_is_told() -> None:
    assert unused(estate(**allowing("cloudwatch:PutMetricData", "s3:GetObject"))) == [
        "one/Role is granted s3:GetObject, which nobody calls"
    ]
    managed = {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/PowerUserAccess"]}
    assert "is granted policy/PowerUserAccess" in unused(estate(**managed))[0]


def test_everything_is_too_much_without_a_condition() -> None:
    assert unbounded(estate(**allowing("sqs:SendMessage")))
    assert not unbounded(estate(**allowing("sqs:SendMessage", Condition={"Bool": {}})))


def test_a_role_that_nobody_known_uses_is_no_role() -> None:
    lone = estate()
    del lone.template["Resources"]["Function"]
    with pytest.raises(AssertionError, match="nobody uses this role"):
        lone.needed()
    other = estate()
    other.template["Resources"]["Function"]["Type"] = "AWS::CodeBuild::Project"
    with pytest.raises(AssertionError, match="what does it call"):
        other.needed()

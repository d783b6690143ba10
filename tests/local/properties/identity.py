"""IAM."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader, chosen


def _role(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    iam = aws.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    inline = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        if policy in {own["PolicyName"] for own in template.get("Policies", [])}
    ]
    return {
        **chosen(role, "RoleName", "Path", "Description", "MaxSessionDuration"),
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "Policies": [chosen(policy, "PolicyName", "PolicyDocument") for policy in inline],
        "Tags": role.get("Tags", []),
    }


def _role_attributes(aws: Any, name: str) -> dict[str, Any]:
    return {"Arn": aws.client("iam").get_role(RoleName=name)["Role"]["Arn"]}


def _policy(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    iam = aws.client("iam")
    found = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for role in template["Roles"]
    ]
    assert all(document == found[0] for document in found)
    return {"PolicyName": name, "PolicyDocument": found[0], "Roles": list(template["Roles"])}


def _profile(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    found = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    roles = [role["RoleName"] for role in found["Roles"]]
    return {"InstanceProfileName": name, "Path": found["Path"], "Roles": roles}


def _profile_attributes(aws: Any, name: str) -> dict[str, Any]:
    found = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return {"Arn": found["Arn"]}


READERS = (
    Reader("AWS::IAM::Role", _role, attributes=_role_attributes),
    Reader("AWS::IAM::Policy", _policy),
    Reader("AWS::IAM::InstanceProfile", _profile, attributes=_profile_attributes),
)

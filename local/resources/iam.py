"""AWS::IAM: roles with their policies, and instance profiles. Recorded, not enforced."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import dropped_tags, missing_is_fine, tag_list, text
from local.resources.kind import Kind, Properties, changed


class Role(Kind):
    """A role with its inline and managed policies."""

    type_name = "AWS::IAM::Role"
    properties = frozenset(
        {
            "RoleName",
            "Path",
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "PermissionsBoundary",
            "Policies",
            "Tags",
        }
    )
    replace_on = frozenset({"RoleName", "Path"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("RoleName") or context.unique_name())
        context.clients.client("iam").create_role(
            RoleName=name,
            Path=properties.get("Path", "/"),
            AssumeRolePolicyDocument=text(properties["AssumeRolePolicyDocument"]),
        )
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        iam = context.clients.client("iam")
        if old and changed("AssumeRolePolicyDocument", old, new):
            iam.update_assume_role_policy(
                RoleName=physical_id, PolicyDocument=text(new["AssumeRolePolicyDocument"])
            )
        if changed("Description", old, new) or changed("MaxSessionDuration", old, new):
            iam.update_role(
                RoleName=physical_id,
                Description=new.get("Description", ""),
                MaxSessionDuration=int(new.get("MaxSessionDuration", 3600)),
            )
        if changed("PermissionsBoundary", old, new):
            if "PermissionsBoundary" in new:
                boundary = new["PermissionsBoundary"]
                iam.put_role_permissions_boundary(
                    RoleName=physical_id, PermissionsBoundary=boundary
                )
            else:
                iam.delete_role_permissions_boundary(RoleName=physical_id)
        self._attach(iam, physical_id, old, new)
        self._inline(iam, physical_id, old, new)
        if dropped := dropped_tags(old, new):
            iam.untag_role(RoleName=physical_id, TagKeys=dropped)
        if tags := tag_list(new):
            iam.tag_role(RoleName=physical_id, Tags=tags)

    @staticmethod
    def _attach(iam: Any, role: str, old: Properties, new: Properties) -> None:
        before, after = (set(p.get("ManagedPolicyArns", [])) for p in (old, new))
        for arn in sorted(before - after):
            with missing_is_fine():
                iam.detach_role_policy(RoleName=role, PolicyArn=arn)
        for arn in sorted(after - before):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    @staticmethod
    def _inline(iam: Any, role: str, old: Properties, new: Properties) -> None:
        before, after = (
            {policy["PolicyName"]: text(policy["PolicyDocument"]) for policy in p["Policies"]}
            if p.get("Policies")
            else {}
            for p in (old, new)
        )
        for name in sorted(before.keys() - after.keys()):
            with missing_is_fine():
                iam.delete_role_policy(RoleName=role, PolicyName=name)
        for name, document in after.items():
            if before.get(name) != document:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        iam = context.clients.client("iam")
        for arn in properties.get("ManagedPolicyArns", []):
            with missing_is_fine():
                iam.detach_role_policy(RoleName=physical_id, PolicyArn=arn)
        for policy in properties.get("Policies", []):
            with missing_is_fine():
                iam.delete_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"])
        iam.delete_role(RoleName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        role = context.clients.client("iam").get_role(RoleName=physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


class InstanceProfile(Kind):
    """The profile through which instances take a role."""

    type_name = "AWS::IAM::InstanceProfile"
    properties = frozenset({"InstanceProfileName", "Path", "Roles"})
    replace_on = frozenset({"InstanceProfileName", "Path"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("InstanceProfileName") or context.unique_name())
        path = properties.get("Path", "/")
        context.clients.client("iam").create_instance_profile(InstanceProfileName=name, Path=path)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        iam = context.clients.client("iam")
        profile = {"InstanceProfileName": physical_id}
        before, after = (set(p.get("Roles", [])) for p in (old, new))
        for role in sorted(before - after):
            with missing_is_fine():
                iam.remove_role_from_instance_profile(**profile, RoleName=role)
        for role in sorted(after - before):
            iam.add_role_to_instance_profile(**profile, RoleName=role)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        iam = context.clients.client("iam")
        for role in properties.get("Roles", []):
            with missing_is_fine():
                iam.remove_role_from_instance_profile(
                    InstanceProfileName=physical_id, RoleName=role
                )
        iam.delete_instance_profile(InstanceProfileName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        found = context.clients.client("iam").get_instance_profile(InstanceProfileName=physical_id)
        return {"Arn": found["InstanceProfile"]["Arn"]}


HANDLERS = (Role(), InstanceProfile())

"""AWS::IAM: inline policies put on roles, and managed policies. Recorded, not enforced."""

from __future__ import annotations

from typing import Any

from local.resources.base import Context
from local.resources.calls import missing_is_fine, text
from local.resources.kind import Kind, Properties, changed


class Policy(Kind):
    """An inline policy put on roles."""

    type_name = "AWS::IAM::Policy"
    properties = frozenset({"PolicyName", "PolicyDocument", "Roles"})
    replace_on = frozenset({"PolicyName"})

    def make(self, context: Context, properties: Properties) -> str:
        return str(properties["PolicyName"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        iam = context.clients.client("iam")
        for role in set(old.get("Roles", [])) - set(new.get("Roles", [])):
            with missing_is_fine():
                iam.delete_role_policy(RoleName=role, PolicyName=physical_id)
        for role in new.get("Roles", []):
            iam.put_role_policy(
                RoleName=role, PolicyName=physical_id, PolicyDocument=text(new["PolicyDocument"])
            )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        for role in properties.get("Roles", []):
            with missing_is_fine():
                context.clients.client("iam").delete_role_policy(
                    RoleName=role, PolicyName=physical_id
                )


class ManagedPolicy(Kind):
    """A customer managed policy; an update makes a new default version."""

    type_name = "AWS::IAM::ManagedPolicy"
    properties = frozenset({"ManagedPolicyName", "PolicyDocument", "Description", "Path", "Roles"})
    replace_on = frozenset({"ManagedPolicyName", "Description", "Path"})

    def make(self, context: Context, properties: Properties) -> str:
        answer = context.clients.client("iam").create_policy(
            PolicyName=properties.get("ManagedPolicyName") or context.unique_name(),
            PolicyDocument=text(properties["PolicyDocument"]),
            Description=properties.get("Description", ""),
            Path=properties.get("Path", "/"),
        )
        return str(answer["Policy"]["Arn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        iam = context.clients.client("iam")
        if old and changed("PolicyDocument", old, new):
            self._drop_versions(iam, physical_id)
            iam.create_policy_version(
                PolicyArn=physical_id,
                PolicyDocument=text(new["PolicyDocument"]),
                SetAsDefault=True,
            )
        before, after = (set(p.get("Roles", [])) for p in (old, new))
        for role in sorted(before - after):
            with missing_is_fine():
                iam.detach_role_policy(RoleName=role, PolicyArn=physical_id)
        for role in sorted(after - before):
            iam.attach_role_policy(RoleName=role, PolicyArn=physical_id)

    @staticmethod
    def _drop_versions(iam: Any, arn: str) -> None:
        """Delete the non-default versions; IAM keeps five at most."""
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        iam = context.clients.client("iam")
        for role in properties.get("Roles", []):
            with missing_is_fine():
                iam.detach_role_policy(RoleName=role, PolicyArn=physical_id)
        self._drop_versions(iam, physical_id)
        iam.delete_policy(PolicyArn=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"PolicyArn": physical_id}


HANDLERS = (Policy(), ManagedPolicy())

"""The roles of synthesized templates: what each is granted, and who uses it for what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conftest import Templates
from tests.contracts.calls import Call
from tests.contracts.users import USERS, by_github, refers
from tests.templates import Template, resources, text

PROFILE = "AWS::IAM::InstanceProfile"


@dataclass(frozen=True)
class Role:
    """A role of an estate, and the template that it stands in."""

    templates: Templates
    stack: str
    name: str

    @property
    def template(self) -> Template:
        return self.templates[self.stack]

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.template["Resources"][self.name]["Properties"]
        return found

    def statements(self) -> Iterator[dict[str, Any]]:
        """Yield the statements of its own policies, and of those attached to it."""
        for policy in self.properties.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for resource in resources(self.template, kind).values():
                if {"Ref": self.name} in resource["Properties"].get("Roles", []):
                    yield from resource["Properties"]["PolicyDocument"]["Statement"]

    def granted(self) -> set[str]:
        """Return the actions allowed; a policy of AWS's own counts as one, by its name."""
        found = {
            f"policy/{text(arn).partition(':policy/')[2]}"
            for arn in self.properties.get("ManagedPolicyArns", [])
        }
        for statement in self.statements():
            if statement["Effect"] == "Allow":
                found |= set(listed(statement["Action"]))
        return found

    def needed(self) -> set[Call]:
        """Return what its users call. Fails for a user that nobody knows, or for none."""
        found = set(by_github(self)) if "Federated" in str(self.properties) else set()
        users = list(_users(self.template, self.name))
        for name, resource in users:
            assert resource["Type"] in USERS, f"{self.stack}/{name}: what does it call?"
            found |= set(USERS[resource["Type"]](self, resource["Properties"]))
        assert users or found, f"{self.stack}/{self.name}: nobody uses this role"
        return found


def roles(templates: Templates) -> Iterator[Role]:
    """Yield every role of an estate."""
    for stack, template in templates.items():
        for name in resources(template, "AWS::IAM::Role"):
            yield Role(templates, stack, name)


def listed(value: Any) -> list[Any]:
    """Return what IAM takes alone or in a list as a list."""
    return value if isinstance(value, list) else [value]


def _users(template: Template, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the resources that act in a role, through an instance profile as well."""
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::IAM::") and resource["Type"] != PROFILE:
            continue
        if refers(resource.get("Properties", {}), role):
            if resource["Type"] == PROFILE:
                yield from _users(template, name)
            else:
                yield name, resource

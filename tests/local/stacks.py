"""Short ways to deploy small templates."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local.server import EmbeddedAws

QUEUE = "AWS::SQS::Queue"
PARAMETER = "AWS::SSM::Parameter"


def resource(type_name: str, *, attributes: dict[str, Any] | None = None, **properties: Any) -> Any:
    """Return a resource's entry; `attributes` are those beside Type and Properties."""
    return {"Type": type_name, "Properties": properties, **(attributes or {})}


def parameter(value: Any, **properties: Any) -> Any:
    """Return a String parameter of Systems Manager."""
    return resource(PARAMETER, Type="String", Value=value, **properties)


def template(resources: dict[str, Any], **sections: Any) -> str:
    """Return a template's text."""
    return json.dumps({"Resources": resources, **sections})


class Stacks:
    """One embedded AWS's stacks, from a test's point of view."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.api = aws.clients.client("cloudformation")

    def create(self, name: str, body: str, **more: Any) -> dict[str, Any]:
        """Create a stack and return it as described."""
        self.api.create_stack(StackName=name, TemplateBody=body, **more)
        return self.describe(name)

    def update(self, name: str, body: str, **more: Any) -> dict[str, Any]:
        """Update a stack and return it as described."""
        self.api.update_stack(StackName=name, TemplateBody=body, **more)
        return self.describe(name)

    def describe(self, name: str) -> dict[str, Any]:
        """Return a stack."""
        found: dict[str, Any] = self.api.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def outputs(self, name: str) -> dict[str, str]:
        """Return a stack's outputs by key."""
        outputs = self.describe(name).get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def physical_id(self, name: str, logical_id: str) -> str:
        """Return a resource's physical id."""
        answer = self.api.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def history(self, name: str) -> list[tuple[str, str]]:
        """Return a stack's events, oldest first, as logical id and status."""
        events = self.api.describe_stack_events(StackName=name)["StackEvents"]
        return [(entry["LogicalResourceId"], entry["ResourceStatus"]) for entry in events[::-1]]

    def change_set(
        self, stack: str, body: str, kind: str = "UPDATE", **more: Any
    ) -> dict[str, Any]:
        """Make a change set named `plan` and return it as described."""
        self.api.create_change_set(
            StackName=stack, ChangeSetName="plan", ChangeSetType=kind, TemplateBody=body, **more
        )
        found: dict[str, Any] = self.api.describe_change_set(StackName=stack, ChangeSetName="plan")
        return found

    def execute(self, stack: str) -> dict[str, Any]:
        """Execute the change set `plan` and return the stack."""
        self.api.execute_change_set(StackName=stack, ChangeSetName="plan")
        return self.describe(stack)


def message(error: ClientError) -> str:
    """Return the text of an AWS error."""
    return str(error.response["Error"]["Message"])

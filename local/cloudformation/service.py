"""The CloudFormation service: operations found by name among those that read, plan and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import xform_name

from local.cloudformation.change_sets import ChangeSets
from local.cloudformation.operations import Operations
from local.cloudformation.reads import Reads
from local.cloudformation.workspace import Workspace
from local.protocol import unknown_operation


class CloudFormation:
    """Answers the CloudFormation API."""

    name = "cloudformation"

    def __init__(self, workspace: Workspace) -> None:
        operations = Operations(workspace)
        self._parts = (Reads(workspace), operations, ChangeSets(workspace, operations))

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation.

        Raises: ServiceError, also for an operation that there is none of here.
        """
        name = xform_name(operation)
        for part in self._parts:
            method: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(part, name, None)
            if method is not None:
                return method(params)
        raise unknown_operation(self.name, operation)

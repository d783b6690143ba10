"""Change sets: planned, described, executed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.clients import ACCOUNT, REGION
from local.cloudformation import plan, requests
from local.cloudformation.errors import (
    NO_CHANGES,
    DeploymentError,
    no_such_change_set,
    no_such_stack,
    validation,
)
from local.cloudformation.model import ChangeSet, Stack
from local.cloudformation.operations import Operations
from local.cloudformation.workspace import Workspace
from local.protocol import ServiceError


class ChangeSets:
    """The operations on change sets, by their API names in snake case."""

    def __init__(self, workspace: Workspace, operations: Operations) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._operations = operations

    def create_change_set(self, params: dict[str, Any]) -> dict[str, Any]:
        """Plan at once; what cannot work makes a FAILED change set that says why."""
        kind = params.get("ChangeSetType", "UPDATE")
        stack = self._stack(params, kind)
        self._find(stack, params["ChangeSetName"], missing_is_fine=False)
        target, changes, reason = stack.state.target, None, None
        try:
            target = requests.target(params, stack, self._workspace.clients)
            changes = plan.changes(self._workspace, stack, target)
            reason = NO_CHANGES if changes is None else None
        except (ServiceError, DeploymentError) as error:
            reason = str(error)
        made = ChangeSet(
            change_set_id=_arn(params["ChangeSetName"]),
            name=params["ChangeSetName"],
            kind=kind,
            target=target,
            changes=changes or (),
            status="FAILED" if reason else "CREATE_COMPLETE",
            execution_status="UNAVAILABLE" if reason else "AVAILABLE",
            created=self._store.now(),
            description=params.get("Description", ""),
            reason=reason,
            request=params,
        )
        stack.change_sets[made.name] = made
        return {"Id": made.change_set_id, "StackId": stack.stack_id}

    def describe_change_set(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a change set with all its changes."""
        stack, found = self._named(params)
        return {
            **_summary(stack, found),
            "Changes": list(found.changes),
            "Parameters": [value.described() for value in found.target.parameters.values()],
            "Tags": [{"Key": key, "Value": value} for key, value in found.target.tags.items()],
            "Capabilities": found.request.get("Capabilities", []),
            "NotificationARNs": found.request.get("NotificationARNs", []),
            "DeploymentConfig": found.request.get("DeploymentConfig"),
        }

    def list_change_sets(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the change sets of a stack."""
        stack = self._store.find(params["StackName"])
        return {"Summaries": [_summary(stack, found) for found in stack.change_sets.values()]}

    def delete_change_set(self, params: dict[str, Any]) -> dict[str, Any]:
        """Forget a change set; one that is not there is fine."""
        try:
            stack, found = self._named(params)
        except ServiceError as error:
            if error.code == "ChangeSetNotFound":
                return {}
            raise
        del stack.change_sets[found.name]
        return {}

    def execute_change_set(self, params: dict[str, Any]) -> dict[str, Any]:
        """Carry a change set out; the others of the stack are void then."""
        stack, found = self._named(params)
        if found.execution_status != "AVAILABLE":
            raise ServiceError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{found.change_set_id}] cannot be executed in its current execution "
                f"status of [{found.execution_status}]",
            )
        verb = "CREATE" if stack.status == "REVIEW_IN_PROGRESS" else "UPDATE"
        self._operations.start(stack, found.target, verb, {**found.request, **params})
        stack.change_sets.clear()
        stack.change_sets[found.name] = replace(found, execution_status="EXECUTE_COMPLETE")
        return {}

    def _stack(self, params: Mapping[str, Any], kind: str) -> Stack:
        name = params["StackName"]
        stack = self._store.named(name) if kind == "CREATE" else self._store.find(name)
        if kind == "IMPORT":
            raise validation("The embedded AWS imports no resources")
        if stack is None:
            return self._operations.new_stack(params, "REVIEW_IN_PROGRESS")
        if kind == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
            raise validation(f"Stack [{name}] already exists and cannot be created again")
        if kind == "UPDATE" and stack.deleted:
            raise no_such_stack(name)
        if kind == "UPDATE":
            self._operations.refuse_unless_updatable(stack)
        return stack

    def _named(self, params: Mapping[str, Any]) -> tuple[Stack, ChangeSet]:
        name = params["ChangeSetName"]
        if "StackName" in params:
            stack = self._store.find(params["StackName"])
            found = self._find(stack, name, missing_is_fine=True)
            if found:
                return stack, found
        for stack in self._store.all():
            for found in stack.change_sets.values():
                if found.change_set_id == name:
                    return stack, found
        raise no_such_change_set(name)

    @staticmethod
    def _find(stack: Stack, name: str, *, missing_is_fine: bool) -> ChangeSet | None:
        for found in stack.change_sets.values():
            if name in {found.name, found.change_set_id}:
                if missing_is_fine:
                    return found
                raise ServiceError("AlreadyExistsException", f"ChangeSet {name} already exists")
        return None


def _arn(name: str) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"


def _summary(stack: Stack, found: ChangeSet) -> dict[str, Any]:
    return {
        "ChangeSetId": found.change_set_id,
        "ChangeSetName": found.name,
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "Status": found.status,
        "StatusReason": found.reason,
        "ExecutionStatus": found.execution_status,
        "CreationTime": found.created,
        "Description": found.description,
        "IncludeNestedStacks": False,
    }

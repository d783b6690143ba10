"""Deletion of a stack, dependents first."""

from __future__ import annotations

from collections.abc import Collection

from local.cloudformation import outputs, rollback
from local.cloudformation.errors import DeploymentError
from local.cloudformation.model import Stack, State
from local.cloudformation.steps import Steps
from local.cloudformation.workspace import Workspace


def delete(
    workspace: Workspace, stack: Stack, *, retain: Collection[str] = (), force: bool = False
) -> None:
    """Delete a stack's resources, then the stack; its status is DELETE_IN_PROGRESS already.

    `retain` names resources to keep; `force` goes on past those that cannot be deleted. Ends in
    DELETE_COMPLETE, or in DELETE_FAILED with what is left still recorded.
    """
    try:
        outputs.refuse_conflicts(workspace.store, stack, {})
    except DeploymentError as error:
        workspace.store.set_status(stack, "DELETE_FAILED", str(error))
        return
    failed = _delete_resources(workspace, stack, retain, force=force)
    if failed and not force:
        reason = f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}]."
        workspace.store.set_status(stack, "DELETE_FAILED", reason)
        return
    stack.state = State(target=stack.state.target)
    stack.unfinished = None
    workspace.store.set_status(stack, "DELETE_COMPLETE")


def _delete_resources(
    workspace: Workspace, stack: Stack, retain: Collection[str], *, force: bool
) -> list[str]:
    """Delete what a stack has; return the logical ids of what could not be."""
    steps = Steps(workspace, stack)
    failed: list[str] = []
    present = [
        (resource, "Retain" if name in retain else resource.definition.deletion_policy)
        for name, resource in stack.state.resources.items()
    ]
    for resource, policy in rollback.in_delete_order(present):
        try:
            steps.delete(resource, policy=policy)
        except DeploymentError:
            failed.append(resource.logical_id)
            if not force:
                continue
        workspace.store.drop(stack, resource.logical_id)
    return failed

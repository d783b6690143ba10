"""The way back: old properties restored in reverse, what was made deleted again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from local.cloudformation.errors import DeploymentError
from local.cloudformation.graph import in_order
from local.cloudformation.model import Resource, Stack, State, Step
from local.cloudformation.steps import Steps
from local.cloudformation.wanted import Wanted
from local.cloudformation.workspace import Workspace


def roll_back(
    workspace: Workspace, stack: Stack, *, verb: str, reason: str, skip: Collection[str] = ()
) -> None:
    """Bring a stack back to before its unfinished operation.

    `verb` is what failed, CREATE or UPDATE. `skip` names resources to leave as they are.
    Ends in ROLLBACK_COMPLETE, or UPDATE_ROLLBACK_COMPLETE; or the `_FAILED` of these.
    """
    unfinished = stack.unfinished
    if unfinished is None:
        raise ValueError(f"{stack.name} has nothing to roll back")
    status = "ROLLBACK" if verb == "CREATE" else "UPDATE_ROLLBACK"
    store = workspace.store
    store.set_status(stack, f"{status}_IN_PROGRESS", reason)
    steps = Steps(workspace, stack)
    try:
        leftovers = [
            leftover
            for step in reversed(unfinished.steps)
            if (leftover := _undo(workspace, stack, steps, step, skip)) is not None
        ]
        if verb == "UPDATE":
            store.set_status(stack, f"{status}_COMPLETE_CLEANUP_IN_PROGRESS")
        _delete_all(steps, leftovers, on_create=verb == "CREATE")
    except DeploymentError as error:
        store.set_status(stack, f"{status}_FAILED", str(error))
        return
    _settle(stack, unfinished.before)
    store.set_status(stack, f"{status}_COMPLETE")


def _settle(stack: Stack, before: State) -> None:
    """Let the stack be what it was, with its resources as restored."""
    kept = {
        name: stack.state.resources.get(name, resource)
        for name, resource in before.resources.items()
    }
    stack.state = replace(before, resources=kept)
    stack.unfinished = None


def _undo(
    workspace: Workspace, stack: Stack, steps: Steps, step: Step, skip: Collection[str]
) -> Resource | None:
    """Restore what a step changed; return the resource that is then to be deleted."""
    before, after = step.before, step.after
    if before is None:
        if after is not None:
            workspace.store.drop(stack, step.logical_id)
        return after
    if after is not None and after.generation != before.generation:
        workspace.store.put(stack, before)
        return after
    if step.logical_id in skip:
        workspace.store.put(stack, before)
        return None
    wanted = Wanted(before.definition, before.properties, before.policies, before.needs)
    restored = steps.update(wanted, before.applied, after or before, step.attempted)
    return after if after and after.physical_id != restored.physical_id else None


def _delete_all(steps: Steps, resources: Iterable[Resource], *, on_create: bool) -> None:
    failures = []
    for resource in resources:
        policy = resource.definition.deletion_policy
        keep = on_create and policy == "Retain"
        try:
            steps.delete(resource, policy="Retain" if keep else "Delete")
        except DeploymentError as error:
            failures.append(str(error))
    if failures:
        raise DeploymentError(" ".join(failures))


def in_delete_order(resources: Sequence[tuple[Resource, str]]) -> list[tuple[Resource, str]]:
    """Return resources, with their policies, dependents first."""
    by_name = {resource.logical_id: (resource, policy) for resource, policy in resources}
    needs = {name: resource.needs & set(by_name) for name, (resource, _) in by_name.items()}
    return [by_name[name] for name in reversed(in_order(needs))]

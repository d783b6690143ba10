"""Operations that change stacks, each in a thread of its own."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local.clients import ACCOUNT, REGION
from local.cloudformation import deletion, plan, requests, rollback
from local.cloudformation.deployment import deploy
from local.cloudformation.errors import DeploymentError, validation
from local.cloudformation.model import Stack, Target
from local.cloudformation.workspace import Workspace

#: The call that starts an operation answers when it is done, at the latest after this (seconds):
#: the CLI looks at once after the answer, and from then on every five seconds.
PATIENCE_S = 20.0
_UPDATABLE = {
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "IMPORT_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_COMPLETE",
}


class Operations:
    """The operations on stacks, by their API names in snake case."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._store = workspace.store

    def create_stack(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a stack from a template."""
        target = requests.target(params, None, self._workspace.clients)
        self._workspace.refuse_unsupported(target.template)
        stack = self.new_stack(params, "REVIEW_IN_PROGRESS")
        self.start(stack, target, "CREATE", params)
        return {"StackId": stack.stack_id}

    def update_stack(self, params: dict[str, Any]) -> dict[str, Any]:
        """Bring a stack to a template."""
        stack = self._store.find(params["StackName"])
        self.refuse_unless_updatable(stack)
        target = requests.target(params, stack, self._workspace.clients)
        try:
            changes = plan.changes(self._workspace, stack, target)
        except DeploymentError as error:
            raise validation(str(error)) from error
        if changes is None:
            raise validation("No updates are to be performed.")
        self.start(stack, target, "UPDATE", params)
        return {"StackId": stack.stack_id}

    def delete_stack(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a stack; one that is not there is fine."""
        name = params["StackName"]
        stack = self._store.named(name) or next(
            (found for found in self._store.all() if found.stack_id == name), None
        )
        if stack is None or stack.deleted:
            return {}
        if stack.termination_protection:
            raise validation(
                f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        self._begin(stack, "DELETE_IN_PROGRESS")
        retain = params.get("RetainResources") or ()
        force = params.get("DeletionMode") == "FORCE_DELETE_STACK"
        self._run(lambda: deletion.delete(self._workspace, stack, retain=retain, force=force))
        return {}

    def rollback_stack(self, params: dict[str, Any]) -> dict[str, Any]:
        """Bring a stack whose operation failed, and stayed so, back to where it was."""
        stack = self._store.find(params["StackName"])
        verbs = {"CREATE_FAILED": "CREATE", "UPDATE_FAILED": "UPDATE"}
        self._back(stack, verbs, ())
        return {"StackId": stack.stack_id, "OperationId": stack.operation_id}

    def continue_update_rollback(self, params: dict[str, Any]) -> dict[str, Any]:
        """Try a failed rollback again, leaving the named resources as they are."""
        stack = self._store.find(params["StackName"])
        skip = {name.rsplit(".", 1)[-1] for name in params.get("ResourcesToSkip") or ()}
        self._back(stack, {"UPDATE_ROLLBACK_FAILED": "UPDATE"}, skip)
        return {}

    def signal_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Pass an instance's signal on to the resource that waits for it."""
        stack, name = self._store.find(params["StackName"]), params["LogicalResourceId"]
        sender, status = params["UniqueId"], params["Status"]
        if not self._workspace.signals.deliver(stack.stack_id, name, sender, status):
            raise validation(
                f"Resource {name} of stack {stack.name}, which is in {stack.status} state, is not "
                "in a state to receive signals"
            )
        return {}

    def update_termination_protection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Allow or refuse the deletion of a stack."""
        stack = self._store.find(params["StackName"])
        stack.termination_protection = params["EnableTerminationProtection"]
        return {"StackId": stack.stack_id}

    def set_stack_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """Store a stack policy; nothing here enforces it."""
        self._store.find(params["StackName"]).policy = params.get("StackPolicyBody")
        return {}

    def new_stack(self, params: Mapping[str, Any], status: str) -> Stack:
        """Remember a new stack under the name of a request."""
        name = params["StackName"]
        stack = Stack(
            name=name,
            stack_id=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}",
            created=self._store.now(),
            termination_protection=bool(params.get("EnableTerminationProtection")),
            operation_id=str(uuid.uuid4()),
        )
        self._store.add(stack)
        self._store.set_status(stack, status, "User Initiated")
        return stack

    def start(self, stack: Stack, target: Target, verb: str, params: Mapping[str, Any]) -> None:
        """Start bringing a stack to a target.

        `params` are the request's: roles, capabilities and whether to roll back are read of them.
        """
        stack.disable_rollback = bool(
            params.get("DisableRollback") or params.get("OnFailure") == "DO_NOTHING"
        )
        self._begin(stack, f"{verb}_IN_PROGRESS")
        stack.role_arn = params.get("RoleARN", stack.role_arn)
        stack.capabilities = tuple(params.get("Capabilities") or stack.capabilities)
        stack.notification_arns = tuple(
            params.get("NotificationARNs", stack.notification_arns) or ()
        )
        if verb == "UPDATE":
            stack.updated = self._store.now()
        keep = stack.disable_rollback
        self._run(lambda: deploy(self._workspace, stack, target, verb=verb, disable_rollback=keep))

    @staticmethod
    def refuse_unless_updatable(stack: Stack) -> None:
        """Raise ServiceError for a stack in a state that takes no update."""
        if stack.status not in _UPDATABLE:
            raise validation(
                f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
            )

    def _back(self, stack: Stack, verbs: Mapping[str, str], skip: Any) -> None:
        verb = verbs.get(stack.status)
        if verb is None or stack.unfinished is None:
            allowed = ", ".join(verbs)
            raise validation(f"Stack {stack.name} is in {stack.status}; allowed: {allowed}")
        rolling = "ROLLBACK" if verb == "CREATE" else "UPDATE_ROLLBACK"
        self._begin(stack, f"{rolling}_IN_PROGRESS")
        reason = "User Initiated"
        self._run(
            lambda: rollback.roll_back(self._workspace, stack, verb=verb, reason=reason, skip=skip)
        )

    def _begin(self, stack: Stack, status: str) -> None:
        self._store.begin(stack, status, lambda now: False)
        stack.operation_id = str(uuid.uuid4())
        self._store.set_status(stack, status, "User Initiated")

    @staticmethod
    def _run(work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True, name="cloudformation")
        thread.start()
        thread.join(PATIENCE_S)

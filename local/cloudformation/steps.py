"""One resource at a time: created, updated, replaced or deleted by its handler, and told so."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from local.cloudformation import dynamic
from local.cloudformation.errors import DeploymentError
from local.cloudformation.model import Resource, Stack
from local.cloudformation.template import Definition
from local.cloudformation.wanted import Wanted
from local.cloudformation.workspace import Workspace
from local.resources.base import Applied, Context
from local.signals import SignalError, resource_signal

_LOG = logging.getLogger(__name__)
_RETAINED = {"Retain", "RetainExceptOnCreate", "Snapshot"}


class Steps:
    """The steps of one operation on one stack."""

    def __init__(self, workspace: Workspace, stack: Stack) -> None:
        self._workspace = workspace
        self._stack = stack

    def applied(self, wanted: Wanted) -> Mapping[str, Any]:
        """Return the properties as the handler is to get them."""
        resolved: Mapping[str, Any] = dynamic.resolve(wanted.properties, self._workspace.clients)
        return resolved

    def create(self, wanted: Wanted, applied: Mapping[str, Any], generation: int) -> Resource:
        """Create a resource. Raises: DeploymentError with the handler's reason."""
        definition = wanted.definition
        self._tell(definition, "", "CREATE_IN_PROGRESS")
        context = self._workspace.context(self._stack, definition, wanted.policies, generation)
        try:
            made = self._create(context, applied)
        except Exception as error:
            raise self._failed(definition, "", "CREATE_FAILED", error) from error
        return self._done(wanted, applied, made, generation, "CREATE_COMPLETE")

    def _create(self, context: Context, applied: Mapping[str, Any]) -> Applied:
        """Create a resource and wait for the signals of its CreationPolicy; else remove it."""
        handler = self._workspace.handler_for(context.type_name)
        needed = resource_signal(context.creation_policy)
        if needed is None:
            return handler.create(context, applied)
        count, within_s = needed
        with context.signals.expected(context.stack_id, context.logical_id) as mailbox:
            made = handler.create(context, applied)
            try:
                mailbox.wait(count, within_s=within_s)
            except SignalError:
                handler.delete(context, made.physical_id, applied)
                raise
        return made

    def update(
        self, wanted: Wanted, applied: Mapping[str, Any], before: Resource, old: Mapping[str, Any]
    ) -> Resource:
        """Update a resource from `old`. Raises: DeploymentError with the handler's reason."""
        definition = wanted.definition
        self._tell(definition, before.physical_id, "UPDATE_IN_PROGRESS")
        context = self._workspace.context(
            self._stack, definition, wanted.policies, before.generation
        )
        handler = self._workspace.handler_for(definition.type_name)
        try:
            made = handler.update(context, before.physical_id, old, applied)
        except Exception as error:
            raise self._failed(definition, before.physical_id, "UPDATE_FAILED", error) from error
        return self._done(wanted, applied, made, before.generation, "UPDATE_COMPLETE")

    def delete(self, resource: Resource, *, policy: str) -> None:
        """Delete a resource unless `policy` keeps it.

        Raises: DeploymentError with the handler's reason.
        """
        definition = resource.definition
        if policy in _RETAINED:
            self._tell(definition, resource.physical_id, "DELETE_SKIPPED", _kept(policy))
            return
        self._tell(definition, resource.physical_id, "DELETE_IN_PROGRESS")
        context = self._workspace.context(
            self._stack, definition, resource.policies, resource.generation
        )
        handler = self._workspace.handler_for(definition.type_name)
        try:
            handler.delete(context, resource.physical_id, resource.applied)
        except Exception as error:
            raise self._failed(definition, resource.physical_id, "DELETE_FAILED", error) from error
        self._tell(definition, resource.physical_id, "DELETE_COMPLETE")

    def _done(
        self,
        wanted: Wanted,
        applied: Mapping[str, Any],
        made: Applied,
        generation: int,
        status: str,
    ) -> Resource:
        resource = Resource(
            definition=wanted.definition,
            physical_id=made.physical_id,
            attributes=made.attributes,
            properties=wanted.properties,
            applied=applied,
            policies=wanted.policies,
            needs=wanted.needs,
            generation=generation,
            status=status,
            changed=self._workspace.store.now(),
        )
        self._workspace.store.put(self._stack, resource)
        self._tell(wanted.definition, made.physical_id, status)
        return resource

    def _failed(
        self, definition: Definition, physical_id: str, status: str, error: Exception
    ) -> DeploymentError:
        reason = _reason(error)
        _LOG.info("%s %s %s", status, definition.type_name, definition.logical_id, exc_info=error)
        existing = self._stack.state.resources.get(definition.logical_id)
        if existing is not None and existing.physical_id == physical_id:
            failed = replace(existing, status=status, reason=reason)
            self._workspace.store.put(self._stack, failed)
        self._tell(definition, physical_id, status, reason)
        return DeploymentError(
            f"The following resource(s) failed: [{definition.logical_id}]. "
            f"{definition.type_name}: {reason}"
        )

    def _tell(
        self, definition: Definition, physical_id: str, status: str, reason: str | None = None
    ) -> None:
        what = (definition.logical_id, physical_id, definition.type_name)
        self._workspace.store.tell(self._stack, what, status, reason)


def _kept(policy: str) -> str | None:
    if policy == "Snapshot":
        return "The embedded AWS takes no snapshots: the resource is kept instead"
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"{details['Message']} ({error.operation_name}: {details['Code']})"
    if isinstance(error, DeploymentError):
        return str(error)
    return f"{type(error).__name__}: {error}"

"""Operations that only tell: stacks, resources, events, templates, exports."""

from __future__ import annotations

from typing import Any

from local.cloudformation import requests, views
from local.cloudformation.errors import validation
from local.cloudformation.model import Stack
from local.cloudformation.workspace import Workspace


class Reads:
    """The reading operations, by their API names in snake case. Answers come in one page."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._store = workspace.store

    def describe_stacks(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return one stack, deleted ones by id only, or all that live."""
        if name := params.get("StackName"):
            return {"Stacks": [views.stack_view(self._store.find(name))]}
        return {
            "Stacks": [views.stack_view(stack) for stack in self._store.all() if not stack.deleted]
        }

    def list_stacks(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return all stacks, deleted ones included, or those in given states."""
        wanted = params.get("StackStatusFilter")
        return {
            "StackSummaries": [
                {
                    **views.head(stack),
                    "TemplateDescription": stack.state.target.template.description,
                }
                for stack in self._store.all()
                if not wanted or stack.status in wanted
            ]
        }

    def describe_stack_events(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a stack's history, newest first."""
        stack = self._store.find(params["StackName"])
        return {"StackEvents": [views.event_view(stack, event) for event in reversed(stack.events)]}

    def describe_events(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the history, or of it what failed."""
        stack = self._store.find(params["StackName"])
        only_failed = (params.get("Filters") or {}).get("FailedEvents")
        events = [] if params.get("ChangeSetName") else stack.events[::-1]
        return {
            "OperationEvents": [
                {**views.event_view(stack, event), "EventType": "STACK_EVENT"}
                for event in events
                if not only_failed or event.status.endswith("_FAILED")
            ]
        }

    def describe_stack_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a stack's resources, found by the stack or by one physical id."""
        physical_id, wanted = params.get("PhysicalResourceId"), params.get("LogicalResourceId")
        stack = self._owner(physical_id) if physical_id else self._store.find(params["StackName"])
        return {
            "StackResources": [
                {**views.resource_view(found), **views.owner(stack), "Timestamp": found.changed}
                for name, found in stack.state.resources.items()
                if wanted in {None, name}
            ]
        }

    def describe_stack_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return one resource."""
        stack, name = self._store.find(params["StackName"]), params["LogicalResourceId"]
        found = stack.state.resources.get(name)
        if found is None:
            raise validation(f"Resource {name} does not exist for stack {stack.name}")
        detail = {
            **views.resource_view(found),
            **views.owner(stack),
            "LastUpdatedTimestamp": found.changed,
        }
        return {"StackResourceDetail": detail}

    def list_stack_resources(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a stack's resources."""
        stack = self._store.find(params["StackName"])
        return {
            "StackResourceSummaries": [
                {**views.resource_view(found), "LastUpdatedTimestamp": found.changed}
                for found in stack.state.resources.values()
            ]
        }

    def get_template(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the text of a stack's template, or of a change set's."""
        stack = self._store.find(params["StackName"])
        template = stack.state.target.template
        for found in stack.change_sets.values():
            if params.get("ChangeSetName") in {found.name, found.change_set_id}:
                template = found.target.template
        return {"TemplateBody": template.body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return what a template declares."""
        name = params.get("StackName")
        stack = self._store.find(name) if name else None
        request = {**params, "UsePreviousTemplate": True} if stack else params
        template = requests.read_template(request, stack, self._workspace.clients)
        return {
            "Parameters": [
                views.declaration(key, entry) for key, entry in template.parameters.items()
            ],
            "Description": template.description,
            "ResourceTypes": sorted({item.type_name for item in template.resources.values()}),
        }

    def validate_template(self, params: dict[str, Any]) -> dict[str, Any]:
        """Parse a template and refuse what is not supported."""
        template = requests.read_template(params, None, self._workspace.clients)
        self._workspace.refuse_unsupported(template)
        return {
            "Parameters": [
                views.declaration(key, entry) for key, entry in template.parameters.items()
            ],
            "Description": template.description,
        }

    def list_exports(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the exports of all stacks."""
        return {
            "Exports": [
                {"ExportingStackId": stack.stack_id, "Name": name, "Value": output.value}
                for name, (stack, output) in sorted(self._store.exports().items())
            ]
        }

    def list_imports(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the names of the stacks that import an export."""
        name = params["ExportName"]
        found = self._store.importers(name)
        if not found:
            raise validation(f"Export '{name}' is not imported by any stack.")
        return {"Imports": found}

    def get_stack_policy(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the stored policy of a stack."""
        return {"StackPolicyBody": self._store.find(params["StackName"]).policy}

    def list_hook_results(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return nothing: there are no hooks here; the CLI asks after a failed change set."""
        return {"HookResults": []}

    def _owner(self, physical_id: str) -> Stack:
        for stack in self._store.all():
            if any(r.physical_id == physical_id for r in stack.state.resources.values()):
                return stack
        raise validation(f"Stack for {physical_id} does not exist")

"""What a target would change: the resource changes of a change set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.cloudformation import outputs
from local.cloudformation.errors import validation
from local.cloudformation.graph import dependencies, in_order
from local.cloudformation.intrinsics import Unknown, unknown_in
from local.cloudformation.model import Resource, Stack, Target
from local.cloudformation.template import Definition
from local.cloudformation.wanted import Wanted, active_definitions, resolve_resource
from local.cloudformation.workspace import Deployed, Workspace

Change = Mapping[str, Any]
_NEW = "new"
_CHANGED = "changed"


class _Foreseen(Deployed):
    """Looks values up as far as they survive: what is new or changed is Unknown."""

    def __init__(self, workspace: Workspace, stack: Stack) -> None:
        super().__init__(workspace.store, lambda: stack.state.resources)
        self.fates: dict[str, str] = {}

    def reference(self, logical_id: str) -> Any:
        if self.fates.get(logical_id) == _NEW:
            return Unknown(logical_id, "Ref")
        return super().reference(logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id in self.fates:
            return Unknown(logical_id, name)
        return super().attribute(logical_id, name)


def changes(workspace: Workspace, stack: Stack, target: Target) -> tuple[Change, ...] | None:
    """Return the changes that bring a stack to a target; None when there is nothing to do.

    An empty tuple means that only outputs or tags differ.

    Raises: ServiceError for unsupported types and properties, all of them named;
    DeploymentError for what does not resolve.
    """
    workspace.refuse_unsupported(target.template)
    lookup = _Foreseen(workspace, stack)
    resolver = workspace.resolver(stack, target, lookup)
    active = active_definitions(target.template, resolver)
    needs = {name: dependencies(definition, active) for name, definition in active.items()}
    found: list[Change] = []
    for name in in_order(needs):
        wanted = resolve_resource(resolver, active[name], needs[name])
        if change := _foresee(workspace, stack, lookup, wanted):
            found.append(change)
    found += [
        _change("Remove", resource.definition, resource)
        for name, resource in stack.state.resources.items()
        if name not in active
    ]
    same_outputs = outputs.resolve(target.template, resolver) == stack.state.outputs
    if not found and same_outputs and target.tags == stack.state.target.tags:
        return None
    return tuple(found)


def _foresee(
    workspace: Workspace, stack: Stack, lookup: _Foreseen, wanted: Wanted
) -> Change | None:
    """Return one resource's change, and tell the lookup what will not survive it."""
    definition = wanted.definition
    current = stack.state.resources.get(definition.logical_id)
    if current is None:
        lookup.fates[definition.logical_id] = _NEW
        return _change("Add", definition)
    replace_on = workspace.handler_for(definition.type_name).replace_on
    change = _modification(current, wanted, replace_on)
    if change and change["ResourceChange"]["Scope"] != ["Metadata"]:
        replaced = change["ResourceChange"]["Replacement"] != "False"
        lookup.fates[definition.logical_id] = _NEW if replaced else _CHANGED
    return change


def _modification(
    current: Resource, wanted: Wanted, replace_on: frozenset[str]
) -> dict[str, Any] | None:
    before, after = current.definition, wanted.definition
    if before.type_name != after.type_name:
        raise validation(
            "Update of resource type is not permitted. The new template modifies resource type of "
            f"the following resources: [{after.logical_id}]"
        )
    details = list(_property_details(current.properties, wanted.properties, replace_on))
    attributes = _changed_attributes(current, wanted)
    details += [
        _detail({"Attribute": attribute, "RequiresRecreation": "Never"}) for attribute in attributes
    ]
    if not details:
        return None
    change = _change("Modify", after, current)
    change["ResourceChange"].update(
        Replacement=_replacement(detail["Target"]["RequiresRecreation"] for detail in details),
        Scope=["Properties", *attributes] if len(details) > len(attributes) else attributes,
        Details=details,
    )
    return change


def _changed_attributes(current: Resource, wanted: Wanted) -> list[str]:
    before, after = current.definition, wanted.definition
    differs = {
        "Metadata": before.metadata != after.metadata,
        "UpdatePolicy": current.policies["UpdatePolicy"] != wanted.policies["UpdatePolicy"],
        "CreationPolicy": current.policies["CreationPolicy"] != wanted.policies["CreationPolicy"],
        "DeletionPolicy": before.deletion_policy != after.deletion_policy,
        "UpdateReplacePolicy": before.update_replace_policy != after.update_replace_policy,
    }
    return [attribute for attribute, different in differs.items() if different]


def _replacement(recreations: Iterable[str]) -> str:
    found = set(recreations)
    if "Always" in found:
        return "True"
    return "Conditional" if "Conditionally" in found else "False"


def _property_details(
    old: Mapping[str, Any], new: Mapping[str, Any], replace_on: frozenset[str]
) -> Iterator[dict[str, Any]]:
    for name in sorted(set(old) | set(new)):
        if name in old and name in new and old[name] == new[name]:
            continue
        source = unknown_in(new.get(name))
        recreation = "Never"
        if name in replace_on:
            recreation = "Conditionally" if source else "Always"
        aim = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
        if name in old:
            aim["BeforeValue"] = _value(old[name])
        if name in new:
            aim["AfterValue"] = outputs.UNKNOWN if source else _value(new[name])
        yield _detail(aim, source)


def _detail(aim: dict[str, Any], source: Unknown | None = None) -> dict[str, Any]:
    if source is None:
        return {"Target": aim, "Evaluation": "Static", "ChangeSource": "DirectModification"}
    by_reference = source.attribute == "Ref"
    return {
        "Target": aim,
        "Evaluation": "Dynamic",
        "ChangeSource": "ResourceReference" if by_reference else "ResourceAttribute",
        "CausingEntity": source.source if by_reference else f"{source.source}.{source.attribute}",
    }


def _change(action: str, definition: Definition, current: Resource | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Action": action,
        "LogicalResourceId": definition.logical_id,
        "ResourceType": definition.type_name,
        "Scope": [],
        "Details": [],
    }
    if current is not None:
        entry["PhysicalResourceId"] = current.physical_id
    if action == "Remove":
        kept = definition.deletion_policy != "Delete"
        entry["PolicyAction"] = "Retain" if kept else "Delete"
    return {"Type": "Resource", "ResourceChange": entry}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

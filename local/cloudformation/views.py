"""Stacks, resources and events in the form that the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloudformation.model import Event, Resource, Stack


def head(stack: Stack) -> dict[str, Any]:
    """Return what every view of a stack shows."""
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def stack_view(stack: Stack) -> dict[str, Any]:
    """Return a stack as DescribeStacks shows it."""
    target = stack.state.target
    return {
        **head(stack),
        "Description": target.template.description or None,
        "Parameters": [value.described() for value in target.parameters.values()],
        "Outputs": [
            {
                "OutputKey": output.key,
                "OutputValue": output.value,
                "Description": output.description or None,
                "ExportName": output.export,
            }
            for output in stack.state.outputs.values()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in target.tags.items()],
        "Capabilities": list(stack.capabilities),
        "NotificationARNs": list(stack.notification_arns),
        "RoleARN": stack.role_arn,
        "DisableRollback": stack.disable_rollback,
        "EnableTerminationProtection": stack.termination_protection,
        "RollbackConfiguration": {},
    }


def owner(stack: Stack) -> dict[str, Any]:
    """Return which stack something belongs to."""
    return {"StackId": stack.stack_id, "StackName": stack.name}


def resource_view(resource: Resource) -> dict[str, Any]:
    """Return a resource."""
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.definition.type_name,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def event_view(stack: Stack, event: Event) -> dict[str, Any]:
    """Return a line of a stack's history."""
    return {
        **owner(stack),
        "EventId": event.event_id,
        "OperationId": event.operation_id,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type_name,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "Timestamp": event.timestamp,
    }


def declaration(key: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's declaration as GetTemplateSummary shows it."""
    default = entry.get("Default")
    return {
        "ParameterKey": key,
        "DefaultValue": None if default is None else str(default),
        "ParameterType": entry.get("Type", "String"),
        "NoEcho": str(entry.get("NoEcho", "")).lower() == "true",
        "Description": entry.get("Description"),
    }

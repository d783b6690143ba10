"""Templates: JSON or YAML text to definitions, with the sections checked for what is honoured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from local.cloudformation.errors import validation

#: Rules are knowingly not evaluated: the CDK's only one asks for a bootstrap version.
_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
}
_RESOURCE_KEYS = {
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
}
_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}


@dataclass(frozen=True)
class Definition:
    """One entry of a template's Resources, unresolved."""

    logical_id: str
    type_name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    condition: str | None = None
    depends_on: tuple[str, ...] = ()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    creation_policy: Mapping[str, Any] = field(default_factory=dict)
    update_policy: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    """A parsed template and the text it came from."""

    body: str = "{}"
    description: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Definition] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, and dates left as the text they are."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the shape of PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in entries if not tag.endswith(":timestamp")]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def parse(body: str) -> Template:
    """Return the template that a text holds.

    Raises: ServiceError when it is neither JSON nor YAML, lacks resources, or has a section or a
    resource attribute that nothing here honours.
    """
    document = _load(body)
    if unknown := sorted(set(document) - _SECTIONS):
        raise validation(f"Invalid template property or properties [{', '.join(unknown)}]")
    resources = document.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise validation("Template format error: At least one Resources member must be defined.")
    return Template(
        body=body,
        description=document.get("Description", ""),
        parameters=document.get("Parameters") or {},
        mappings=document.get("Mappings") or {},
        conditions=document.get("Conditions") or {},
        resources={name: _definition(name, entry) for name, entry in resources.items()},
        outputs=document.get("Outputs") or {},
    )


def _load(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except json.JSONDecodeError:
        try:
            document = yaml.load(body, Loader=_Loader)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as error:
            raise validation(f"Template format error: neither JSON nor YAML. {error}") from error
    if not isinstance(document, dict):
        raise validation("Template format error: unsupported structure.")
    return document


def _definition(name: str, entry: Any) -> Definition:
    if not isinstance(entry, dict) or not isinstance(entry.get("Type"), str):
        raise validation(f"Template format error: Resource {name} must have a Type.")
    if unknown := sorted(set(entry) - _RESOURCE_KEYS):
        raise validation(f"Invalid template resource property '{unknown[0]}' of {name}")
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        if entry.get(key, "Delete") not in _POLICIES:
            allowed = ", ".join(sorted(_POLICIES))
            raise validation(f"{key} {entry[key]!r} of {name} is unknown; allowed: {allowed}")
    if others := sorted(set(entry.get("CreationPolicy") or {}) - {"ResourceSignal"}):
        raise validation(
            f"CreationPolicy {others[0]} of {name} is not played here; allowed: ResourceSignal"
        )
    depends_on = entry.get("DependsOn") or ()
    return Definition(
        logical_id=name,
        type_name=entry["Type"],
        properties=entry.get("Properties") or {},
        condition=entry.get("Condition"),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        deletion_policy=entry.get("DeletionPolicy", "Delete"),
        update_replace_policy=entry.get("UpdateReplacePolicy", "Delete"),
        creation_policy=entry.get("CreationPolicy") or {},
        update_policy=entry.get("UpdatePolicy") or {},
        metadata=entry.get("Metadata") or {},
    )

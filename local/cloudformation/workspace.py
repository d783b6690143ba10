"""What the engine works with: clients, hosts, handlers; and the resolution for one stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.clients import ACCOUNT, REGION, Clients
from local.cloudformation.errors import DeploymentError, validation
from local.cloudformation.intrinsics import Lookup, Resolver
from local.cloudformation.model import Resource, Stack, Target
from local.cloudformation.store import Store
from local.cloudformation.template import Definition, Template
from local.hosts import Hosts
from local.resources import handler_for
from local.resources.base import ANY_PROPERTY, Context, ResourceHandler, UnsupportedTypeError
from local.signals import Signals


@dataclass(frozen=True)
class Workspace:
    """The surroundings of every operation. `endpoint` is the embedded AWS's own URL."""

    store: Store
    clients: Clients
    hosts: Hosts
    endpoint: str
    signals: Signals
    handler_for: Callable[[str], ResourceHandler] = handler_for

    def resolver(self, stack: Stack, target: Target, lookup: Lookup) -> Resolver:
        """Return the resolver of a target's template for a stack."""
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NotificationARNs": list(stack.notification_arns),
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": stack.stack_id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        values = {key: parameter.value for key, parameter in target.parameters.items()}
        return Resolver(target.template, {**pseudo, **values}, lookup)

    def context(
        self,
        stack: Stack,
        definition: Definition,
        policies: Mapping[str, Any],
        generation: int,
    ) -> Context:
        """Return a handler's context for one resource."""
        return Context(
            clients=self.clients,
            account=ACCOUNT,
            region=REGION,
            stack_name=stack.name,
            stack_id=stack.stack_id,
            logical_id=definition.logical_id,
            type_name=definition.type_name,
            hosts=self.hosts,
            endpoint=self.endpoint,
            generation=generation,
            update_policy=policies.get("UpdatePolicy", {}),
            creation_policy=policies.get("CreationPolicy", {}),
            signals=self.signals,
            tags=stack.state.target.tags,
        )

    def refuse_unsupported(self, template: Template) -> None:
        """Raise ServiceError naming every type and property that no handler honours."""
        problems = []
        for definition in template.resources.values():
            try:
                honoured = self.handler_for(definition.type_name).properties
            except UnsupportedTypeError as error:
                problems.append(f"{error} ({definition.logical_id})")
                continue
            if honoured is ANY_PROPERTY:
                continue
            problems += [
                f"The embedded AWS does not support property {name} "
                f"of {definition.type_name} ({definition.logical_id})"
                for name in sorted(set(definition.properties) - honoured)
            ]
        if problems:
            raise validation("; ".join(problems))


class Deployed:
    """Looks values up in what is deployed, and remembers the exports that were imported."""

    def __init__(self, store: Store, resources: Callable[[], Mapping[str, Resource]]) -> None:
        self._store = store
        self._resources = resources
        self.imports: set[str] = set()

    def reference(self, logical_id: str) -> Any:
        """Return the physical id."""
        return self._resource(logical_id).physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute's value."""
        resource = self._resource(logical_id)
        if name not in resource.attributes:
            known = ", ".join(sorted(resource.attributes)) or "none"
            raise DeploymentError(
                f"Fn::GetAtt {logical_id}.{name}: {resource.definition.type_name} has no such "
                f"attribute in the embedded AWS; it has {known}"
            )
        return resource.attributes[name]

    def imported(self, name: str) -> Any:
        """Return an export's value."""
        exports = self._store.exports()
        if name not in exports:
            raise DeploymentError(f"No export named {name} found.")
        self.imports.add(name)
        return exports[name][1].value

    def output(self, stack: str, name: str) -> Any:
        """Return an output of a living stack, exported or not."""
        found = self._store.named(stack)
        if found is None or name not in found.state.outputs:
            raise DeploymentError(f"Stack {stack} does not exist or has no output {name}")
        return found.state.outputs[name].value

    def _resource(self, logical_id: str) -> Resource:
        resources = self._resources()
        if logical_id not in resources:
            raise DeploymentError(f"Unresolved resource dependency [{logical_id}]")
        return resources[logical_id]

"""What the service remembers of stacks. Mutable only under the store's and the stack's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.cloudformation.parameters import Parameter
from local.cloudformation.template import Definition, Template


@dataclass(frozen=True)
class Resource:
    """One deployed resource.

    `properties` are resolved except for dynamic references, and are what an update is compared
    with; `applied` is what the handler got. `needs` are the logical ids it was created after.
    """

    definition: Definition
    physical_id: str
    attributes: Mapping[str, object]
    properties: Mapping[str, Any]
    applied: Mapping[str, Any]
    policies: Mapping[str, Any]
    needs: frozenset[str]
    generation: int
    status: str
    changed: datetime
    reason: str | None = None

    @property
    def logical_id(self) -> str:
        """The name in the template."""
        return self.definition.logical_id


@dataclass(frozen=True)
class Output:
    """One output of a stack; `export` is its export's name."""

    key: str
    value: str
    description: str = ""
    export: str | None = None


@dataclass(frozen=True)
class Target:
    """What a stack is to become."""

    template: Template = field(default_factory=Template)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What a stack is: a target reached, with the resources and outputs that it led to."""

    target: Target = field(default_factory=Target)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    event_id: str
    logical_id: str
    physical_id: str
    type_name: str
    status: str
    reason: str | None
    timestamp: datetime
    operation_id: str


@dataclass(frozen=True)
class ChangeSet:
    """A planned change, as described and executed."""

    change_set_id: str
    name: str
    kind: str
    target: Target
    changes: tuple[Mapping[str, Any], ...]
    status: str
    execution_status: str
    created: datetime
    description: str = ""
    reason: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One resource that an operation changed: what it was, and what it became.

    `before` is None for a resource that was created. `attempted` are the properties that the
    handler got; `after` is None when it failed with them.
    """

    logical_id: str
    before: Resource | None
    attempted: Mapping[str, Any]
    after: Resource | None


@dataclass(frozen=True)
class Unfinished:
    """What a failed operation leaves: the state to go back to, and the steps to undo."""

    before: State
    steps: tuple[Step, ...]


@dataclass
class Stack:
    """One stack. `unfinished` is what a failed operation left to be rolled back to."""

    name: str
    stack_id: str
    created: datetime
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    state: State = field(default_factory=State)
    updated: datetime | None = None
    deleted: datetime | None = None
    termination_protection: bool = False
    disable_rollback: bool = False
    role_arn: str | None = None
    notification_arns: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    policy: str | None = None
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    unfinished: Unfinished | None = None
    operation_id: str = ""

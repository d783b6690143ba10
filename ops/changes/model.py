"""The words of a comparison: what changed, how, and what that may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Template = Mapping[str, Any]
#: Templates by stack, under any name that both sides share: the stack's own, or its role.
Templates = Mapping[str, Template]
#: Stack and logical id.
Key = tuple[str, str]


class Action(StrEnum):
    """What CloudFormation does to a resource."""

    ADDED = "added"
    CHANGED = "changed"
    #: Replaced only where the service cannot change the property in place.
    MAYBE_REPLACED = "maybe replaced"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True)
class PropertyChange:
    """One value of a resource; None on the side that has none.

    `path` is dotted and starts below `Properties` (`Tags.0.Value`); a resource's own attributes
    stand by their name (`DeletionPolicy`).
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class ResourceChange:
    """One resource that differs.

    `path` is the construct's path where the template names it, else the logical id. `holds` says
    what data the resource holds by the mark of either side, None when neither marks it; `unmarked`
    that the new side dropped the mark. `reasons` says why it is replaced, one phrase each.
    `renamed_to` is the new logical id of the same construct: to CloudFormation a removal and an
    addition. `kept` tells whether the old physical resource stays, by the policy in force.
    """

    stack: str
    logical_id: str
    type_name: str
    action: Action
    path: str
    properties: tuple[PropertyChange, ...] = ()
    reasons: tuple[str, ...] = ()
    holds: str | None = None
    unmarked: bool = False
    renamed_to: str | None = None
    kept: bool = False


@dataclass(frozen=True)
class OutputChange:
    """One output of a stack; `export` is its export's name, if it has one. None: not there."""

    stack: str
    name: str
    export: str | None
    before: Any
    after: Any


@dataclass(frozen=True)
class BrokenExport:
    """An export that goes away, or changes its value, while stacks still import it.

    `first` are its importers when all of them give it up and need nothing new: deployed alone,
    before the rest, they make the change possible. Empty when no order does.
    """

    stack: str
    export: str
    importers: tuple[str, ...]
    removed: bool
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Widening:
    """A permission or an opening that was not there before.

    `whose` is the construct path of the role, the resource or the security group; `what` one line.
    """

    stack: str
    whose: str
    what: str


@dataclass(frozen=True)
class Changes:
    """All that differs between two sets of templates; empty lists when nothing does."""

    resources: tuple[ResourceChange, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    broken_exports: tuple[BrokenExport, ...] = ()
    permissions: tuple[Widening, ...] = ()
    openings: tuple[Widening, ...] = ()
    stacks_added: tuple[str, ...] = ()
    stacks_removed: tuple[str, ...] = ()
    #: How many resources both sides hold unchanged.
    unchanged: int = field(default=0, compare=False)

    def __bool__(self) -> bool:
        """Tell whether a deploy would change anything."""
        return bool(self.resources or self.outputs or self.stacks_added or self.stacks_removed)

    def of(self, *actions: Action) -> tuple[ResourceChange, ...]:
        """Return the resources with one of the actions."""
        return tuple(each for each in self.resources if each.action in actions)


class Kind(StrEnum):
    """Why a change is a danger."""

    #: The resource that holds data becomes another one (or may).
    REPLACED = "replaced"
    #: The resource that holds data leaves its stack, its stack goes, or its logical id changes.
    REMOVED = "removed"
    #: CloudFormation refuses it half-way: another stack still imports the value.
    EXPORT = "export"


@dataclass(frozen=True)
class Danger:
    """What must not be deployed as it is. `subject` is a logical id, or an export's name.

    `sentence` says what would happen, `remedy` how to do it properly; one sentence each.
    """

    kind: Kind
    stack: str
    subject: str
    sentence: str
    remedy: str
    #: Of an export: stacks that are to be deployed alone before the rest, and then it is none.
    first: tuple[str, ...] = ()

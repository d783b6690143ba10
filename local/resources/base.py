"""The seam between the CloudFormation engine and the handlers, one handler a resource type."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.clients import Clients
from local.clock import SystemClock
from local.hosts import Hosts
from local.signals import Signals

_HASH_LENGTH = 12

#: For a handler that takes whatever the template says (custom resources).
ANY_PROPERTY: frozenset[str] = frozenset({"*"})


class UnsupportedTypeError(ValueError):
    """A resource type that the embedded AWS does not have."""

    def __init__(self, type_name: str) -> None:
        super().__init__(f"The embedded AWS does not support resource type {type_name}")
        self.type_name = type_name


@dataclass(frozen=True)
class Applied:
    """What a handler made: the value of Ref, and the values of Fn::GetAtt by attribute name."""

    physical_id: str
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Where a handler works, and for which resource of which stack.

    `generation` counts the replacements of a resource, so that the successor's generated name
    differs. `update_policy` and `creation_policy` are the resource's attributes of those names,
    resolved; `signals` are those that instances send. `tags` are the stack's.
    """

    clients: Clients
    account: str
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    hosts: Hosts
    endpoint: str
    type_name: str = ""
    generation: int = 0
    update_policy: Mapping[str, Any] = field(default_factory=dict)
    creation_policy: Mapping[str, Any] = field(default_factory=dict)
    signals: Signals = field(default_factory=lambda: Signals(SystemClock()))
    tags: Mapping[str, str] = field(default_factory=dict)

    def unique_name(self, *, max_length: int = 64, lower: bool = False) -> str:
        """Return `<stack>-<logical id>-<hash>`, the same for the same resource and generation.

        The hash stays whole; stack and logical id are shortened to fit `max_length` (at least
        20). `lower` gives lower case, for buckets and their like.
        """
        identity = f"{self.stack_id}|{self.logical_id}|{self.generation}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:_HASH_LENGTH]
        room = max_length - _HASH_LENGTH - 2
        logical = self.logical_id[: max(room - len(self.stack_name), room // 2)]
        stack = self.stack_name[: room - len(logical)].rstrip("-")
        name = f"{stack}-{logical}-{digest}"
        return name.lower() if lower else name


class ResourceHandler(Protocol):
    """Creates, changes and deletes resources of one type."""

    @property
    def type_name(self) -> str:
        """`AWS::SQS::Queue`."""

    @property
    def properties(self) -> frozenset[str]:
        """Top-level properties that are honoured; any other fails the deploy, by name."""

    @property
    def replace_on(self) -> frozenset[str]:
        """Properties whose change replaces the resource."""

    def create(self, context: Context, properties: Mapping[str, Any]) -> Applied:
        """Make the resource; on an error nothing of it stays behind."""

    def update(
        self,
        context: Context,
        physical_id: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
    ) -> Applied:
        """Bring the resource from its old properties to the new ones.

        When the answer has another physical id, the engine deletes the former resource in its
        clean-up, once nothing refers to it any more.
        """

    def delete(self, context: Context, physical_id: str, properties: Mapping[str, Any]) -> None:
        """Remove the resource; one that is gone already is fine."""

"""The stacks, in memory: looked up by name or id, one operation on a stack at a time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from local.clock import Clock
from local.cloudformation.errors import no_such_stack, validation
from local.cloudformation.model import Event, Output, Resource, Stack

STACK_TYPE = "AWS::CloudFormation::Stack"


class Store:
    """Stacks and their history. Every method may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._stacks: dict[str, Stack] = {}

    def now(self) -> datetime:
        """Return the clock's time."""
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def add(self, stack: Stack) -> None:
        """Remember a new stack.

        Raises: ServiceError when one of that name exists.
        """
        with self._lock:
            if self.named(stack.name):
                raise validation(f"Stack [{stack.name}] already exists")
            self._stacks[stack.stack_id] = stack

    def named(self, name: str) -> Stack | None:
        """Return the stack of that name that is not deleted, if there is one."""
        with self._lock:
            living = (stack for stack in self._stacks.values() if stack.deleted is None)
            return next((stack for stack in living if stack.name == name), None)

    def find(self, name: str) -> Stack:
        """Return a stack by name, or by id even when it is deleted.

        Raises: ServiceError when there is none.
        """
        with self._lock:
            stack = self._stacks.get(name) or self.named(name)
        if stack is None:
            raise no_such_stack(name)
        return stack

    def all(self) -> list[Stack]:
        """Return every stack, deleted ones included, newest first."""
        with self._lock:
            return list(self._stacks.values())[::-1]

    def begin(self, stack: Stack, status: str, unless: Callable[[str], bool]) -> None:
        """Set a stack to an `_IN_PROGRESS` status; the one who did may go on.

        Raises: ServiceError when an operation is going on, or `unless` says so of the status.
        """
        with self._lock:
            busy = stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS"
            if busy or unless(stack.status):
                raise validation(
                    f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
                )
            stack.status, stack.reason = status, None

    def set_status(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """Set the status and tell it in the history.

        The stack's own event comes first: whoever polls the status finds the history complete.
        """
        self.tell(stack, (stack.name, stack.stack_id, STACK_TYPE), status, reason)
        with self._lock:
            stack.status, stack.reason = status, reason
            if status == "DELETE_COMPLETE":
                stack.deleted = self.now()

    def tell(
        self, stack: Stack, what: tuple[str, str, str], status: str, reason: str | None = None
    ) -> None:
        """Add to the history; `what` is logical id, physical id and type."""
        with self._lock:
            stack.events.append(
                Event(str(uuid.uuid4()), *what, status, reason, self.now(), stack.operation_id)
            )

    def put(self, stack: Stack, resource: Resource) -> None:
        """Record a resource as it now is."""
        with self._lock:
            resources = {**stack.state.resources, resource.logical_id: resource}
            stack.state = replace(stack.state, resources=resources)

    def drop(self, stack: Stack, logical_id: str) -> None:
        """Forget a resource."""
        with self._lock:
            resources = dict(stack.state.resources)
            resources.pop(logical_id, None)
            stack.state = replace(stack.state, resources=resources)

    def exports(self) -> dict[str, tuple[Stack, Output]]:
        """Return the exports of all living stacks by name."""
        with self._lock:
            return {
                output.export: (stack, output)
                for stack in self._stacks.values()
                if stack.deleted is None
                for output in stack.state.outputs.values()
                if output.export
            }

    def importers(self, export: str) -> list[str]:
        """Return the names of the stacks that import an export."""
        with self._lock:
            return sorted(
                stack.name
                for stack in self._stacks.values()
                if stack.deleted is None and export in stack.state.imports
            )

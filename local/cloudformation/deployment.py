"""Create and update: bring a stack to a target, or back to where it was."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

from local.cloudformation import outputs, rollback
from local.cloudformation.errors import DeploymentError
from local.cloudformation.graph import dependencies
from local.cloudformation.model import Resource, Stack, State, Step, Target, Unfinished
from local.cloudformation.steps import Steps
from local.cloudformation.wanted import Wanted, active_definitions, resolve_resource
from local.cloudformation.workspace import Deployed, Workspace

_LOG = logging.getLogger(__name__)
#: Resources of one stack that are worked on at the same time: hosts start, functions run.
PARALLEL = 4


def deploy(
    workspace: Workspace, stack: Stack, target: Target, *, verb: str, disable_rollback: bool
) -> None:
    """Bring `stack` to `target`. Its status is `<verb>_IN_PROGRESS` already.

    `verb` is CREATE or UPDATE. Never raises for what a template or a handler gets wrong: the
    stack's status and history tell it.
    """
    Deployment(workspace, stack, target, verb).run(disable_rollback=disable_rollback)


class Deployment:
    """One create or update."""

    def __init__(self, workspace: Workspace, stack: Stack, target: Target, verb: str) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._stack = stack
        self._target = target
        self._verb = verb
        earlier = stack.unfinished
        self._before = earlier.before if earlier else stack.state
        self._steps: list[Step] = list(earlier.steps) if earlier else []
        self._lock = threading.Lock()
        self._lookup = Deployed(self._store, lambda: stack.state.resources)
        self._resolver = workspace.resolver(stack, target, self._lookup)
        self._do = Steps(workspace, stack)

    def run(self, *, disable_rollback: bool) -> None:
        """Apply the target; on a failure go back, unless told to stay."""
        stack = self._stack
        stack.state = replace(
            stack.state, target=replace(stack.state.target, tags=self._target.tags)
        )
        try:
            self._apply()
            self._conclude()
        except Exception as error:
            if not isinstance(error, DeploymentError):
                _LOG.exception("deployment of %s", stack.name)
            stack.unfinished = Unfinished(self._before, tuple(self._steps))
            reason = str(error)
            if disable_rollback:
                self._store.set_status(stack, f"{self._verb}_FAILED", reason)
            else:
                rollback.roll_back(self._workspace, stack, verb=self._verb, reason=reason)

    def _apply(self) -> None:
        active = active_definitions(self._target.template, self._resolver)
        needs = {name: dependencies(definition, active) for name, definition in active.items()}

        def one(name: str) -> None:
            try:
                wanted = resolve_resource(self._resolver, active[name], needs[name])
            except DeploymentError as error:
                raise DeploymentError(f"{name}: {error}") from error
            self._settle(wanted)

        _each_after_its_needs(needs, one)
        self._active = frozenset(active)

    def _settle(self, wanted: Wanted) -> None:
        name = wanted.definition.logical_id
        current = self._stack.state.resources.get(name)
        if current is None:
            self._create(wanted, None)
        elif current.properties == wanted.properties and current.policies == wanted.policies:
            kept = replace(current, definition=wanted.definition, needs=wanted.needs)
            self._store.put(self._stack, kept)
        elif self._replaces(current, wanted):
            self._create(wanted, current)
        else:
            self._update(wanted, current)

    def _replaces(self, current: Resource, wanted: Wanted) -> bool:
        handler = self._workspace.handler_for(wanted.definition.type_name)
        return any(
            current.properties.get(name) != wanted.properties.get(name)
            for name in handler.replace_on
        )

    def _create(self, wanted: Wanted, current: Resource | None) -> None:
        generation = current.generation + 1 if current else 0
        applied = self._resolved(wanted)
        made = self._do.create(wanted, applied, generation)
        self._remember(Step(made.logical_id, current, applied, made))

    def _update(self, wanted: Wanted, current: Resource) -> None:
        applied = self._resolved(wanted)
        name = wanted.definition.logical_id
        try:
            after = self._do.update(wanted, applied, current, current.applied)
        except DeploymentError:
            self._remember(Step(name, current, applied, None))
            raise
        self._remember(Step(name, current, applied, after))

    def _resolved(self, wanted: Wanted) -> Any:
        try:
            return self._do.applied(wanted)
        except DeploymentError as error:
            raise DeploymentError(f"{wanted.definition.logical_id}: {error}") from error

    def _remember(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)

    def _conclude(self) -> None:
        found = outputs.resolve(self._target.template, self._resolver)
        outputs.refuse_conflicts(self._store, self._stack, found)
        stack = self._stack
        stack.state = State(
            target=self._target,
            resources=stack.state.resources,
            outputs=found,
            imports=frozenset(self._lookup.imports),
        )
        if self._verb == "UPDATE":
            self._store.set_status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self._clean_up()
        stack.unfinished = None
        self._store.set_status(stack, f"{self._verb}_COMPLETE")

    def _clean_up(self) -> None:
        """Delete what was replaced or left out; a failure leaves it behind and is only told."""
        replaced = [
            (step.before, step.before.definition.update_replace_policy)
            for step in self._steps
            if step.before and step.after and step.before.physical_id != step.after.physical_id
        ]
        removed = [
            (resource, resource.definition.deletion_policy)
            for name, resource in self._stack.state.resources.items()
            if name not in self._active
        ]
        for resource, policy in replaced[::-1] + rollback.in_delete_order(removed):
            if resource.logical_id not in self._active:
                self._store.drop(self._stack, resource.logical_id)
            try:
                self._do.delete(resource, policy=policy)
            except DeploymentError:
                continue


def _each_after_its_needs(needs: Any, work: Callable[[str], None]) -> None:
    """Call `work` with every name, after those it needs, several at a time.

    Raises: what the first failing call raised, once the running ones are done.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter(needs)
    sorter.prepare()
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(PARALLEL) as pool:
        while sorter.is_active():
            for name in sorter.get_ready():
                running[pool.submit(work, name)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            failed = [future for future in done if future.exception()]
            if failed:
                pool.shutdown(wait=True, cancel_futures=True)
                failed[0].result()
            for future in done:
                sorter.done(running.pop(future))

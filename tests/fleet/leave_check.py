"""Visits every state of a scenario, breadth first, up to the first that breaks a promise."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.fleet.leave_model import Scenario, World, broken
from tests.fleet.leave_steps import steps


@dataclass(frozen=True)
class Verdict:
    """How many states there are, and the promise that one breaks, with the shortest way there.

    `happened` are the labels of all steps.
    """

    states: int
    happened: frozenset[str]
    fault: str = ""
    trace: tuple[str, ...] = ()


class Explorer:
    """The graph of a scenario's reachable states."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._worlds: list[World] = []
        self._came: list[tuple[int, str]] = []
        self._fair_into: list[list[int]] = []
        self._happened: set[str] = set()

    def verdict(self) -> Verdict:
        """Check safety in each state and step, then that rest can be reached from everywhere."""
        fault = self._explore()
        if fault is not None:
            return fault
        restless = self._restless()
        if restless is None:
            return Verdict(len(self._worlds), frozenset(self._happened))
        return self._at(restless, "never comes to rest", "")

    def _explore(self) -> Verdict | None:
        number: dict[World, int] = {}

        def visit(world: World, came: tuple[int, str]) -> int:
            found = number.setdefault(world, len(number))
            if found == len(self._worlds):
                self._worlds.append(world)
                self._came.append(came)
                self._fair_into.append([])
            return found

        visit(self._scenario.first, (-1, ""))
        at = 0
        while at < len(self._worlds):
            world = self._worlds[at]
            if fault := broken(world):
                return self._at(at, fault, "")
            for step in steps(self._scenario, world):
                if step.broken:
                    return self._at(at, step.broken, step.label)
                self._happened.add(step.label)
                after = visit(step.after, (at, step.label))
                if step.fair:
                    self._fair_into[after].append(at)
            at += 1
        return None

    def _restless(self) -> int | None:
        """Return the first state from which fair steps alone cannot lead to rest."""
        rests = self._scenario.rests
        resting = [at for at, world in enumerate(self._worlds) if rests(world._replace(unsent=0))]
        reached, waiting = set(resting), deque(resting)
        while waiting:
            for before in self._fair_into[waiting.popleft()]:
                if before not in reached:
                    reached.add(before)
                    waiting.append(before)
        return next((at for at in range(len(self._worlds)) if at not in reached), None)

    def _at(self, at: int, fault: str, label: str) -> Verdict:
        labels = [label] if label else []
        while at > 0:
            at, label = self._came[at]
            labels.append(label)
        happened = frozenset(self._happened)
        return Verdict(len(self._worlds), happened, fault, tuple(reversed(labels)))

"""The instances of a group, counted by state and market."""

from __future__ import annotations

from collections.abc import Iterator

from ops.simulate.instance import Instance, State


class Members:
    """Every instance from its launch until it begins to end, in the order of their launches."""

    def __init__(self) -> None:
        self._all: dict[Instance, None] = {}
        self._count = dict.fromkeys(State, 0)
        self.on_demand = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._all)

    @property
    def busy(self) -> int:
        """Return the instances that have a job."""
        return sum(1 for each in self._all if each.running)

    def count(self, state: State) -> int:
        """Return the instances in a state."""
        return self._count[state]

    def add(self, instance: Instance) -> None:
        """Take in a launched instance."""
        self._all[instance] = None
        self._count[instance.state] += 1
        self.on_demand += not instance.spot

    def become(self, instance: Instance, state: State) -> None:
        """Change an instance's state; one that is GONE is no member any more."""
        self._count[instance.state] -= 1
        instance.state = state
        if state is State.GONE:
            del self._all[instance]
            self.on_demand -= not instance.spot
        else:
            self._count[state] += 1

"""How large a fleet should be. Pure: the same facts give the same decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capacity:
    """An Auto Scaling group's desired, smallest and largest number of instances."""

    desired: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Facts:
    """What is known about a fleet; None is what could not be found out.

    `backlog` counts jobs that wait or run, so capacity that still boots is part of the answer.
    """

    backlog: int | None
    capacity: Capacity | None


def decide(facts: Facts) -> int | None:
    """Return the desired capacity to set, or None to leave the fleet alone.

    One instance a job within the group's limits, and only ever more than there is: idle workers
    end themselves. Missing data changes nothing.
    """
    if facts.backlog is None or facts.capacity is None:
        return None
    capacity = facts.capacity
    wanted = max(capacity.minimum, min(facts.backlog, capacity.maximum))
    return wanted if wanted > capacity.desired else None

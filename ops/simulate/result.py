"""What a simulated run was: how long jobs waited, what was paid, and what was lost."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sample:
    """The fleet at a whole minute.

    `alive` counts instances that are paid for, `in_service` those of them whose worker polls, and
    `busy` those of them that have a job. `running` jobs are in flight, so that those of a killed
    worker are among them until their visibility ends.
    """

    at_s: float
    waiting: int
    running: int
    alive: int
    in_service: int
    busy: int


@dataclass
class Result:
    """One run. Seconds of instances count from launch to end.

    `arrivals_s` and `waits_s` belong together, by job in order of its first start; jobs that never
    started are in `unstarted`. `busy_kills` are busy workers ended by a smaller capacity,
    `rework_s` the work that was done twice. Every job is done, dead (DLQ), or left.
    """

    policy: str
    arrivals_s: array[float] = field(default_factory=lambda: array("d"))
    waits_s: array[float] = field(default_factory=lambda: array("d"))
    samples: list[Sample] = field(default_factory=list)
    arrived: int = 0
    done: int = 0
    dead: int = 0
    left: int = 0
    unstarted: int = 0
    launched: int = 0
    spot_instance_s: float = 0.0
    on_demand_instance_s: float = 0.0
    stopped_s: float = 0.0
    busy_kills: int = 0
    spot_losses: int = 0
    failed_boots: int = 0
    rework_s: float = 0.0
    peak: int = 0
    ended_s: float = 0.0

    @property
    def instance_s(self) -> float:
        """Return the seconds that instances ran, from launch to end."""
        return self.spot_instance_s + self.on_demand_instance_s

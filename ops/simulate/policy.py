"""What a scaling policy is shown and may do: ours and the peers' rules meet the same fleet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lambdas.queue_depth_metric.sizing import Boots
from ops.simulate.fleet import Fleet

NO_BOOTS = Boots()


@dataclass(frozen=True, slots=True)
class View:
    """A fleet at one moment, as its metrics show it then.

    `waiting` jobs lie visible in the queue and `running` ones are in flight. `desired` includes
    instances that boot. `mean_job_s` is the mean of the latest jobs, None before the first.
    `oldest_s` is the age of the longest waiting job, None when none waits.
    `spot_losses` instances were announced as taken back within `on_demand_s` of the fleet's rules.
    """

    now_s: float
    waiting: int
    running: int
    desired: int
    minimum: int
    maximum: int
    booting: int
    in_service: int
    draining: int
    mean_job_s: float | None
    oldest_s: float | None = None
    boots: Boots = NO_BOOTS
    spot_losses: int = 0


class Policy(Protocol):
    """Asked every `every_s` seconds for the desired capacity; it may keep what it was shown.

    With `metric_delay_s` it sees `waiting` and `running` as CloudWatch shows them: the latest whole
    minute that is at least so old; None: as they are, since it asks queue or database itself.
    With `protected` no busy worker is ended by a smaller capacity. Workers that find nothing for
    `idle_s` end themselves and their place, None: they stay until the policy takes them away.
    """

    name: str
    every_s: float
    metric_delay_s: float | None
    protected: bool
    idle_s: float | None

    def decide(self, view: View) -> int | None:
        """Return the desired capacity to set, None to leave it."""
        ...


@runtime_checkable
class Market(Protocol):
    """A policy that also says how many per cent of the instances to come are Spot."""

    def spot_percent(self, view: View) -> int:
        """Return 0 to 100."""
        ...


#: Makes a policy with a memory of its own for one run over a fleet.
Maker = Callable[[Fleet], Policy]

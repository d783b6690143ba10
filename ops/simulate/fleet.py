"""A fleet as its template and settings describe it, and the weather that it works in."""

from __future__ import annotations

from dataclasses import dataclass

from config.contracts.fleet_rules import FleetRules


@dataclass(frozen=True)
class WarmPool:
    """So many stopped instances: `minimum` always, and as many as with the group's make `prepared`.

    `reuse`: one that leaves is stopped again, instead of ended and replaced by one that boots.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html
    """

    minimum: int
    prepared: int
    reuse: bool

    def beside(self, desired: int) -> int:
        """Return how many stand beside a group of `desired` instances."""
        return max(self.minimum, self.prepared - desired)


@dataclass(frozen=True)
class Backstop:
    """The template's step policy: instances to add from so many waiting jobs on, fewest first.

    The alarm looks at the last `minutes`; what it added is part of its step for `warm_up_s`.
    """

    steps: tuple[tuple[float, int], ...]
    minutes: int
    warm_up_s: float


@dataclass(frozen=True)
class Tariff:
    """Dollars for an instance's hour with its disks and address, and for its disks alone."""

    on_demand_usd: float
    spot_usd: float
    stopped_usd: float


@dataclass(frozen=True)
class Fleet:
    """What a policy works on: its rules, the group's limits, and how its workers behave.

    The first `on_demand_base` instances are on demand. A message that nobody extends comes back
    after `visibility_s`; after `max_receives` it goes to the DLQ. An interrupted job goes on from
    its last `checkpoint_s`, 0: it begins anew.
    """

    rules: FleetRules
    minimum: int
    maximum: int
    on_demand_base: int
    idle_s: float
    tick_s: float
    checkpoint_s: float
    visibility_s: float
    max_receives: int
    warm_pool: WarmPool | None
    backstop: Backstop | None
    tariff: Tariff


@dataclass(frozen=True)
class Weather:
    """What happens to a fleet that nobody decides. Shares are of 1.

    A boot takes `boot_s` of the rules times a uniform factor of `boot_spread`; a stopped instance
    works after `warm_start_s`. Spot takes an instance back `spot_losses_an_hour` times in an hour
    of its life: a guess above what AWS shows of most types, which is less than one in twenty in a
    month (https://aws.amazon.com/ec2/spot/instance-advisor/). `refused` launches find no capacity
    and are tried again; `failed_boots` end before their worker looks into the queue.
    """

    boot_spread: tuple[float, float] = (0.8, 1.2)
    warm_start_s: tuple[float, float] = (25.0, 50.0)
    spot_losses_an_hour: float = 0.02
    refused: float = 0.0
    failed_boots: float = 0.0

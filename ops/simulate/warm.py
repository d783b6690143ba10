"""A warm pool: instances that booted once and stand stopped beside the group."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from simpy import Environment

from ops.simulate.fleet import Fleet, Weather
from ops.simulate.result import Result
from ops.simulate.timers import after


class Pool:
    """Keeps stopped instances and those in service together at the pool's size.

    It begins full: a week is a piece of a year. `warmed` is told of the seconds that one booted
    only to be stopped. A warm pool holds on-demand instances alone.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
    """

    def __init__(
        self, env: Environment, fleet: Fleet, weather: Weather, random: Random, result: Result
    ) -> None:
        self._env, self._weather, self._random, self._result = env, weather, random, result
        self._boot_s = fleet.rules.boot_s
        self._size = fleet.warm_pool.size if fleet.warm_pool else 0
        self._reuse = bool(fleet.warm_pool and fleet.warm_pool.reuse)
        self._warming = 0
        self._ready = self._size
        self._since_s = 0.0
        self.warmed: Callable[[float], None] = lambda seconds: None

    def take(self) -> bool:
        """Start a stopped instance; False when none is ready."""
        if not self._ready:
            return False
        self._stand(-1)
        return True

    def give_back(self, in_group: int) -> bool:
        """Stop one that leaves `in_group` others behind, where that is allowed and wanted."""
        if not self._reuse or self._standing + in_group >= self._size:
            return False
        self._stand(1)
        return True

    def fill(self, in_group: int) -> None:
        """Boot what is missing beside `in_group` instances, and stop it."""
        while self._standing + in_group < self._size:
            self._warming += 1
            boot_s = self._boot_s * self._random.uniform(*self._weather.boot_spread)
            after(self._env, boot_s, partial(self._stop, boot_s))

    def close(self) -> None:
        """Count the time that instances stood until now."""
        self._stand(0)

    @property
    def _standing(self) -> int:
        return self._ready + self._warming

    def _stop(self, boot_s: float) -> None:
        self._warming -= 1
        self.warmed(boot_s)
        self._stand(1)

    def _stand(self, more: int) -> None:
        self._result.stopped_s += self._ready * (self._env.now - self._since_s)
        self._since_s = self._env.now
        self._ready += more

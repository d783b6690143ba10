"""A warm pool: instances that booted once and stand stopped beside the group."""

from __future__ import annotations

from functools import partial

from simpy import Environment

from ops.simulate.bill import Bill
from ops.simulate.fleet import WarmPool
from ops.simulate.luck import Luck
from ops.simulate.result import Result
from ops.simulate.timers import after

_NONE = WarmPool(0, 0, reuse=False)


class Pool:
    """Keeps as many stopped instances as a warm pool asks for beside `desired` of the group.

    It begins full: a week is a piece of a year. A warm pool holds on-demand instances alone.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
    """

    def __init__(
        self, env: Environment, pool: WarmPool | None, *, luck: Luck, bill: Bill, result: Result
    ) -> None:
        self._env, self._pool, self._luck = env, pool or _NONE, luck
        self._bill, self._result = bill, result
        self._warming = 0
        self._ready = self._pool.beside(0)
        self._since_s = 0.0

    def take(self) -> bool:
        """Start a stopped instance; False when none is ready."""
        if not self._ready:
            return False
        self._stand(-1)
        return True

    def give_back(self, desired: int) -> bool:
        """Stop one that leaves a group of `desired`, where that is allowed and one is missing."""
        if not self._pool.reuse or self._missing(desired) <= 0:
            return False
        self._stand(1)
        return True

    def fill(self, desired: int) -> None:
        """Boot what is missing beside a group of `desired`, and stop it."""
        for _ in range(self._missing(desired)):
            self._warming += 1
            boot_s = self._luck.boot_s()
            after(self._env, boot_s, partial(self._stop, boot_s))

    def close(self) -> None:
        """Count the time that instances stood until now."""
        self._stand(0)

    def _missing(self, desired: int) -> int:
        return self._pool.beside(desired) - self._ready - self._warming

    def _stop(self, boot_s: float) -> None:
        self._warming -= 1
        self._bill.prepared(boot_s)
        self._stand(1)

    def _stand(self, more: int) -> None:
        self._result.stopped_s += self._ready * (self._env.now - self._since_s)
        self._since_s = self._env.now
        self._ready += more

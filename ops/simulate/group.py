"""An Auto Scaling group as EC2 runs it: launches, boots, protection, Spot, and the bill."""

from __future__ import annotations

import math
from collections import deque

from simpy import Environment

from config.contracts.boot_records import BootRecord
from lambdas.queue_depth_metric.breaker import BootEnd
from ops.simulate.bill import Bill
from ops.simulate.fleet import Fleet
from ops.simulate.instance import Instance, State
from ops.simulate.jobs import Jobs
from ops.simulate.luck import Luck
from ops.simulate.members import Members
from ops.simulate.policy import Policy
from ops.simulate.result import Result
from ops.simulate.timers import after
from ops.simulate.warm import Pool

#: Seconds in which a worker that was noticed hands its jobs back; it looks for notices each 5 s.
DRAIN_S = 5.0
#: Seconds after which Auto Scaling tries again where there was no capacity, and at the earliest an
#: idle worker which the minimum kept.
RETRY_S = 60.0


class Group:
    """Instances between a minimum and a maximum. `desired` counts those that boot and drain, too.

    An idle worker leaves by itself and takes its place along, unless the group is at its minimum.
    A smaller desired capacity ends any instance, or with a protected policy idle ones, and busy
    ones when they become idle.
    """

    def __init__(
        self,
        env: Environment,
        fleet: Fleet,
        policy: Policy,
        *,
        jobs: Jobs,
        luck: Luck,
        result: Result,
    ) -> None:
        self._env, self._fleet, self._policy = env, fleet, policy
        self._jobs, self._luck, self._result = jobs, luck, result
        self.members = Members()
        self._refused = 0
        self._bill = Bill(result)
        self._pool = Pool(env, fleet.warm_pool, luck=luck, bill=self._bill, result=result)
        self.desired = fleet.minimum
        self.spot_percent = fleet.rules.spot_percent
        #: The latest, and enough of them to see an open breaker.
        self.boot_ends: deque[BootEnd] = deque(maxlen=fleet.rules.failed_boots + 1)
        self.losses_s: list[float] = []
        jobs.became_idle = self._idle

    def set_desired(self, wanted: int) -> None:
        """Go to a capacity, within the limits: launch what is missing, take away what may go."""
        self.desired = min(max(wanted, self._fleet.minimum), self._fleet.maximum)
        self.settle()

    def settle(self) -> None:
        """Launch instances until there are as many as desired, or end those that may be ended."""
        while len(self.members) + self._refused < self.desired:
            self._launch()
        surplus = len(self.members) + self._refused - self.desired
        if surplus > 0:
            given_up = min(surplus, self._refused)
            self._refused -= given_up
            self._take_away(surplus - given_up)
        self._pool.fill(self.desired)

    def close(self) -> None:
        """Pay for what still stands."""
        for instance in self.members:
            self._bill.until(instance, self._env.now)
        self._pool.close()

    def _launch(self) -> None:
        if self._luck.refuses():
            self._refused += 1
            after(self._env, RETRY_S, self._try_again)
            return
        warm = self._pool.take()
        instance = Instance(self._env.now, slots=self._fleet.rules.slots, spot=self._is_spot())
        self.members.add(instance)
        self._result.launched += 1
        self._result.peak = max(self._result.peak, len(self.members))
        fails = not warm and self._luck.fails()
        boot_s = self._luck.warm_start_s() if warm else self._luck.boot_s()
        after(self._env, boot_s, lambda: self._booted(instance, failed=fails))
        if instance.spot and (life_s := self._luck.spot_life_s()) < math.inf:
            after(self._env, life_s, lambda: self._noticed(instance))

    def _try_again(self) -> None:
        if self._refused:
            self._refused -= 1
            self.settle()

    def _is_spot(self) -> bool:
        """Draw the market; AWS warms no Spot instances, and a group with a pool asks for none."""
        if self._fleet.warm_pool or self.members.on_demand < self._fleet.on_demand_base:
            return False
        return self._luck.is_below(self.spot_percent)

    def _booted(self, instance: Instance, *, failed: bool) -> None:
        if instance.state is not State.BOOTING:
            return
        self._record(instance, failed=failed)
        if failed:
            self._result.failed_boots += 1
            self._give_up(instance)
            return
        self.members.become(instance, State.SERVING)
        self._jobs.serve(instance)
        if instance.is_idle:
            instance.idle_since_s = self._env.now
            self._idle(instance)

    def _record(self, instance: Instance, *, failed: bool) -> None:
        """Write the line that a boot leaves in the fleet's log."""
        took_s = self._env.now - instance.born_s
        record = BootRecord("i-simulated", failed, took_s, step="", reason="")
        self.boot_ends.append(BootEnd(self._env.now, record))

    def _give_up(self, instance: Instance) -> None:
        """End an instance that does not boot; at the minimum it stays a while, to be looked at."""
        if self.desired > self._fleet.minimum:
            self.desired -= 1
            self._end(instance)
        else:
            look_s = self._fleet.rules.probe_every_s
            after(self._env, look_s, lambda: self._drained(instance))

    def _idle(self, instance: Instance) -> None:
        if len(self.members) + self._refused > self.desired:
            self._end(instance)
        elif self._policy.idle_s is not None and not instance.watched:
            self._watch(instance, self._policy.idle_s)

    def _watch(self, instance: Instance, seconds: float) -> None:
        instance.watched = True
        after(self._env, seconds, lambda: self._look(instance))

    def _look(self, instance: Instance) -> None:
        """End an instance that was idle for long enough. One timer, however many jobs between."""
        idle_s = self._policy.idle_s
        instance.watched = False
        if not instance.is_idle or idle_s is None:
            return
        rest_s = instance.idle_since_s + idle_s - self._env.now
        if rest_s > 1e-6:
            self._watch(instance, rest_s)
        elif self.desired > self._fleet.minimum:
            self.desired -= 1
            self._end(instance)
        else:
            self._watch(instance, max(idle_s, RETRY_S))

    def _noticed(self, instance: Instance) -> None:
        """Spot takes an instance back: it drains, and the group replaces it or not."""
        if instance.state in (State.GONE, State.DRAINING):
            return
        self._result.spot_losses += 1
        self.losses_s.append(self._env.now)
        self.members.become(instance, State.DRAINING)
        self._jobs.stop(instance, hands_back=True)
        after(self._env, DRAIN_S, lambda: self._drained(instance))

    def _drained(self, instance: Instance) -> None:
        if instance.state is State.GONE:
            return
        if self._policy.idle_s is not None and self.desired > self._fleet.minimum:
            self.desired -= 1
        self._end(instance)
        self.settle()

    def _take_away(self, count: int) -> None:
        if not count:
            return
        may_go = (State.SERVING,) if self._policy.protected else (State.SERVING, State.BOOTING)
        candidates = [
            each
            for each in self.members
            if each.state in may_go and not (self._policy.protected and each.running)
        ]
        for instance in self._luck.sample(candidates, count):
            self._result.busy_kills += bool(instance.running)
            self._jobs.stop(instance, hands_back=False)
            self._end(instance)

    def _end(self, instance: Instance) -> None:
        self._jobs.stop(instance, hands_back=False)
        served = instance.state is State.SERVING
        self.members.become(instance, State.GONE)
        self._bill.ended(instance, self._env.now)
        if not (served and self._pool.give_back(self.desired)):
            self._pool.fill(self.desired)

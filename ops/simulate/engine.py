"""One run: a load, a fleet, its weather and a policy, event by event, repeatable by its seed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from random import Random

from simpy import Environment, Event
from simpy.events import Timeout

from lambdas.queue_depth_metric.breaker import boots, kept_s
from lambdas.queue_depth_metric.sizing import Boots
from ops.simulate.fleet import Fleet, Weather
from ops.simulate.group import Group
from ops.simulate.instance import State
from ops.simulate.jobs import Jobs
from ops.simulate.load import DAY_S, Load
from ops.simulate.luck import Luck
from ops.simulate.policy import Market, Policy, View
from ops.simulate.result import Result, Sample

MINUTE_S = 60.0
#: Days after the load's last that a policy is given to work off what is left.
GRACE_DAYS = 1.0
#: Seconds after the last job in which a policy may make the fleet as small as it wants it.
SETTLE_S = 3600.0
Told = Callable[[float], None]


def simulate(
    load: Load,
    fleet: Fleet,
    policy: Policy,
    *,
    seed: int,
    weather: Weather | None = None,
    told: Told = lambda share: None,
) -> Result:
    """Return what becomes of a load. `told` hears the share of the time that is done, each hour."""
    return _Run(load, fleet, policy, weather=weather or Weather(), seed=seed, told=told).run()


class _Run:
    def __init__(
        self,
        load: Load,
        fleet: Fleet,
        policy: Policy,
        *,
        weather: Weather,
        seed: int,
        told: Told,
    ) -> None:
        self._load, self._fleet, self._policy, self._told = load, fleet, policy, told
        random = Random(seed)  # noqa: S311 - a simulation wants to be repeated
        self._env = Environment()
        self._result = Result(policy.name)
        self._worked_s = 0.0
        self._jobs = Jobs(self._env, fleet, random, self._result)
        self._group = Group(
            self._env,
            fleet,
            policy,
            jobs=self._jobs,
            luck=Luck(weather, random, boot_s=fleet.rules.boot_s),
            result=self._result,
        )

    def run(self) -> Result:
        over = self._env.event()
        self._group.settle()
        self._env.process(self._arrivals())
        self._env.process(self._samples(over))
        self._env.process(self._ticks())
        self._env.run(until=over)
        return self._finished()

    def _arrivals(self) -> Generator[Event, None, None]:
        env, arrive = self._env, self._jobs.arrive
        now = 0.0
        for at_s, duration_s in zip(self._load.arrivals_s, self._load.durations_s, strict=True):
            if at_s > now:
                yield Timeout(env, at_s - now)
                now = at_s
            arrive(duration_s)

    def _ticks(self) -> Generator[Event, None, None]:
        """Ask the policy, at once and then at its pace."""
        group, policy = self._group, self._policy
        market = policy if isinstance(policy, Market) else None
        while True:
            view = self._view()
            if market:
                group.spot_percent = market.spot_percent(view)
            wanted = policy.decide(view)
            if wanted is not None:
                group.set_desired(wanted)
            yield Timeout(self._env, policy.every_s)

    def _samples(self, over: Event) -> Generator[Event, None, None]:
        """Note each minute, as CloudWatch does, until the time and the work are over."""
        ends_s = self._load.days * DAY_S
        while True:
            now = self._env.now
            self._result.samples.append(self._sample())
            if now % 3600 == 0:
                self._told(min(1.0, now / ends_s) if ends_s else 1.0)
            if self._jobs.left:
                self._worked_s = now
            if now >= ends_s and (self._is_quiet() or now >= ends_s + GRACE_DAYS * DAY_S):
                over.succeed()
            yield Timeout(self._env, MINUTE_S)

    def _is_quiet(self) -> bool:
        """Say whether nothing is left, and the fleet is as small as it will be."""
        at_rest = len(self._group.members) <= self._fleet.minimum
        return not self._jobs.left and (at_rest or self._env.now >= self._worked_s + SETTLE_S)

    def _sample(self) -> Sample:
        group = self._group
        return Sample(
            self._env.now,
            len(self._jobs.waiting),
            self._jobs.in_flight,
            len(group.members),
            group.members.count(State.SERVING),
            group.members.busy,
        )

    def _view(self) -> View:
        jobs, group, now = self._jobs, self._group, self._env.now
        waiting, running = self._seen()
        booting = group.members.count(State.BOOTING)
        return View(
            now_s=now,
            waiting=waiting,
            running=running,
            desired=group.desired,
            minimum=self._fleet.minimum,
            maximum=self._fleet.maximum,
            booting=booting,
            in_service=group.members.count(State.SERVING),
            draining=group.members.count(State.DRAINING),
            mean_job_s=jobs.mean_s,
            oldest_s=jobs.oldest_s,
            boots=self._boots(now, booting),
            spot_losses=self._losses(now),
        )

    def _seen(self) -> tuple[int, int]:
        """Return waiting and running jobs as the policy may see them."""
        delay_s = self._policy.metric_delay_s
        if delay_s is None:
            return len(self._jobs.waiting), self._jobs.in_flight
        index = int((self._env.now - delay_s) // MINUTE_S)
        if index < 0:
            return 0, 0
        sample = self._result.samples[index]
        return sample.waiting, sample.running

    def _boots(self, now: float, booting: int) -> Boots:
        """Ask the function's own reading of the boot records that it still looks at."""
        kept_since_s = now - kept_s(self._fleet.rules)
        ends = [each for each in self._group.boot_ends if each.at_s >= kept_since_s]
        return boots(ends, under_way=booting, now=now)

    def _losses(self, now: float) -> int:
        losses = self._group.losses_s
        since = now - self._fleet.rules.on_demand_s
        while losses and losses[0] <= since:
            losses.pop(0)
        return len(losses)

    def _finished(self) -> Result:
        result, now = self._result, self._env.now
        self._group.close()
        for arrived_s in self._jobs.unstarted():
            result.unstarted += 1
            result.arrivals_s.append(arrived_s)
            result.waits_s.append(now - arrived_s)
        result.left = self._jobs.left
        result.ended_s = now
        return result

"""Single jobs by hand: what a fleet does, second by second, and what is paid for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ops.simulate.bill import END_S
from ops.simulate.engine import SETTLE_S, simulate
from ops.simulate.fleet import Fleet, WarmPool, Weather
from ops.simulate.load import HOUR_S, loaded
from ops.simulate.ours import Exact
from ops.simulate.policy import View
from ops.simulate.result import Result
from tests.unit.ops.simulate.fleets import fleet

#: Every boot takes 150 s, every warm start 30 s.
STILL = Weather(boot_spread=(1, 1), warm_start_s=(30, 30), spot_losses_an_hour=0)
BOOT_S, IDLE_S = 150, 60


class Asks:
    """Sets the capacities given, by the second from which on each is asked for."""

    name = "asks"
    every_s = 10.0
    metric_delay_s: float | None = None

    def __init__(
        self, asked: dict[float, int], *, protected: bool = True, delay_s: float | None = None
    ) -> None:
        self._asked = asked
        self.protected = protected
        self.metric_delay_s = delay_s
        self.idle_s: float | None = None
        self.seen: list[View] = []

    def decide(self, view: View) -> int | None:
        self.seen.append(view)
        return self._asked.get(view.now_s)


def ours(jobs: list[tuple[float, float]], of: Fleet, weather: Weather = STILL) -> Result:
    return simulate(loaded(jobs), of, Exact(of), seed=1, weather=weather)


def test_a_lone_job_waits_for_a_boot_and_pays_boot_work_idleness_and_end() -> None:
    result = ours([(0, 600)], fleet())
    assert list(result.waits_s) == [BOOT_S]
    assert result.instance_s == BOOT_S + 600 + IDLE_S + END_S
    assert (result.launched, result.peak, result.done) == (1, 1, 1)


def test_a_job_between_two_looks_waits_for_the_next_one() -> None:
    assert list(ours([(3, 600)], fleet(tick_s=10)).waits_s) == [7 + BOOT_S]


def test_an_idle_worker_takes_the_next_job_at_once() -> None:
    result = ours([(0, 600), (BOOT_S + 600 + IDLE_S - 1, 30)], fleet())
    assert list(result.waits_s) == [BOOT_S, 0]
    assert result.launched == 1


def test_slots_of_an_instance_run_jobs_side_by_side() -> None:
    result = ours([(0, 600)] * 4, fleet(rules={"slots": 4}))
    assert list(result.waits_s) == [BOOT_S] * 4
    assert result.launched == 1


def test_the_maximum_is_kept_and_jobs_wait_for_it() -> None:
    result = ours([(0, 600)] * 3, fleet(maximum=2))
    assert (result.peak, sorted(result.waits_s)) == (2, [BOOT_S, BOOT_S, BOOT_S + 600])


def test_the_minimum_stays() -> None:
    result = ours([(HOUR_S, 600)], fleet(minimum=2))
    assert list(result.waits_s) == [0]
    assert {each.alive for each in result.samples} == {2}


def test_a_warm_instance_starts_in_seconds_and_is_stopped_again() -> None:
    result = ours([(0, 600)], fleet(warm_pool=WarmPool(0, 2, reuse=True)))
    assert list(result.waits_s) == [30]
    assert result.instance_s == 30 + 600 + IDLE_S + END_S
    away_s = 30 + 600 + IDLE_S
    assert result.stopped_s == 2 * result.ended_s - away_s


def test_without_reuse_the_pool_boots_another_one() -> None:
    result = ours([(0, 600)], fleet(warm_pool=WarmPool(2, 2, reuse=False)))
    assert result.instance_s == 30 + 600 + IDLE_S + END_S + BOOT_S + END_S


def test_jobs_beyond_the_pool_wait_for_a_boot() -> None:
    result = ours([(0, 600)] * 3, fleet(warm_pool=WarmPool(0, 2, reuse=True)))
    assert sorted(result.waits_s) == [30, 30, BOOT_S]


def test_a_smaller_capacity_kills_a_busy_worker_that_nothing_protects() -> None:
    policy = Asks({0: 1, 400: 0, 800: 1}, protected=False)
    result = simulate(loaded([(0, 600)]), fleet(), policy, seed=1, weather=STILL)
    assert (result.busy_kills, result.done) == (1, 1)
    assert result.rework_s == 250
    assert len(result.waits_s) == 1, "the wait ends with the first start"


def test_a_killed_job_comes_back_when_its_visibility_ends() -> None:
    policy = Asks({0: 1, 400: 0}, protected=False)
    of = fleet(visibility_s=300)
    simulate(loaded([(0, 600)]), of, policy, seed=1, weather=STILL)
    hidden = [view.now_s for view in policy.seen if view.now_s > 400 and view.running]
    assert 200 <= hidden[-1] - 400 <= 300, "it was extended within the last third"
    assert policy.seen[-1].waiting == 1


def test_a_protected_policy_takes_idle_workers_alone() -> None:
    policy = Asks({0: 2, 400: 0})
    result = simulate(loaded([(0, 600)]), fleet(), policy, seed=1, weather=STILL)
    assert (result.busy_kills, result.done, result.rework_s) == (0, 1, 0)
    assert result.instance_s == (400 + END_S) + (BOOT_S + 600 + END_S)


def test_a_policy_that_keeps_an_instance_is_billed_for_an_hour_after_the_work() -> None:
    result = simulate(loaded([(86_300, 60)]), fleet(), Asks({0: 1}), seed=1, weather=STILL)
    assert result.ended_s == 86_340 + SETTLE_S
    assert result.instance_s == result.ended_s


def test_a_job_received_too_often_goes_to_the_dlq() -> None:
    flapping: dict[float, int] = {}
    for at in range(0, 40000, 1000):
        flapping |= {float(at): 1, float(at + 500): 0}
    policy = Asks(flapping, protected=False)
    of = fleet(max_receives=3, visibility_s=30)
    result = simulate(loaded([(0, 5000)]), of, policy, seed=1, weather=STILL)
    assert (result.dead, result.done, result.busy_kills) == (1, 0, 3)


def test_checkpoints_bound_what_is_done_twice() -> None:
    policy = Asks({0: 1, 400: 0, 800: 1}, protected=False)
    of = fleet(checkpoint_s=60)
    result = simulate(loaded([(0, 600)]), of, policy, seed=1, weather=STILL)
    assert result.rework_s == 250 % 60
    assert result.done == 1


def test_a_policy_driven_by_metrics_sees_the_minute_before() -> None:
    policy = Asks({}, delay_s=60)
    simulate(loaded([(90, 600)]), fleet(), policy, seed=1, weather=STILL)
    first = next(view.now_s for view in policy.seen if view.waiting)
    assert first == 180, "sampled at 120 s, shown 60 s later"


@pytest.mark.parametrize("refused", [0.0, 0.5])
def test_refused_launches_are_tried_again(refused: float) -> None:
    weather = Weather(boot_spread=(1, 1), spot_losses_an_hour=0, refused=refused)
    result = ours([(at * HOUR_S, 600) for at in range(20)], fleet(), weather)
    assert result.done == 20
    waits = sorted(result.waits_s)
    assert waits[0] == BOOT_S
    assert (waits[-1] > BOOT_S) == bool(refused)


def test_spot_instances_taken_back_lose_no_job_and_are_replaced() -> None:
    of = fleet(rules={"spot_percent": 100}, checkpoint_s=60)
    weather = Weather(spot_losses_an_hour=6)
    result = ours([(at * HOUR_S, 2000) for at in range(20)], of, weather)
    assert (result.done, result.dead, result.busy_kills) == (20, 0, 0)
    assert result.spot_losses > 5
    assert 0 < result.rework_s < 60 * result.spot_losses


def test_after_losses_instances_are_on_demand_for_a_while() -> None:
    rules: dict[str, Any] = {"spot_percent": 100, "spot_losses": 1, "on_demand_s": 3600}
    weather = Weather(spot_losses_an_hour=30)
    jobs = [(0.0, 3000.0)]
    result = ours(jobs, fleet(rules=rules), weather)
    assert result.spot_losses == 1
    assert result.on_demand_instance_s > 2000 > result.spot_instance_s > 0


def test_an_open_breaker_pays_for_one_boot_at_a_time() -> None:
    rules = {"failed_boots": 3, "probe_every_s": 600}
    weather = Weather(spot_losses_an_hour=0, failed_boots=1)
    result = ours([(0, 600)] * 50, fleet(rules=rules), weather)
    assert result.done == 0
    assert result.left == result.unstarted == 50
    probes = result.ended_s / (600 + 0.8 * BOOT_S)
    assert 50 < result.failed_boots <= 50 + probes + 1


def test_an_instance_that_failed_to_boot_is_no_warm_one() -> None:
    of = fleet(warm_pool=WarmPool(0, 1, reuse=True))
    result = ours([(0, 1), (0, 1)], of, replace(STILL, failed_boots=1))
    warm_s, failed_s, prepared_s = 30 + 1 + 1 + IDLE_S + END_S, BOOT_S + END_S, BOOT_S + END_S
    assert result.failed_boots == 1
    assert result.instance_s == warm_s + failed_s + prepared_s

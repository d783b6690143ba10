"""The properties can fail: each of these controllers is broken on purpose, and is found out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import acts, backlog, look, market, presence, sizing, zombies
from lambdas.queue_depth_metric.backlog import Queued
from lambdas.queue_depth_metric.sizing import Boots, Facts, Work
from tests.fleet.checked import Checked
from tests.fleet.test_fleet_properties import FleetLife
from tests.unit.lambdas.metric_rules import rules
from worker_images.base.leaving import Event

_decide, _work_of, _is_silent = sizing.decide, backlog.work_of, zombies.is_silent


def lowers(facts: Facts, rules: FleetRules) -> int | None:
    """Sets what is needed, be it less than there is."""
    if facts.work is None or facts.capacity is None:
        return None
    size = min(sizing.needed(facts.work, rules), facts.capacity.maximum)
    size = max(size, facts.capacity.minimum)
    return None if size == facts.capacity.desired else size


def forgets_what_boots(facts: Facts, rules: FleetRules) -> int | None:
    """Adds what waits to what there is, at each look."""
    if facts.work is None or facts.capacity is None or not facts.work.waiting:
        return None
    size = min(facts.capacity.desired + facts.work.waiting, facts.capacity.maximum)
    return size if size > facts.capacity.desired else None


def never_probes(facts: Facts, rules: FleetRules) -> int | None:
    broken = sizing.breaker_is_open(facts.boots, rules)
    return None if broken else _decide(facts, rules)


def needs_two(facts: Facts, rules: FleetRules) -> int | None:
    """Target tracking on a backlog above 1: a lone job never starts."""
    lone = facts.work is not None and facts.work.backlog == 1
    return None if lone else _decide(facts, rules)


def above_the_maximum(facts: Facts, rules: FleetRules) -> int | None:
    if facts.capacity is None:
        return None
    return _decide(replace(facts, capacity=replace(facts.capacity, maximum=99)), rules)


def ignores_draining(facts: Facts, rules: FleetRules) -> int | None:
    return _decide(replace(facts, draining=0), rules)


def adds_for_draining_jobs(facts: Facts, rules: FleetRules) -> int | None:
    return _decide(replace(facts, draining_jobs=0), rules)


def without_in_flight(
    fact: FleetFact | None, queued: Queued | None, *, lone_s: float
) -> Work | None:
    work = _work_of(fact, queued, lone_s=lone_s)
    return work and replace(work, running=0)


def guesses(fact: FleetFact | None, queued: Queued | None, *, lone_s: float) -> Work:
    return _work_of(fact, queued, lone_s=lone_s) or Work(2, 0)


def never_open(boots: Boots, rules: FleetRules) -> bool:
    return False


def silent_with_a_job(served_s: float, worker: Any, rules: FleetRules, *, unnamed: int) -> bool:
    idle = worker and replace(worker, leases=0)
    return _is_silent(served_s, idle, rules, unnamed=unnamed)


def nobody(*_: Any, **__: Any) -> None:
    """Finds nobody; as the market, wants nothing."""


def world() -> Checked:
    """Return a fleet of Spot instances, one job each, at most four."""
    told = rules(
        start_within_s=0,
        job_s=60,
        boot_limit_s=60,
        failed_boots=2,
        probe_every_s=60,
        spot_losses=2,
        on_demand_s=300,
    )
    return Checked(told)


def lone_job(fleet: Checked) -> None:
    fleet.send(60)
    fleet.pass_s(200)


def burst(fleet: Checked) -> None:
    for _ in range(9):
        fleet.send(60)
    fleet.pass_s(600)


def second_job(fleet: Checked) -> None:
    fleet.send(150)
    fleet.pass_s(60)
    fleet.send(60)
    fleet.pass_s(20)


def recommended_to_leave(fleet: Checked) -> None:
    fleet.send(150)
    fleet.pass_s(60)
    [machine] = fleet.machines.values()
    machine.notice(Event.REBALANCE)
    fleet.pass_s(20)
    fleet.send(60)
    fleet.pass_s(20)


def no_source(fleet: Checked) -> None:
    fleet.send(150)
    fleet.pass_s(60)
    fleet.api_down = fleet.around.queues_down = True
    fleet.pass_s(60)


def failing_boots(fleet: Checked) -> None:
    fleet.boots_fail = True
    lone_job(fleet)
    fleet.pass_s(600)


def dead_kernel(fleet: Checked) -> None:
    second_job(fleet)
    for machine in fleet.machines.values():
        fleet.freeze(machine)
    fleet.pass_s(900)
    assert not fleet.waiting, "jobs are left"


def lost_spot(fleet: Checked) -> None:
    burst(fleet)
    for _ in range(2):
        second_job(fleet)
    for machine in fleet.machines.values():
        fleet.interrupt(machine)
    fleet.pass_s(20)


History = Callable[[Checked], None]


class Mutant(NamedTuple):
    """A function of a module that is replaced, a history that shows it, and what is said then."""

    module: object
    name: str
    broken: Callable[..., Any]
    history: History
    found: str


MUTANTS = (
    Mutant(acts, "decide", lowers, burst, "not a raise"),
    Mutant(acts, "decide", above_the_maximum, burst, "not a raise"),
    Mutant(acts, "decide", forgets_what_boots, lone_job, "more than there is work for"),
    Mutant(acts, "decide", never_probes, failing_boots, "no worker comes"),
    Mutant(acts, "decide", needs_two, lone_job, "nobody was asked for"),
    Mutant(acts, "decide", ignores_draining, recommended_to_leave, "draining worker"),
    Mutant(acts, "decide", adds_for_draining_jobs, recommended_to_leave, "more than there is work"),
    Mutant(look, "work_of", without_in_flight, second_job, "nobody was asked for"),
    Mutant(look, "work_of", guesses, no_source, "without data"),
    Mutant(sizing, "breaker_is_open", never_open, failing_boots, "probes in a hurry"),
    Mutant(presence, "is_silent", silent_with_a_job, dead_kernel, "ended a busy worker"),
    Mutant(presence, "is_silent", nobody, dead_kernel, "jobs are left"),
    Mutant(market, "on_demand_percent", nobody, lost_spot, "not what should be bought"),
)
#: Histories of chance find these within seconds.
FOUND_SOON = (lowers, above_the_maximum, forgets_what_boots, needs_two, without_in_flight)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


@pytest.mark.parametrize(
    "history", sorted({each.history for each in MUTANTS}, key=lambda each: each.__name__)
)
def test_the_real_controller_keeps_its_promises(history: History) -> None:
    history(world())


def apply(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the controller, and take the second look away that a raise is checked with."""
    monkeypatch.setattr(mutant.module, mutant.name, mutant.broken)
    monkeypatch.setattr(acts.Acts, "_meanwhile", lambda *_: -1)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.broken.__name__)
def test_a_broken_controller_breaks_one(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    apply(mutant, monkeypatch)
    with pytest.raises(AssertionError, match=mutant.found):
        mutant.history(world())


@pytest.mark.parametrize("broken", FOUND_SOON)
def test_histories_of_chance_find_a_broken_controller(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[..., Any]
) -> None:
    [mutant] = [each for each in MUTANTS if each.broken is broken]
    apply(mutant, monkeypatch)
    looked_for = settings(
        max_examples=400,
        stateful_step_count=40,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(FleetLife, settings=looked_for)

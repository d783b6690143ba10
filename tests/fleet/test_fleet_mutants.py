"""The properties can fail: each of these controllers is broken on purpose, and is found out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import acts, backlog, look, market, presence, sizing, zombies
from lambdas.queue_depth_metric.backlog import Queued
from lambdas.queue_depth_metric.sizing import Boots, Facts, Work
from tests.fleet.test_fleet_properties import FleetLife

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


def without_in_flight(fact: FleetFact | None, queued: Queued | None) -> Work | None:
    work = _work_of(fact, queued)
    return work and replace(work, running=0)


def guesses(fact: FleetFact | None, queued: Queued | None) -> Work:
    return _work_of(fact, queued) or Work(2, 0)


def never_open(boots: Boots, rules: FleetRules) -> bool:
    return False


def silent_with_a_job(served_s: float, worker: Any, rules: FleetRules, *, unnamed: int) -> bool:
    idle = worker and replace(worker, leases=0)
    return _is_silent(served_s, idle, rules, unnamed=unnamed)


MUTANTS: tuple[tuple[object, str, Callable[..., Any], str], ...] = (
    (acts, "decide", lowers, "not a raise"),
    (acts, "decide", above_the_maximum, "not a raise"),
    (acts, "decide", forgets_what_boots, "more than there is work for|not the same"),
    (acts, "decide", never_probes, "no worker comes"),
    (acts, "decide", needs_two, "nobody was asked for"),
    (acts, "decide", ignores_draining, "draining worker"),
    (acts, "decide", adds_for_draining_jobs, "more than there is work for"),
    (look, "work_of", without_in_flight, "nobody was asked for"),
    (look, "work_of", guesses, "without data"),
    (sizing, "breaker_is_open", never_open, "more than one probe|in a hurry"),
    (presence, "is_silent", silent_with_a_job, "ended a busy worker"),
    (presence, "is_silent", lambda *_, **__: False, "a zombie is left|jobs are left"),
    (market, "on_demand_percent", lambda *_, **__: None, "not what should be bought"),
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


@pytest.mark.parametrize(("module", "name", "broken", "found"), MUTANTS)
def test_a_broken_controller_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    broken: Callable[..., Any],
    found: str,
) -> None:
    monkeypatch.setattr(module, name, broken)
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
    with pytest.raises(AssertionError, match=found):
        run_state_machine_as_test(FleetLife, settings=looked_for)

"""What a group's instances do, from what the group, the workers and the boots say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from config.contracts.fleet_facts import FleetFact, WorkerFact, WorkerState
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.fleets import Group
from lambdas.queue_depth_metric.zombies import SILENT_S, is_silent

BOOTING, IDLE, BUSY, DRAINING, ZOMBIE = "booting", "idle", "busy", "draining", "zombie"
_BY_WORD = {
    WorkerState.IDLE: IDLE,
    WorkerState.BUSY: BUSY,
    WorkerState.DRAINING: DRAINING,
    WorkerState.LEAVING: DRAINING,
}


@dataclass(frozen=True)
class Presence:
    """A group's instances at one look.

    `states` by instance (config.contracts.metrics.INSTANCE_STATES) and `silent` ones are None while
    nobody knows the workers. `booting` has neither signed nor ended its boot. `draining` instances
    of the capacity take no job more by their own word; `draining_jobs` are held by them, or by
    workers that are gone: until the lease ends nobody could start those.
    """

    states: Mapping[str, str] | None
    silent: frozenset[str] | None
    booting: frozenset[str]
    draining: frozenset[str]
    draining_jobs: int


def presence(
    group: Group,
    fact: FleetFact | None,
    rules: FleetRules,
    *,
    served_s: Mapping[str, float],
    booted: Collection[str],
) -> Presence:
    """Return what the instances do.

    Args: `served_s` seconds in service by instance; `booted` instances have ended their boot, for
    good or ill.
    """
    active = group.active
    workers = {each.instance_id: each for each in fact.workers} if fact else {}
    booting = frozenset(
        each
        for each in active
        if each not in workers and each not in booted and served_s[each] <= rules.boot_limit_s
    )
    if fact is None:
        return Presence(None, None, booting, frozenset(), 0)
    silent = frozenset(
        each
        for each in active
        if is_silent(served_s[each], workers.get(each), rules, unnamed=fact.unnamed)
    )
    states = {each.instance_id: DRAINING for each in group.instances if not each.active}
    for each in active:
        states[each] = ZOMBIE if each in silent else _state(workers.get(each))
    leaving = frozenset(each for each in active if _state(workers.get(each)) == DRAINING)
    held = _held(group, workers, leaving)
    return Presence(states, silent, booting, leaving, held)


def _state(worker: WorkerFact | None) -> str:
    return BOOTING if worker is None else _BY_WORD[worker.state]


def _held(group: Group, workers: Mapping[str, WorkerFact], leaving: Collection[str]) -> int:
    """Return the jobs of those who leave, and of those who are silent and gone."""
    there = {each.instance_id for each in group.instances}
    return sum(
        worker.leases
        for name, worker in workers.items()
        if name in leaving or (name not in there and worker.silent_s > SILENT_S)
    )

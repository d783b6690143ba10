"""How large a fleet should be. Pure: the same facts give the same decision.

Of waiting and running jobs and the time that a job takes follows the smallest number of workers
that starts every waiting job in time. Workers that still boot are part of the desired capacity, so
that they are counted once; workers that drain are in it too, take no job, and are added, and what
they hold needs nobody else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from config.contracts.fleet_rules import FleetRules


@dataclass(frozen=True)
class Work:
    """Jobs of a fleet that wait and that run, and seconds that one takes, None when unknown.

    `overdue`: one has waited past the objective although no worker boots. Then the running ones
    take longer than the mean says: lectures among sheets.
    """

    waiting: int
    running: int
    mean_job_s: float | None = None
    overdue: bool = False

    @property
    def backlog(self) -> int:
        return self.waiting + self.running


@dataclass(frozen=True)
class Capacity:
    """An Auto Scaling group's desired, smallest and largest number of instances."""

    desired: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Boots:
    """The latest boots: failures since the last one that worked, and seconds since the latest.

    `under_way` instances were asked for and have not said yet how their boot ended.
    """

    failed_in_a_row: int = 0
    since_last_s: float = math.inf
    under_way: int = 0


@dataclass(frozen=True)
class Facts:
    """What is known about a fleet; None is what could not be found out.

    `draining` instances are part of the capacity and take no job; they run `draining_jobs` of the
    work.
    """

    work: Work | None
    capacity: Capacity | None
    draining: int = 0
    draining_jobs: int = 0
    boots: Boots = Boots()


def decide(facts: Facts, rules: FleetRules) -> int | None:
    """Return the desired capacity to set, or None to leave the fleet alone.

    Only ever more than there is: idle workers end themselves. Missing data changes nothing.
    """
    if facts.work is None or facts.capacity is None:
        return None
    capacity = facts.capacity
    elsewhere = max(0, facts.work.running - facts.draining_jobs)
    wanted = needed(replace(facts.work, running=elsewhere), rules) + facts.draining
    allowed = min(wanted, capacity.maximum)
    if breaker_is_open(facts.boots, rules):
        allowed = min(allowed, capacity.desired + _probes(facts.boots, rules))
    desired = max(capacity.minimum, allowed)
    return desired if desired > capacity.desired else None


def needed(work: Work, rules: FleetRules) -> int:
    """Return the fewest workers that hold all running jobs and start all waiting ones in time.

    Within the objective an idle slot starts one job and as many more as it finishes until then; a
    busy slot those alone. With n workers of s slots, r running and w waiting jobs, and k jobs
    finished by a slot within the objective: (n s - r) (1 + k) + r k >= w, and n s >= r. With a job
    overdue k is 0: each gets a slot of its own.
    """
    job_s = rules.job_s if work.mean_job_s is None else work.mean_job_s
    finished = 0 if work.overdue else math.floor(rules.start_within_s / max(job_s, 0.001))
    holding = math.ceil(work.running / rules.slots)
    starting = math.ceil(work.backlog / (rules.slots * (1 + finished)))
    return max(holding, starting)


def breaker_is_open(boots: Boots, rules: FleetRules) -> bool:
    """Say whether so many boots failed in a row that no more are paid for but one at a time."""
    return boots.failed_in_a_row >= rules.failed_boots


def _probes(boots: Boots, rules: FleetRules) -> int:
    """Return how many instances an open breaker lets through now: one, now and then."""
    return int(boots.under_way == 0 and boots.since_last_s >= rules.probe_every_s)

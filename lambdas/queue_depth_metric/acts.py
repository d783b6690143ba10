"""What one look at a fleet leads to: each act is logged with what it rests on."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import breaker, fleets, market, zombies
from lambdas.queue_depth_metric.backlog import Queued
from lambdas.queue_depth_metric.boot_log import BootLog
from lambdas.queue_depth_metric.budget import Budget, OutOfTime
from lambdas.queue_depth_metric.clients import Clients
from lambdas.queue_depth_metric.fleets import Group
from lambdas.queue_depth_metric.memory import Memory
from lambdas.queue_depth_metric.presence import Presence
from lambdas.queue_depth_metric.sizing import Boots, Facts, Work, breaker_is_open, decide

#: Between two looks at the breaker's alarm while the breaker is open.
ALARM_EVERY_S = 55.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sight:
    """What one look found out about a fleet; None is what it could not."""

    now: float
    queued: Queued | None
    fact: FleetFact | None
    work: Work | None
    group: Group | None
    present: Presence | None
    boots: Boots


class Acts:
    """Acts on one fleet. Every method raises botocore's errors and OutOfTime."""

    def __init__(
        self, rules: FleetRules, clients: Clients, memory: Memory, boot_log: BootLog
    ) -> None:
        self._rules = rules
        self._clients = clients
        self._memory = memory
        self._boot_log = boot_log
        self._alarm_at = -math.inf

    def buy(self, sight: Sight, budget: Budget) -> None:
        """Set Spot or on demand, before more is bought."""
        if sight.group is None:
            return
        losses = sight.fact.spot_losses if sight.fact else None
        current = sight.group.on_demand_percent
        percent = market.on_demand_percent(self._rules, spot_losses=losses, current=current)
        if percent is None:
            return
        budget.take(before_raise=True)
        fleets.set_on_demand(self._clients.autoscaling, self._rules.group, sight.group, percent)
        log.warning(
            "market set | group=%s | on_demand_percent=%d | before=%s | spot_losses=%s",
            self._rules.group,
            percent,
            current,
            losses,
        )

    def grow(self, sight: Sight, budget: Budget) -> None:
        """Raise the desired capacity to what the decision says."""
        if sight.group is None or sight.present is None:
            return
        facts = self._facts(sight, sight.group, sight.present)
        desired = decide(facts, self._rules)
        if desired is None or facts.work is None or desired <= self._meanwhile(budget):
            return
        budget.take()
        fleets.raise_to(self._clients.autoscaling, self._rules.group, desired)
        self._memory.asked(desired)
        log.info(
            "capacity raised | group=%s | from=%d | to=%d | waiting=%d | running=%d | draining=%d"
            " | mean_job_s=%s | overdue=%s | failed_boots=%d",
            self._rules.group,
            sight.group.capacity.desired,
            desired,
            facts.work.waiting,
            facts.work.running,
            facts.draining,
            facts.work.mean_job_s,
            facts.work.overdue,
            facts.boots.failed_in_a_row,
        )

    def alarm(self, sight: Sight, budget: Budget) -> None:
        """Set the breaker's alarm off with the reason, when it is open and nobody was told."""
        if not breaker_is_open(sight.boots, self._rules):
            self._alarm_at = -math.inf
            return
        if sight.now - self._alarm_at < ALARM_EVERY_S:
            return
        name = self._rules.breaker_alarm
        budget.take()
        state = fleets.alarm_state(self._clients.cloudwatch, name)
        if state is None:
            log.error("no such alarm | alarm=%s", name)
        elif state != "ALARM":
            reason = self._why(sight)
            budget.take()
            fleets.set_alarm(self._clients.cloudwatch, name, reason)
            log.error("breaker open | group=%s | %s", self._rules.group, reason)
        self._alarm_at = sight.now

    def bury(self, sight: Sight, budget: Budget) -> None:
        """End one zombie, when it is its turn; one that never booted counts as a failed boot.

        A look that saw no group or no workers has not looked at it again: it may work by now.
        """
        found = self._next_zombie(sight)
        if found is None or sight.fact is None or sight.present is None:
            return
        budget.take()
        fleets.end_zombie(self._clients.autoscaling, found)
        signed = {each.instance_id: each.silent_s for each in sight.fact.workers}
        booted = {end.record.instance_id for end in self._boot_log.ends(sight.now)}
        if found not in signed and found not in booted:
            self._boot_log.add(breaker.silent_end(found, sight.now, self._rules.boot_limit_s))
        self._memory.buried(found, sight.now)
        log.warning(
            "zombie ended | group=%s | instance=%s | silent_s=%s",
            self._rules.group,
            found,
            signed.get(found),
        )

    def _meanwhile(self, budget: Budget) -> int:
        """Return what the backstop or an operator may have asked for since the look began.

        0 without the time to ask. A capacity that is lowered then ends no protected worker.
        """
        try:
            budget.take(before_raise=True)
            found = fleets.describe(self._clients.autoscaling, self._rules.group)
        except (BotoCoreError, ClientError, OutOfTime):
            return 0
        return found.capacity.desired if found else 0

    def _facts(self, sight: Sight, group: Group, present: Presence) -> Facts:
        """Zombies that wait for their end take no job; the one whose turn it is gets replaced."""
        zombie = self._next_zombie(sight)
        takes_none = present.draining.union(zombies.confirmed(self._memory.marks, sight.now))
        return Facts(
            work=sight.work,
            capacity=group.capacity,
            draining=len(takes_none - {zombie}),
            draining_jobs=present.draining_jobs,
            boots=sight.boots,
        )

    def _next_zombie(self, sight: Sight) -> str | None:
        """A broken fleet's zombies are replaced no faster than its breaker tries a boot."""
        broken = breaker_is_open(sight.boots, self._rules)
        every_s = max(zombies.END_EVERY_S, self._rules.probe_every_s * broken)
        return zombies.to_end(self._memory.marks, sight.now, every_s=every_s)

    def _why(self, sight: Sight) -> str:
        return (
            f"{sight.boots.failed_in_a_row} boots of {self._rules.group} failed in a row. "
            f"{breaker.reason(self._boot_log.ends(sight.now))}"
        )

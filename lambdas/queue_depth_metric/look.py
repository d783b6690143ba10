"""One look at one fleet: measure, decide, raise, publish, mend. A failure costs itself alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import breaker, fleets
from lambdas.queue_depth_metric.acts import Acts, Sight
from lambdas.queue_depth_metric.backlog import Measured, Queues, is_lone, is_overdue, work_of
from lambdas.queue_depth_metric.boot_log import BootLog
from lambdas.queue_depth_metric.budget import Budget, OutOfTime
from lambdas.queue_depth_metric.clients import Clients
from lambdas.queue_depth_metric.fleets import Group
from lambdas.queue_depth_metric.memory import Memory, missing
from lambdas.queue_depth_metric.presence import Presence
from lambdas.queue_depth_metric.publish import FleetLines, Seen, publish
from lambdas.queue_depth_metric.sizing import Boots, Work, breaker_is_open

#: Returns what the API knows of the fleets by kind, None when it does not answer. May wait for it.
Known = Callable[[], Mapping[str, FleetFact] | None]
T = TypeVar("T")

log = logging.getLogger(__name__)


class FleetLook:
    """Looks at one fleet and acts on it; what fails is logged, and the next look tries again.

    Args: `now` returns epoch seconds; `write` takes the lines of embedded metrics.
    """

    def __init__(
        self,
        rules: FleetRules,
        clients: Clients,
        *,
        environment: str,
        now: Callable[[], float],
        write: Callable[[str], object],
    ) -> None:
        self._rules = rules
        self._clients = clients
        self._environment = environment
        self._now = now
        self._queues = Queues(clients.sqs, rules.queues)
        self._boot_log = BootLog(clients.logs, rules)
        self._memory = Memory(rules, now())
        self._acts = Acts(rules, clients, self._memory, self._boot_log)
        self._lines = FleetLines(write, environment, rules.kind)
        self._looked_at: float | None = None
        self._boots = Boots()

    def look(self, known: Known, budget: Budget) -> None:
        """Look once. What makes the fleet grow comes first, what can wait a tick comes last."""
        sight = self._sight(known, budget)
        for what, act in (
            ("market not set", self._acts.buy),
            ("capacity not raised", self._acts.grow),
            ("metrics not published", self._publish),
            ("breaker not told", self._acts.alarm),
            ("zombie not ended", self._acts.bury),
        ):
            self._tried(what, lambda act=act: act(sight, budget))  # type: ignore[misc]
        self._tell(sight)
        self._looked_at = sight.now

    def _sight(self, known: Known, budget: Budget) -> Sight:
        now = self._now()
        group = self._tried("group not described", lambda: self._described(budget))
        queued = self._tried("SQS counts failed", lambda: self._queues.count(budget))
        fact = (known() or {}).get(self._rules.kind)
        lone_s = self._memory.lone_s(is_lone(fact, queued), now)
        work = work_of(fact, queued, lone_s=lone_s)
        if work is None:
            log.error(
                "no backlog from any source: nothing published, nothing changed | group=%s",
                self._rules.group,
            )
        if group is None:
            return Sight(now, queued, fact, work, None, None, Boots())
        present, boots = self._instances(group, fact, work, budget, now)
        if work is not None:
            overdue = is_overdue(fact, self._memory.settled_s(now), self._rules)
            work = replace(work, overdue=overdue)
        return Sight(now, queued, fact, work, group, present, boots)

    def _described(self, budget: Budget) -> Group | None:
        budget.take(before_raise=True)
        found = fleets.describe(self._clients.autoscaling, self._rules.group)
        if found is None:
            log.error("no such Auto Scaling group | group=%s", self._rules.group)
        return found

    def _instances(
        self, group: Group, fact: FleetFact | None, work: Work | None, budget: Budget, now: float
    ) -> tuple[Presence, Boots]:
        """Boot records cost a call: only a fleet that wants or has instances is asked for them.

        They are asked for at each look while a broken fleet tries a boot: all wait for that one.
        """
        if group.instances or group.capacity.desired or (work and work.backlog):
            probing = breaker_is_open(self._boots, self._rules) and self._boots.under_way > 0
            hurry = probing or self._memory.boot_ended(group, fact)
            self._tried(
                "boot records not read", lambda: self._boot_log.refresh(budget, now, hurry=hurry)
            )
        ends = self._boot_log.ends(now)
        booted = {end.record.instance_id for end in ends}
        present = self._memory.see(group, fact, booted, now)
        under_way = len(present.booting) + missing(group)
        self._boots = breaker.boots(ends, under_way=under_way, now=now)
        return present, self._boots

    def _publish(self, sight: Sight, budget: Budget) -> None:
        measured = Measured(
            backlog=sight.work.backlog if sight.work else None,
            depth=sight.queued.depth if sight.queued else None,
        )
        publish(self._clients.cloudwatch, self._environment, self._rules, measured, budget)

    def _tell(self, sight: Sight) -> None:
        """Custom metrics are paid for by the hour they are sent in: a fleet at rest sends none."""
        if not (sight.work and sight.work.backlog) and not (sight.group and sight.group.instances):
            return
        waits = sight.fact is not None and sight.fact.waiting > 0
        seen = Seen(
            work=sight.work,
            oldest_s=sight.fact.oldest_s if sight.fact and waits else 0.0 if sight.fact else None,
            tick_age_s=None if self._looked_at is None else sight.now - self._looked_at,
            breaker_open=breaker_is_open(sight.boots, self._rules),
            states=sight.present.states if sight.present else None,
        )
        self._lines.tell(seen, sight.now)

    def _tried(self, what: str, call: Callable[[], T]) -> T | None:
        """Return what a call returns, None when AWS refuses or the look's time is over."""
        try:
            return call()
        except (BotoCoreError, ClientError, OutOfTime) as error:
            log.error(
                "%s | group=%s | queues=%s | %s: %s",
                what,
                self._rules.group,
                ",".join(self._rules.queues),
                type(error).__name__,
                error,
            )
            return None

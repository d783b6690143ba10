"""What must hold at every look of the controller, stated by the world's own truth."""

from __future__ import annotations

import json
import math
from typing import Any

from config.contracts.fleet_facts import WorkerState
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.boot_log import READ_EVERY_S
from tests.fleet.cloud import Called
from tests.fleet.machine import Machine
from tests.fleet.world import CONTROLLER, TICK_S, World

_TAKES_NONE = (WorkerState.DRAINING, WorkerState.LEAVING)
#: After this time the controller has read what was in the logs.
_READ_S = READ_EVERY_S + TICK_S


class Checked(World):
    """A world in which each look is judged. Jobs are long: each needs a slot of its own."""

    def __init__(self, rules: FleetRules, **more: Any) -> None:
        assert rules.start_within_s == 0
        super().__init__(rules, **more)
        self._eager_since = math.inf
        self._probed_at = -math.inf
        self._logs_up_since = self.now

    def pass_s(self, seconds: float, *, ticks: bool = True) -> None:
        if not ticks:
            self._eager_since = math.inf
        super().pass_s(seconds, ticks=ticks)

    def tick(self) -> None:
        """Look once and judge it."""
        blind = self.api_down and self.around.queues_down
        first, known = len(self.calls), self.known() is not None
        jobs, zombies = self._jobs(), [each for each in self.machines.values() if each.frozen]
        super().tick()
        acts = [call for call in self.calls[first:] if call.by == CONTROLLER]
        assert not (blind and acts), "it acted without data"
        for call in acts:
            self._judge(call, known, jobs, len(zombies))
        if blind or self.autoscaling.down:
            self._eager_since = math.inf
            return
        if known:
            self._market()
        self._enough(jobs)
        self._alive()

    def look_again(self) -> None:
        """The same facts give the same decision: it has been carried out already."""
        self.tick()
        first = len(self.calls)
        self.tick()
        assert not [call for call in self.calls[first:] if call.by == CONTROLLER], "not the same"

    def failures(self, *, until: float = math.inf) -> int:
        """Return the boots that failed in a row, up to a moment and with none that worked since."""
        failed = 0
        for at, text in self.around.records:
            if json.loads(text)["outcome"] != "failed":
                failed = 0
            elif at <= until:
                failed += 1
        return failed

    def _group_acts(self) -> None:
        super()._group_acts()
        if self.group.active:
            self._eager_since = math.inf

    def _judge(self, call: Called, known: bool, jobs: int, zombies: int) -> None:
        match call.name:
            case "TerminateInstanceInAutoScalingGroup":
                assert known, "an instance was ended though nobody knows the workers"
                assert not call.busy, "the controller ended a busy worker"
            case "SetDesiredCapacity":
                size = call.params["DesiredCapacity"]
                assert call.desired < size <= self.group.maximum, "not a raise within the limits"
                most = self._workers(jobs) + self._draining() + zombies
                assert size <= max(most, self.group.minimum), "more than there is work for"
                self._probe(call.desired, size)
            case "UpdateAutoScalingGroup":
                assert known, "the market was set though nobody knows of losses"

    def _probe(self, before: int, size: int) -> None:
        """Boots that fail in a row are paid for one at a time, once the records can be known."""
        if self.around.logs_down:
            self._logs_up_since = math.inf
        elif self._logs_up_since == math.inf:
            self._logs_up_since = self.now
        settled = self.now - self._logs_up_since >= _READ_S
        if not settled or self.failures(until=self.now - _READ_S) < self.rules.failed_boots:
            return
        assert size <= max(before + 1, self.group.minimum), "more than one probe"
        if size > self.group.minimum:
            assert self.now - self._probed_at >= self.rules.probe_every_s, "probes in a hurry"
            self._probed_at = self.now

    def _market(self) -> None:
        mix = self.group.settings["MixedInstancesPolicy"]["InstancesDistribution"]
        taken = self.recent_losses() >= self.rules.spot_losses
        wanted = 100 if taken else 100 - self.rules.spot_percent
        assert mix["OnDemandPercentageAboveBaseCapacity"] == wanted, "not what should be bought"

    def _enough(self, jobs: int) -> None:
        """Unless boots fail, every waiting job has a slot that is there or boots."""
        if self.failures() >= self.rules.failed_boots:
            return
        wanted = min(self._workers(jobs), self.group.maximum)
        assert self.group.desired >= wanted, "a job waits and nobody was asked for"
        wanted = min(self._workers(jobs) + self._draining(), self.group.maximum)
        assert self.group.desired >= wanted, "a draining worker was counted on"

    def _alive(self) -> None:
        """One waiting job leads to a worker: soon, or within a probe's time when boots fail."""
        if not self.waiting or self.group.active or self.no_capacity or not self.group.maximum:
            self._eager_since = math.inf
            return
        self._eager_since = min(self._eager_since, self.now)
        due_at = self._eager_since
        if self.failures() >= self.rules.failed_boots:
            due_at = max(due_at, self.around.records[-1][0] + self.rules.probe_every_s)
        assert self.now - due_at <= 2 * TICK_S, "a job waits, and no worker comes"

    def _jobs(self) -> int:
        """Return the jobs that need a slot: those of draining workers have theirs."""
        kept = sum(len(each.jobs) for each in self.machines.values() if not self._drains(each))
        if self.api_down:
            kept = len(self.running)
        return len(self.waiting) + kept

    def _draining(self) -> int:
        return 0 if self.api_down else sum(map(self._drains, self.machines.values()))

    def _drains(self, machine: Machine) -> bool:
        fact = machine.fact()
        active = self.member(machine.instance_id).active
        return active and fact is not None and fact.state in _TAKES_NONE

    def _workers(self, jobs: int) -> int:
        return math.ceil(jobs / self.rules.slots)

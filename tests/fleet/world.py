"""A fleet, its jobs and its controller in steps of 5 seconds, without any I/O.

The controller's look, the group's operations and arithmetic, and the workers' protocol are the real
ones. What breaks a promise is an assertion right where it happens.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.budget import TICK_ROOM_S, Budget
from lambdas.queue_depth_metric.look import FleetLook
from local.clock import ManualClock
from local.services.autoscaling import lifecycle, refreshes, texts
from local.services.autoscaling.model import TERMINATING, Activity, Group, Hook, Member
from local.services.autoscaling.model import TERMINATING_TRANSITION as TERMINATES
from local.services.autoscaling.service import AutoScalingService
from local.services.autoscaling.sizing import on_spot, to_end, to_launch
from tests.fleet.cloud import TEMPLATE, AutoScaling, Called, Surroundings, Templates
from tests.fleet.machine import HOOK, NOTICE_S, Job, Machine
from worker_images.base.leaving import Event

STEP_S, TICK_S, BOOT_S = 5, 10, 30
#: The lease of a job whose worker is dead runs out, and a sweeper takes the job back.
LEASE_S = 240
CONTROLLER = "controller"


class World:
    """A fleet from nothing. `api_down`, `boots_fail` and `no_capacity` are set from outside."""

    def __init__(self, rules: FleetRules, *, maximum: int = 4, idle_s: float = 20.0) -> None:
        self.rules = rules
        self.idle_s = idle_s
        self.clock = ManualClock()
        self.began_at = self.now
        self.waiting: list[Job] = []
        self.done: list[Job] = []
        self.machines: dict[str, Machine] = {}
        self.losses: list[float] = []
        self.calls: list[Called] = []
        self.launches: list[float] = []
        self.version = 1
        self.boots_fail = self.no_capacity = self.api_down = False
        self._ids = (f"i-{number:04}" for number in itertools.count())
        self.service = AutoScalingService(self.clock, account="1", region="r", clients=Templates())
        self.around = Surroundings(self)
        self.autoscaling = self.client(CONTROLLER)
        self.operator = self.client("operator")
        self._create(maximum)
        self.controller = self.fresh()

    @property
    def now(self) -> float:
        return self.clock.now()

    @property
    def group(self) -> Group:
        return self.service.store.groups[self.rules.group]

    @property
    def running(self) -> list[Job]:
        return [job for machine in self.machines.values() for job in machine.jobs]

    def client(self, by: str) -> AutoScaling:
        return AutoScaling(self.service, by, self.calls, self._before)

    def fresh(self) -> FleetLook:
        """Return the controller in a new container."""
        return FleetLook(
            self.rules,
            self.around.clients(self.autoscaling),
            environment="local",
            now=lambda: self.now,
            write=lambda _: None,
        )

    def member(self, instance_id: str) -> Member:
        return self.group.members[instance_id]

    # What happens.

    def send(self, work_s: float) -> None:
        self.waiting.append(Job(self.now, work_s))

    def start(self, machine: Machine) -> None:
        job = self.waiting.pop(0)
        job.ends_at = self.now + job.work_s
        machine.jobs.append(job)

    def finished(self, job: Job) -> None:
        self.done.append(job)

    def hand_back(self, machine: Machine) -> None:
        for job in machine.jobs:
            job.ends_at = job.lease_until = math.inf
        self.waiting[:0] = machine.jobs
        machine.jobs.clear()

    def deploy(self) -> None:
        """A new template version; the share of Spot is the template's again."""
        self.version += 1
        self.operator.update_auto_scaling_group(
            AutoScalingGroupName=self.rules.group, MixedInstancesPolicy=self._mix()
        )

    def limit(self, minimum: int, maximum: int) -> None:
        self.operator.update_auto_scaling_group(
            AutoScalingGroupName=self.rules.group, MinSize=minimum, MaxSize=maximum
        )

    def interrupt(self, machine: Machine) -> None:
        """EC2 announces to take a Spot instance, and does."""
        if machine.spot and machine.gone_at == math.inf:
            machine.gone_at = self.now + NOTICE_S
            self.losses.append(self.now)
            machine.notice(Event.INTERRUPTION)

    def freeze(self, machine: Machine) -> None:
        """Its kernel stops; what it holds is taken back when the lease is over."""
        machine.frozen = True
        for job in machine.jobs:
            job.ends_at, job.lease_until = math.inf, self.now + LEASE_S

    def pass_s(self, seconds: float, *, ticks: bool = True) -> None:
        """Let time pass; without `ticks` the controller does not run."""
        for _ in range(round(seconds / STEP_S)):
            self.clock.advance(STEP_S)
            self._group_acts()
            for machine in list(self.machines.values()):
                machine.step()
            self._sweep()
            if ticks and round(self.now - self.began_at) % TICK_S == 0:
                self.tick()

    def tick(self) -> None:
        """Let the controller look once."""
        budget = Budget(self.now + TICK_ROOM_S, lambda: self.now)
        self.controller.look(self.known, budget)

    def known(self) -> Mapping[str, FleetFact] | None:
        """Return what the API answers, None when it does not."""
        if self.api_down:
            return None
        latest = [job.work_s for job in self.done[-20:]]
        fact = FleetFact(
            waiting=len(self.waiting),
            running=len(self.running),
            oldest_s=max((self.now - job.created_at for job in self.waiting), default=None),
            mean_job_s=sum(latest) / len(latest) if latest else None,
            spot_losses=self.recent_losses(),
            workers=tuple(
                fact for machine in self.machines.values() if (fact := machine.fact()) is not None
            ),
        )
        return {self.rules.kind: fact}

    def recent_losses(self) -> int:
        return sum(self.now - at <= self.rules.on_demand_s for at in self.losses)

    # How a group comes to its size: local.control.fleets, without EC2.

    def _group_acts(self) -> None:
        group, now = self.group, self.now
        lifecycle.time_out(group, now)
        for member in [each for each in group.active if each.health != "Healthy"]:
            lifecycle.leave(group, member, texts.taken_out("a health check", now), now)
        latest = {each.instance_id for each in group.active if self._is_latest(each)}
        refreshes.advance(group, latest, now)
        for member in to_end(group):
            assert not self.machines[member.instance_id].busy, "scale-in ended a busy worker"
            lifecycle.leave(group, member, "scale-in", now)
        for machine in [each for each in self.machines.values() if now >= each.gone_at]:
            self.hand_back(machine)  # its messages become visible again
            lifecycle.leave(group, self.member(machine.instance_id), "EC2 took it", now)
            self._end(machine)
        for _ in range(0 if self.no_capacity else to_launch(group, now)):
            self._launch()
        for member in list(group.members.values()):
            machine = self.machines[member.instance_id]
            if member.state == TERMINATING:
                assert not machine.busy, "an instance ended with a job in hand"
                self._end(machine)
            elif not member.active:
                machine.notice(Event.TAKEN)

    def _is_latest(self, member: Member) -> bool:
        return member.template["Version"] == str(self.version)

    def _launch(self) -> None:
        group, now, spot = self.group, self.now, on_spot(self.group)
        member = Member(
            instance_id=next(self._ids),
            zone="a",
            instance_type="c7g.xlarge",
            image_id="ami",
            template={"LaunchTemplateId": TEMPLATE, "Version": str(self.version)},
            launched_at=now,
            protected=bool(group.settings["NewInstancesProtectedFromScaleIn"]),
            activity=Activity(group.name, "Launching", "", now),
            spot=spot,
        )
        lifecycle.enter(group, member, now)
        self.launches.append(now)
        self.machines[member.instance_id] = Machine(
            self, member.instance_id, now + BOOT_S, self.boots_fail, spot
        )

    def _end(self, machine: Machine) -> None:
        self.group.members.pop(machine.instance_id)
        del self.machines[machine.instance_id]

    def _sweep(self) -> None:
        for machine in self.machines.values():
            if machine.frozen and any(self.now >= job.lease_until for job in machine.jobs):
                self.hand_back(machine)

    def _before(self, params: dict[str, Any]) -> tuple[int, bool]:
        """Return the desired capacity, and whether the instance in question has a job."""
        machine = self.machines.get(params.get("InstanceId", ""))
        return self.group.desired, machine is not None and machine.busy

    def _create(self, maximum: int) -> None:
        self.service.handle(
            "CreateAutoScalingGroup",
            {
                "AutoScalingGroupName": self.rules.group,
                "MinSize": 0,
                "MaxSize": maximum,
                "NewInstancesProtectedFromScaleIn": True,
                "MixedInstancesPolicy": self._mix(),
            },
        )
        self.group.hooks[HOOK] = Hook(HOOK, TERMINATES, 120, "CONTINUE")

    def _mix(self) -> dict[str, Any]:
        named = {"LaunchTemplateId": TEMPLATE, "Version": str(self.version)}
        return {
            "LaunchTemplate": {"LaunchTemplateSpecification": named},
            "InstancesDistribution": {
                "OnDemandPercentageAboveBaseCapacity": 100 - self.rules.spot_percent
            },
        }

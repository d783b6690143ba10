"""What holds for a fleet whatever happens to it: hypothesis looks for a history that breaks it.

The promises of each look are in tests.fleet.checked, those of instances in tests.fleet.world.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fleet.checked import Checked
from tests.fleet.machine import Machine
from tests.fleet.world import BOOT_S
from tests.unit.lambdas.metric_rules import rules
from worker_images.base.leaving import Event

IDLE_S = 20.0
#: A last worker that boots for nothing, finds nothing, and leaves.
GRACE_S = 2 * BOOT_S + 60.0
SECONDS = st.integers(2, 30).map(lambda steps: 5 * steps)
ANYONE = st.integers(0, 3)
#: Sources that the controller reads, boots and launches, and the container that remembers.
FAULTS = ("api", "queues", "both", "logs", "group", "boots", "capacity", "container")


class FleetLife(RuleBasedStateMachine):
    """Jobs come, boots fail, Spot goes, sources fall silent, people deploy and change limits."""

    @initialize(slots=st.integers(1, 2), maximum=st.integers(1, 4), on_spot=st.booleans())
    def begin(self, slots: int, maximum: int, on_spot: bool) -> None:
        told = rules(
            slots=slots,
            start_within_s=0,
            job_s=60,
            boot_s=BOOT_S,
            boot_limit_s=60,
            failed_boots=2,
            probe_every_s=60,
            spot_percent=100 if on_spot else 0,
            spot_losses=2,
            on_demand_s=300,
        )
        self.world = Checked(told, maximum=maximum, idle_s=IDLE_S)
        self.send(1, 60)

    @rule(count=st.integers(1, 3), work_s=SECONDS)
    def send(self, count: int, work_s: int) -> None:
        for _ in range(count):
            self.world.send(float(work_s))

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.world.pass_s(seconds)

    @rule(seconds=SECONDS)
    def the_controller_is_late(self, seconds: int) -> None:
        self.world.pass_s(seconds, ticks=False)

    @rule()
    def a_tick_comes_twice(self) -> None:
        self.world.look_again()

    @rule(what=st.sampled_from(FAULTS))
    def something_fails(self, what: str) -> None:
        world = self.world
        world.api_down |= what in ("api", "both")
        world.autoscaling.down |= what == "group"
        world.around.queues_down |= what in ("queues", "both")
        world.around.logs_down |= what == "logs"
        world.boots_fail |= what == "boots"
        world.no_capacity |= what == "capacity"
        if what == "container":
            world.controller = world.fresh()

    @rule()
    def all_is_well_again(self) -> None:
        world = self.world
        world.api_down = world.autoscaling.down = False
        world.around.queues_down = world.around.logs_down = False
        world.boots_fail = world.no_capacity = False

    @rule(who=ANYONE, what=st.sampled_from(("interruption", "rebalance", "freeze")))
    def something_befalls_an_instance(self, who: int, what: str) -> None:
        found = sorted(self.world.machines.values(), key=lambda each: each.instance_id)
        if not found:
            return
        machine = found[who % len(found)]
        match what:
            case "interruption":
                self.world.interrupt(machine)
            case "rebalance":
                machine.notice(Event.REBALANCE)
            case "freeze":
                self.world.freeze(machine)

    @rule(limits=st.none() | st.tuples(st.integers(0, 1), st.integers(1, 4)))
    def people_deploy_or_change_limits(self, limits: tuple[int, int] | None) -> None:
        if limits is None:
            self.world.deploy()
        else:
            self.world.limit(*limits)

    @invariant()
    def capacity_is_within_the_limits(self) -> None:
        group = self.world.group
        assert group.minimum <= group.desired <= group.maximum

    def teardown(self) -> None:
        """Once nothing disturbs it any more, all is done, and then nobody is there."""
        if not hasattr(self, "world"):
            return
        world = self.world
        self.all_is_well_again()
        work_s = sum(job.work_s for job in (*world.waiting, *world.running))
        for _ in range(100 + int(work_s // 60)):
            if not (world.waiting or world.running or self._frozen()):
                break
            world.pass_s(60)
        assert not (world.waiting or world.running), "jobs are left"
        assert not self._frozen(), "a zombie is left"
        world.pass_s(IDLE_S + GRACE_S)
        active, group = len(world.group.active), world.group
        assert active == group.desired == group.minimum, "somebody is left"

    def _frozen(self) -> list[Machine]:
        return [machine for machine in self.world.machines.values() if machine.frozen]


FleetLife.TestCase.settings = settings(max_examples=100, stateful_step_count=40)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Refused calls are the rule here, and a traceback of each takes longer than the rest."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


class TestFleetLife(FleetLife.TestCase):  # type: ignore[misc, name-defined]
    """pytest finds it by this name."""

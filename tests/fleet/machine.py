"""An instance and the worker on it: the real leave protocol and its real calls, jobs as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.contracts.boot_records import BootRecord
from config.contracts.fleet_facts import WorkerFact
from local.services.autoscaling import lifecycle as states
from local.services.autoscaling.model import TERMINATING_WAIT
from worker_images.base.imds import Metadata
from worker_images.base.leaving import START, Answer, Event, Leave, Phase, answered, told
from worker_images.base.lifecycle import InstanceLifecycle
from worker_images.base.own_group import OwnGroup
from worker_images.base.presence import state_of

if TYPE_CHECKING:
    from tests.fleet.world import World

HOOK = "academy-drain"
SIGN_S = 10.0
#: From EC2's notice to the end of a Spot instance.
NOTICE_S = 120.0
_CALLS = frozenset({Phase.PROTECTING, Phase.UNPROTECTING, Phase.TERMINATING})


@dataclass
class Job:
    """A job that takes `work_s` on a worker. `lease_until` when its holder is known to be dead."""

    created_at: float
    work_s: float
    ends_at: float = math.inf
    lease_until: float = math.inf


class ClockOf:
    """The world's time as the worker's code reads it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def monotonic(self) -> float:
        return self._world.now

    def now(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


@dataclass
class Machine:
    """Boots until `ready_at`, or fails then. `frozen`: its kernel has stopped, EC2 sees nothing."""

    world: World
    instance_id: str
    ready_at: float
    fails: bool
    spot: bool
    leave: Leave = START
    up: bool = False
    frozen: bool = False
    jobs: list[Job] = field(default_factory=list)
    idle_since: float = 0.0
    signed_at: float | None = None
    gone_at: float = math.inf
    broken_since: float | None = None

    def __post_init__(self) -> None:
        client = self.world.client(self.instance_id)
        group = OwnGroup(client, self.world.group.name, self.instance_id)
        self.lifecycle = InstanceLifecycle(group, Metadata("http://unused"), ClockOf(self.world))

    @property
    def busy(self) -> bool:
        """Whether somebody's job would suffer from its end."""
        return bool(self.jobs)

    def fact(self) -> WorkerFact | None:
        """Return what its row says, None before its first sign."""
        if self.signed_at is None:
            return None
        jobs = len(self.jobs)
        state = state_of(self.leave, jobs)
        silent_s = self.world.now - self.signed_at
        return WorkerFact(self.instance_id, state, jobs, jobs, silent_s)

    def notice(self, event: Event) -> None:
        """Tell the worker what EC2 or the group says; one that does not run hears nothing."""
        if self.up and not self.frozen:
            self.leave = told(self.leave, event)

    def step(self) -> None:
        """Do what is due now."""
        if self.frozen:
            return
        if not self.up:
            self._boot()
            return
        for job in [job for job in self.jobs if job.ends_at <= self.world.now]:
            self.jobs.remove(job)
            self.world.finished(job)
        for _ in range(8):
            before = self.leave
            self._follow()
            if self.leave == before:
                break
        if self.leave.phase is Phase.ENDED:
            self._complete_hook()
        elif self.signed_at is None or self.world.now - self.signed_at >= SIGN_S:
            self.signed_at = self.world.now

    def _boot(self) -> None:
        """A failed boot ends its instance and its place; where it may not, people look at it."""
        if self.broken_since is not None:
            if self.world.now - self.broken_since >= self.world.rules.probe_every_s:
                self.world.member(self.instance_id).health = "Unhealthy"
            return
        if self.world.now < self.ready_at:
            return
        reason = "manifest unknown" if self.fails else ""
        self.world.around.record(BootRecord(self.instance_id, self.fails, 30.0, "pull", reason))
        if not self.fails:
            self.up, self.idle_since = True, self.world.now
            self._follow()
            self.signed_at = self.world.now
        elif self.lifecycle.call(Leave(Phase.TERMINATING)) is not Answer.DONE:
            self.broken_since = self.world.now
        else:
            self._complete_hook()

    def _follow(self) -> None:
        """One turn of the worker's loop."""
        phase = self.leave.phase
        if phase in _CALLS:
            self.leave = answered(self.leave, phase, self.lifecycle.call(self.leave))
            self.idle_since = self.world.now
        elif phase is Phase.POLLING:
            self._poll()
        elif phase is Phase.HANDING_BACK:
            self.world.hand_back(self)
            self.leave = told(self.leave, Event.EMPTY)
        elif phase is Phase.FINISHING and not self.jobs:
            self.leave = told(self.leave, Event.EMPTY)

    def _poll(self) -> None:
        if len(self.jobs) < self.world.rules.slots and self.lifecycle.outdated():
            self.leave = told(self.leave, Event.OUTDATED)
            return
        assert self.world.member(self.instance_id).protected, "a worker polls unprotected"
        while len(self.jobs) < self.world.rules.slots and self.world.waiting:
            self.world.start(self)
        if self.jobs:
            self.idle_since = self.world.now
        elif self.world.now - self.idle_since >= self.world.idle_s:
            self.leave = told(self.leave, Event.IDLE)

    def _complete_hook(self) -> None:
        member = self.world.group.members.get(self.instance_id)
        if member is not None and member.state == TERMINATING_WAIT:
            states.complete(self.world.group, member, HOOK, "CONTINUE", self.world.now)

"""Auto Scaling groups: what is wanted against what is there."""

from __future__ import annotations

import logging
from collections.abc import Callable

from local.control.launches import Launches
from local.control.pools import Pools
from local.hosts import Instances
from local.services.autoscaling import lifecycle, refreshes, texts
from local.services.autoscaling.model import (
    IN_SERVICE,
    TERMINATING,
    WARM_STOPPED,
    Activity,
    Group,
    Member,
    Store,
)
from local.services.autoscaling.sizing import over_age, to_end, to_launch
from local.services.autoscaling.sources import ClientSource
from local.services.autoscaling.warm_pools import to_prepare

_log = logging.getLogger(__name__)

#: Seconds before a failed launch is tried again; doubled with each failure up to the second.
_RETRY_S, _RETRY_MAX_S = 5.0, 300.0
#: Activities kept a group, and of deleted groups.
_KEPT = 200


def _all_healthy(arn: str) -> frozenset[str]:
    return frozenset()


class Fleets:
    """Brings every group to its desired capacity.

    `unhealthy` returns, for a target group's ARN, the instances whose check fails; groups with
    the ELB health check replace those. A store's lock is never held while AWS is called.
    """

    def __init__(
        self,
        store: Store,
        clients: ClientSource,
        instances: Instances,
        *,
        unhealthy: Callable[[str], frozenset[str]] = _all_healthy,
    ) -> None:
        self._store = store
        self._launches = Launches(clients, instances)
        self._pools = Pools(store, self._launches)
        self._unhealthy = unhealthy

    def tick(self, now: float) -> None:
        """Take every group one step further; one that fails does not hold the others."""
        self._bury(set(self._launches.ended()), now)
        for group in list(self._store.groups.values()):
            try:
                self._advance(group, now)
            except Exception:
                _log.exception("Auto Scaling group %s", group.name)

    def _advance(self, group: Group, now: float) -> None:
        self._find_dead(group, now)
        self._decide(group, now)
        for _ in range(to_launch(group, now)):
            if not (self._pools.take(group, now) or self._launch(group, now)):
                break
        for _ in range(to_prepare(group, now)):
            if not self._launch(group, now, into_pool=True):
                break
        self._pools.settle(group, now)
        self._leave_target_groups(group)
        self._tell(group)
        for member in list(group.members.values()):
            if member.state == TERMINATING:
                self._end(group, member, now)
        self._forget(group)
        self._join_target_groups(group)

    def _find_dead(self, group: Group, now: float) -> None:
        """Take out what EC2 no longer runs; judge the health of the rest."""
        up, standing = set[str](), set[str]()
        for member in list(group.members.values()):
            (standing if member.state == WARM_STOPPED else up).add(member.instance_id)
        for ids, states in ((up, ("pending", "running")), (standing, ("stopped",))):
            if ids:
                self._bury(ids - self._launches.in_state(list(ids), *states), now)
        if not group.runs("HealthCheck") or "ELB" not in group.settings["HealthCheckType"]:
            return
        failing = {i for arn in group.target_groups for i in self._unhealthy(arn)}
        grace_s = group.settings["HealthCheckGracePeriod"]
        with self._store.lock:
            for member in group.active:
                served_s = now - (member.in_service_at or now)
                if member.instance_id in failing and served_s >= grace_s:
                    member.health = "Unhealthy"

    def _decide(self, group: Group, now: float) -> None:
        matching: set[str] = set()
        if group.refresh:
            template = self._launches.template(group)
            matching = {m.instance_id for m in group.active if m.template == template}
        with self._store.lock:
            lifecycle.time_out(group, now)
            if group.runs("ReplaceUnhealthy"):
                cause = texts.taken_out("a health check that failed", now)
                for member in [m for m in group.active if m.health != "Healthy"]:
                    lifecycle.leave(group, member, cause, now)
            refreshes.advance(group, matching, now)
            for member in over_age(group, now):
                cause = texts.taken_out("its maximum lifetime", now)
                lifecycle.leave(group, member, cause, now)
            for member in to_end(group):
                size = len(group.active)
                cause = " ".join((*group.causes, texts.shrunk(size, size - 1, now)))
                lifecycle.leave(group, member, cause, now)
            if len(group.active) == group.desired:
                group.causes.clear()

    def _launch(self, group: Group, now: float, *, into_pool: bool = False) -> bool:
        size = len(group.active)
        cause = " ".join((*group.causes, texts.started(size, size + 1, now)))
        activity = Activity(group.name, "Launching a new EC2 instance", cause, now)
        try:
            member = self._launches.launch(group, activity, now)
        except Exception as error:
            failures = group.launch_failures
            retry_s = min(_RETRY_S * 2**failures, _RETRY_MAX_S)
            with self._store.lock:
                activity.end("Failed", now, str(error))
                group.activities.insert(0, activity)
                group.launch_failures, group.launch_not_before = failures + 1, now + retry_s
            _log.warning("group %s: launch failed: %s", group.name, error)
            return False
        with self._store.lock:
            group.activities.insert(0, activity)
            group.launch_failures = 0
            (lifecycle.enter_pool if into_pool else lifecycle.enter)(group, member, now)
            if group.deleting:
                lifecycle.leave(group, member, texts.taken_out("a user request", now), now)
        return True

    def _leave_target_groups(self, group: Group) -> None:
        for member in list(group.members.values()):
            keep = set(group.target_groups) if member.state == IN_SERVICE else set()
            for arn in member.target_groups - keep:
                member.target_groups.discard(arn)
                self._launches.deregister(arn, member.instance_id)

    def _join_target_groups(self, group: Group) -> None:
        if not group.runs("AddToLoadBalancer"):
            return
        for member in list(group.members.values()):
            if member.state == IN_SERVICE:
                for arn in set(group.target_groups) - member.target_groups:
                    self._launches.register(arn, member.instance_id)
                    member.target_groups.add(arn)

    def _tell(self, group: Group) -> None:
        for member in list(group.members.values()):
            for wait in list(member.waits.values()):
                if not wait.told:
                    wait.told = True
                    self._launches.tell(group, member, wait)

    def _end(self, group: Group, member: Member, now: float) -> None:
        self._launches.terminate(member.instance_id)
        with self._store.lock:
            member.activity.end("Successful", now)
            group.members.pop(member.instance_id, None)

    def _bury(self, instance_ids: set[str], now: float) -> None:
        """Take instances out that are gone already: no hook holds what does not run."""
        for group in list(self._store.groups.values()):
            for instance_id in instance_ids & set(group.members):
                member = group.members[instance_id]
                with self._store.lock:
                    cause = texts.taken_out("an EC2 health check: it ended by itself", now)
                    lifecycle.leave(group, member, cause, now)
                    member.waits.clear()
                    member.state = TERMINATING

    def _forget(self, group: Group) -> None:
        with self._store.lock:
            del group.activities[_KEPT:]
            if group.deleting and not group.members:
                self._store.groups.pop(group.name, None)
                self._store.past_activities[:0] = group.activities
                del self._store.past_activities[_KEPT:]

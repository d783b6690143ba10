"""Warm pools: instances are stopped once they are prepared, and started when they are wanted."""

from __future__ import annotations

import logging

from local.control.launches import Launches
from local.services.autoscaling import lifecycle, texts
from local.services.autoscaling.model import WARM_PENDING, WARM_STOPPED, Activity, Group, Store
from local.services.autoscaling.warm_pools import pooled, stopped, surplus

_log = logging.getLogger(__name__)


class Pools:
    """Takes instances out of the warm pools of groups, and stops those that were prepared."""

    def __init__(self, store: Store, launches: Launches) -> None:
        self._store = store
        self._launches = launches

    def take(self, group: Group, now: float) -> bool:
        """Start an instance of the pool in the group; False when none stands there.

        Its state changes first: its boot asks for it. One that cannot be started is taken out.
        """
        with self._store.lock:
            ready = stopped(group)
            if not ready:
                return False
            member, size = ready[0], len(group.active)
            description = f"Launching a new EC2 instance from warm pool: {member.instance_id}"
            cause = " ".join((*group.causes, texts.started(size, size + 1, now)))
            activity = Activity(group.name, description, cause, now)
            group.activities.insert(0, activity)
            lifecycle.draw(group, member, activity, now)
        try:
            self._launches.start(member.instance_id)
        except Exception as error:
            _log.warning("group %s: %s does not start: %s", group.name, member.instance_id, error)
            with self._store.lock:
                cause = texts.taken_out("an EC2 health check: it did not start", now)
                lifecycle.leave(group, member, cause, now)
        return True

    def settle(self, group: Group, now: float) -> None:
        """Stop what is prepared, which takes its time, and end what the pool has too many."""
        with self._store.lock:
            for member in surplus(group):
                lifecycle.leave(group, member, texts.taken_out("the warm pool's size", now), now)
            prepared = [member for member in pooled(group) if member.state == WARM_PENDING]
        for member in prepared:
            if self._launches.halt(member.instance_id):
                with self._store.lock:
                    if member.state == WARM_PENDING:
                        member.state = WARM_STOPPED

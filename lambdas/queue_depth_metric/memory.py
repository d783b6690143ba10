"""What one container remembers of a fleet's instances between two looks.

All of it may be lost with the container: then the fleet is judged later, not worse.
"""

from __future__ import annotations

from collections.abc import Collection

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric import zombies
from lambdas.queue_depth_metric.fleets import Group
from lambdas.queue_depth_metric.presence import Presence, presence


class Memory:
    """Since when each instance is there, what booted, and who is suspected to be a zombie.

    Auto Scaling does not say when an instance was launched: it counts from the first look at it.
    """

    def __init__(self, rules: FleetRules, now: float) -> None:
        self._rules = rules
        self._first_seen: dict[str, float] = {}
        self._booting: frozenset[str] = frozenset()
        self._asked = 0
        self._unsettled_at = now
        self._lone_since: float | None = None
        self.marks = zombies.Marks()

    def boot_ended(self, group: Group, fact: FleetFact | None) -> bool:
        """Say whether a boot has ended since the last look, for good or ill: a record tells more.

        One that is over within two looks shows by its place in the group, which went with it.
        """
        signed = {each.instance_id for each in fact.workers} if fact else set()
        over = self._booting - (set(group.active) - signed)
        return bool(over) or group.capacity.desired < self._asked

    def asked(self, desired: int) -> None:
        """Remember the capacity that was asked for."""
        self._asked = desired

    def see(
        self, group: Group, fact: FleetFact | None, booted: Collection[str], now: float
    ) -> Presence:
        """Return what the instances do, and remember it."""
        self._first_seen = {each: self._first_seen.get(each, now) for each in group.active}
        served_s = {each: now - since for each, since in self._first_seen.items()}
        found = presence(group, fact, self._rules, served_s=served_s, booted=booted)
        self._booting = found.booting
        self._asked = group.capacity.desired
        if found.booting or missing(group):
            self._unsettled_at = now
        self.marks = zombies.marked(self.marks, found.silent or (), now)
        return found

    def lone_s(self, lone: bool, now: float) -> float:
        """Return for how long a message has lain there without a row, 0 when none does."""
        since = now if self._lone_since is None else self._lone_since
        self._lone_since = since if lone else None
        return now - since

    def settled_s(self, now: float) -> float:
        """Return for how long no instance has been booting or missing."""
        return now - self._unsettled_at

    def buried(self, instance_id: str, now: float) -> None:
        """Forget a zombie that was ended."""
        self.marks = zombies.ended(self.marks, instance_id, now)


def missing(group: Group) -> int:
    """Return how many instances were asked for and are not there yet."""
    return max(0, group.capacity.desired - len(group.active))

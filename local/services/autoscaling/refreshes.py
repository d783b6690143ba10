"""Instance refreshes: the operations, and the rolling replacement that each tick advances."""

from __future__ import annotations

import math
from typing import Any

from local.clock import Clock
from local.protocol import ServiceError
from local.services.autoscaling import describe, lifecycle, texts
from local.services.autoscaling.model import IN_SERVICE, Group, Member, Refresh, Store, invalid
from local.services.autoscaling.sizing import warmup_of

#: How long `Wait` waits for a protection to be given up before the refresh fails.
#: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
PROTECTED_WAIT_S = 3600
_PREFERENCES = (
    "InstanceWarmup",
    "MinHealthyPercentage",
    "ScaleInProtectedInstances",
    "SkipMatching",
)
_PROTECTED = ("Wait", "Ignore", "Refresh")


class RefreshOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def start_instance_refresh(self, params: dict[str, Any]) -> dict[str, Any]:
        """Start replacing the instances that are in the group now."""
        group = self._store.group(params["AutoScalingGroupName"])
        if params.get("DesiredConfiguration") or params.get("Strategy", "Rolling") != "Rolling":
            raise invalid("DesiredConfiguration and strategies but Rolling are not played here")
        preferences = dict(params.get("Preferences") or {})
        if unknown := sorted(set(preferences) - set(_PREFERENCES)):
            raise invalid(f"Preferences {', '.join(unknown)} are not played here")
        protected = preferences.setdefault("ScaleInProtectedInstances", "Ignore")
        if protected not in _PROTECTED:
            raise invalid(f"ScaleInProtectedInstances {protected!r}: {', '.join(_PROTECTED)}")
        percent = int(preferences.setdefault("MinHealthyPercentage", 90))
        if not 0 <= percent <= 100:
            raise invalid(f"MinHealthyPercentage {percent} must be between 0 and 100")
        if group.refresh:
            raise ServiceError(
                "InstanceRefreshInProgress",
                "An Instance Refresh is already in progress and blocks the execution of this one.",
            )
        old = {member.instance_id for member in group.active}
        refresh = Refresh(
            group=group.name,
            old=old,
            total=len(old),
            min_healthy_percent=percent,
            warmup_s=warmup_of(group, preferences.get("InstanceWarmup")),
            protected=protected,
            started_at=self._clock.now(),
            preferences=preferences,
        )
        group.refreshes.append(refresh)
        return {"InstanceRefreshId": refresh.id}

    def describe_instance_refreshes(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a group's refreshes, newest first."""
        group = self._store.group(params["AutoScalingGroupName"])
        ids = params.get("InstanceRefreshIds") or []
        found = [r for r in reversed(group.refreshes) if not ids or r.id in ids]
        shown, more = describe.page(found, params, 50)
        return {"InstanceRefreshes": [describe.refresh_of(r) for r in shown], **more}

    def cancel_instance_refresh(self, params: dict[str, Any]) -> dict[str, Any]:
        """Stop replacing; what is replaced stays."""
        group = self._store.group(params["AutoScalingGroupName"])
        refresh = group.refresh
        if refresh is None:
            raise ServiceError(
                "ActiveInstanceRefreshNotFound",
                f"No in progress or pending Instance Refresh found for group {group.name}",
            )
        refresh.status, refresh.ended_at = "Cancelled", self._clock.now()
        refresh.reason = "Cancelled by a user request."
        return {"InstanceRefreshId": refresh.id}


def advance(group: Group, matching: set[str], now: float) -> None:
    """Replace what the refresh may replace now, and end it when nothing is left.

    `matching` are the instances that have the group's present template already. The caller
    launches what is missing; here instances only begin their termination.
    """
    refresh = group.refresh
    if refresh is None or not group.runs("InstanceRefresh"):
        return
    skipped = matching if refresh.preferences.get("SkipMatching") else set()
    refresh.old &= {member.instance_id for member in group.active} - skipped
    old = [group.members[i] for i in sorted(refresh.old)]
    if refresh.protected == "Ignore":
        old = [member for member in old if not member.protected]
    if not old:
        if all(_warm(refresh, member, now) for member in group.active) and not _missing(group):
            refresh.old.clear()
            refresh.status, refresh.ended_at = "Successful", now
        return
    free = [m for m in old if not m.protected or refresh.protected == "Refresh"]
    if not free:
        refresh.reason = "Waiting for instances to give up their protection from scale-in."
        if now - refresh.started_at >= PROTECTED_WAIT_S:
            refresh.status, refresh.ended_at = "Failed", now
        return
    refresh.reason = None
    for member in free[: _may_end(group, refresh, now)]:
        lifecycle.leave(group, member, texts.taken_out("an instance refresh", now), now)
        refresh.old.discard(member.instance_id)


def _missing(group: Group) -> bool:
    return len(group.active) < group.desired


def _may_end(group: Group, refresh: Refresh, now: float) -> int:
    healthy = sum(_warm(refresh, member, now) for member in group.active)
    if refresh.min_healthy_percent == 100:
        return max(0, healthy - group.desired)
    down = max(1, group.desired - math.ceil(group.desired * refresh.min_healthy_percent / 100))
    return max(0, healthy - (group.desired - down))


def _warm(refresh: Refresh, member: Member, now: float) -> bool:
    if member.state != IN_SERVICE or member.health != "Healthy":
        return False
    if member.instance_id in refresh.old:
        return True
    return now - (member.in_service_at or now) >= refresh.warmup_s

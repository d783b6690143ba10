"""Operations on single instances: describe, protect, report health, terminate."""

from __future__ import annotations

from typing import Any

from local.clock import Clock
from local.services.autoscaling import describe, lifecycle, texts
from local.services.autoscaling.model import IN_SERVICE, Store, invalid


class InstanceOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe_auto_scaling_instances(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return instances of all groups."""
        ids = params.get("InstanceIds") or []
        found = [
            describe.instance_of(group, member)
            for group in self._store.groups.values()
            for member in group.members.values()
            if not ids or member.instance_id in ids
        ]
        shown, more = describe.page(found, params, 50)
        return {"AutoScalingInstances": shown, **more}

    def set_instance_protection(self, params: dict[str, Any]) -> dict[str, Any]:
        """Protect instances in service from scale-in, or give that up; all of them or none."""
        group = self._store.group(params["AutoScalingGroupName"])
        members = [group.members.get(i) for i in params["InstanceIds"]]
        for instance_id, member in zip(params["InstanceIds"], members, strict=True):
            if member is None:
                raise invalid(
                    f"The instance {instance_id} is not part of Auto Scaling group {group.name}."
                )
            if member.state != IN_SERVICE:
                raise invalid(
                    f"The instance {instance_id} is not in InService or EnteringStandby or Standby."
                )
        for member in members:
            if member is not None:
                member.protected = bool(params["ProtectedFromScaleIn"])
        return {}

    def set_instance_health(self, params: dict[str, Any]) -> dict[str, Any]:
        """Record a health status; an Unhealthy instance is replaced by the control loop.

        Within the group's grace period Unhealthy is ignored, unless ShouldRespectGracePeriod is
        false.
        """
        group, member = self._store.member(params["InstanceId"])
        status = params["HealthStatus"]
        if status not in {"Healthy", "Unhealthy"}:
            raise invalid(f"HealthStatus {status!r}; allowed: Healthy, Unhealthy")
        grace_s = group.settings.get("HealthCheckGracePeriod") or 0
        since_s = self._clock.now() - (member.in_service_at or self._clock.now())
        respected = params.get("ShouldRespectGracePeriod", True)
        if status == "Unhealthy" and respected and since_s < grace_s:
            return {}
        member.health = status
        return {}

    def terminate_instance_in_auto_scaling_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """End an instance, protected or not; with or without its place in the group.

        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
        """
        group, member = self._store.member(params.get("InstanceId"))
        if member.warm:
            raise invalid(f"The instance {member.instance_id} is in the warm pool.")
        now = self._clock.now()
        cause = texts.taken_out("a user request", now)
        if member.active and params["ShouldDecrementDesiredCapacity"]:
            if group.desired - 1 < group.minimum:
                raise invalid(
                    f"Currently, desiredSize equals minSize ({group.minimum}). Terminating "
                    "instance without replacement will violate group's min size constraint. "
                    "Either set shouldDecrementDesiredCapacity flag to false or lower group's min "
                    "size."
                )
            group.desired -= 1
            group.scaled_at = now
            cause = texts.taken_out(
                "a user request, shrinking the capacity "
                f"from {group.desired + 1} to {group.desired}",
                now,
            )
        activity = lifecycle.leave(group, member, cause, now)
        return {"Activity": describe.activity_of(activity)}

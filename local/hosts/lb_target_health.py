"""DescribeTargetHealth of ELBv2's API, answered with what was really checked."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import elbv2_backends

from local.clients import ACCOUNT, REGION
from local.hosts.lb_health import Health, Target
from local.hosts.load_balancer import LocalLoadBalancers
from local.protocol import NotOurs


class TargetHealth:
    """DescribeTargetHealth with the health that was really checked; the rest of ELBv2 is moto's."""

    name = "elbv2"

    def __init__(self, balancers: LocalLoadBalancers) -> None:
        self._balancers = balancers

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer DescribeTargetHealth of a group that exists.

        Raises: NotOurs for everything else.
        """
        backend = elbv2_backends[ACCOUNT][REGION]
        group = backend.target_groups.get(params.get("TargetGroupArn", ""))
        if operation != "DescribeTargetHealth" or group is None:
            raise NotOurs
        found = backend.describe_target_health(group.arn, params.get("Targets") or [])
        answers = [self._described(group, one) for one in found]
        return {"TargetHealthDescriptions": answers}

    def _described(self, group: Any, status: Any) -> dict[str, Any]:
        target = Target(group.arn, status.instance_id, int(status.port))
        state: dict[str, Any] = {key: v for key, v in status.target_health.items() if v}
        if status.instance_id in group.targets:
            health = self._balancers.health.of(target) or Health()
            if not self._balancers.uses(group.arn):
                state = {"State": "unused", "Reason": "Target.NotInUse"}
                state["Description"] = "Target group is not configured to receive traffic"
            else:
                state = {"State": health.state}
                state |= {"Reason": health.reason} if health.reason else {}
                state |= {"Description": health.description} if health.description else {}
        return {
            "Target": {"Id": target.id, "Port": target.port},
            "HealthCheckPort": str(status.health_check_port or target.port),
            "TargetHealth": state,
        }

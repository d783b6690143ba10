"""The service: operations by name."""

from __future__ import annotations

from typing import Any

from botocore import xform_name

from local.clock import Clock
from local.services.autoscaling.groups import GroupOperations
from local.services.autoscaling.hooks import HookOperations
from local.services.autoscaling.instances import InstanceOperations
from local.services.autoscaling.model import Store, invalid
from local.services.autoscaling.policies import PolicyOperations
from local.services.autoscaling.refreshes import RefreshOperations
from local.services.autoscaling.sources import ClientSource
from local.services.autoscaling.tags import BelongingOperations
from local.services.autoscaling.warm_pools import WarmPoolOperations


class AutoScalingService:
    """Auto Scaling of one account and region.

    Only the fleets controller launches and ends instances; operations change what is wanted.
    Refused: predictive scaling, target tracking of anything but CPU use, scheduled
    actions, standby, attach and detach of instances, launch configurations.
    """

    name = "autoscaling"

    def __init__(self, clock: Clock, *, account: str, region: str, clients: ClientSource) -> None:
        self.store = Store(account, region)
        self._parts = (
            GroupOperations(self.store, clock, clients),
            InstanceOperations(self.store, clock),
            HookOperations(self.store, clock),
            PolicyOperations(self.store, clock),
            RefreshOperations(self.store, clock),
            BelongingOperations(self.store),
            WarmPoolOperations(self.store, clock),
        )

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer one operation.

        Raises: ServiceError.
        """
        method = xform_name(operation)
        for part in self._parts:
            if act := getattr(part, method, None):
                with self.store.lock:
                    answer: dict[str, Any] = act(params)
                    return answer
        raise invalid(f"The embedded Auto Scaling does not play {operation}")

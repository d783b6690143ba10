"""What instances are paid for: from their launch to their end."""

from __future__ import annotations

from ops.simulate.instance import Instance
from ops.simulate.result import Result

#: Seconds from the end's beginning until an instance is paid for no more: the hook, the shutdown.
END_S = 5.0


class Bill:
    """Adds up instance-seconds by market."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def ended(self, instance: Instance, now_s: float) -> None:
        """Charge an instance that begins to end now."""
        self.until(instance, now_s + END_S)

    def until(self, instance: Instance, now_s: float) -> None:
        """Charge an instance up to now."""
        if instance.spot:
            self._result.spot_instance_s += now_s - instance.born_s
        else:
            self._result.on_demand_instance_s += now_s - instance.born_s

    def prepared(self, boot_s: float) -> None:
        """Charge an instance that booted only to be stopped."""
        self._result.on_demand_instance_s += boot_s + END_S

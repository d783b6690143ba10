"""AWS/EC2 CPUUtilization: what the processes of a group's instances really used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from local.control.minutes import MinuteMetrics
from local.services.autoscaling.model import Store
from local.services.autoscaling.sources import ClientSource


class CpuMetrics(MinuteMetrics):
    """Publishes each instance's CPU use, per cent of this machine, under its group each minute.

    CloudWatch's average over a group is the mean of its instances. `cpu_s` gives an instance's CPU
    seconds since its boot, `real_s` the real time: what a process uses follows no other clock.
    """

    namespace = "AWS/EC2"
    dimension = "AutoScalingGroupName"

    def __init__(
        self,
        clients: ClientSource,
        store: Store,
        cpu_s: Callable[[str], float | None],
        real_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clients)
        self._store = store
        self._cpu_s = cpu_s
        self._real_s = real_s
        self._before: dict[str, tuple[float, float]] = {}

    def read(self) -> Iterable[tuple[str, dict[str, tuple[float, str]]]]:
        """Return the use of every instance since the last reading; a new one has none yet."""
        with self._store.lock:
            found = [(g.name, i) for g in self._store.groups.values() for i in g.members]
        readings = {
            instance_id: (self._real_s(), used)
            for _, instance_id in found
            if (used := self._cpu_s(instance_id)) is not None
        }
        for group, instance_id in found:
            if instance_id in readings and instance_id in self._before:
                percent = _percent(self._before[instance_id], readings[instance_id])
                yield group, {"CPUUtilization": (percent, "Percent")}
        self._before = readings


def _percent(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Return the use between two readings of (real seconds, CPU seconds), 0 to 100."""
    passed, used = after[0] - before[0], after[1] - before[1]
    share = used / (passed * (os.cpu_count() or 1)) if passed > 0 else 0.0
    return 100 * min(1.0, max(0.0, share))

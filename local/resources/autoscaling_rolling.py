"""An AutoScalingRollingUpdate that waits for the signals of the instances that it starts.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.signals import Mailbox, SignalError, duration_s


class RollingUpdate:
    """Replaces a group's instances of another launch template, one batch after the other.

    Where the size would fall below MinInstancesInService, new instances come first and the group
    is larger meanwhile. The suspended processes go on afterwards, however it ends.
    """

    def __init__(
        self, autoscaling: Any, group: str, policy: Mapping[str, Any], mailbox: Mailbox
    ) -> None:
        self._autoscaling = autoscaling
        self._group = group
        self._batch = int(policy.get("MaxBatchSize", 1))
        self._in_service = int(policy.get("MinInstancesInService", 0))
        self._percent = int(policy.get("MinSuccessfulInstancesPercent", 100))
        self._pause_s = duration_s(policy.get("PauseTime", "PT5M"))
        self._processes = set(policy.get("SuspendProcesses", []))
        self._mailbox = mailbox

    def run(self) -> None:
        """Replace every obsolete instance.

        Raises: SignalError; the group then has its former size again, and what was started last
        is gone. ValueError when the group has no room for a further instance.
        """
        found = self._describe()
        obsolete = _obsolete(found)
        if not obsolete:
            return
        size, limit = found["DesiredCapacity"], found["MaxSize"]
        surge = max(0, min(self._batch, len(obsolete)) - (size - self._in_service))
        if size + surge > limit:
            raise ValueError(
                f"MinInstancesInService {self._in_service} must be below the group's MaxSize "
                f"{limit}: no instance can be started before one ends"
            )
        suspended = {entry["ProcessName"] for entry in found["SuspendedProcesses"]}
        processes = sorted(self._processes - suspended)
        self._switch("suspend_processes", processes)
        try:
            self._replace(obsolete, size, surge)
        except SignalError:
            self._take_back(size)
            raise
        finally:
            self._switch("resume_processes", processes)

    def _replace(self, obsolete: list[str], size: int, surge: int) -> None:
        if surge:
            self._autoscaling.set_desired_capacity(
                AutoScalingGroupName=self._group, DesiredCapacity=size + surge
            )
            self._await(surge)
        started = surge + size - len(obsolete)
        while obsolete:
            batch, obsolete = obsolete[: self._batch], obsolete[self._batch :]
            replaced = min(len(batch), size - started)
            for number, instance_id in enumerate(batch):
                self._end(instance_id, shrink=number >= replaced)
            if replaced:
                self._await(replaced)
                started += replaced

    def _await(self, count: int) -> None:
        self._mailbox.wait(count, within_s=self._pause_s, percent=self._percent)

    def _take_back(self, size: int) -> None:
        """End what was started beyond the former size, the newest first."""
        found = self._describe()
        newest_first = [entry["InstanceId"] for entry in found["Instances"]][::-1]
        obsolete = set(_obsolete(found))
        new = [instance_id for instance_id in newest_first if instance_id not in obsolete]
        for instance_id in new[: found["DesiredCapacity"] - size]:
            self._end(instance_id, shrink=True)

    def _end(self, instance_id: str, *, shrink: bool) -> None:
        self._autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=shrink
        )

    def _switch(self, operation: str, processes: list[str]) -> None:
        """Suspend or resume; no name at all would mean every process."""
        if processes:
            getattr(self._autoscaling, operation)(
                AutoScalingGroupName=self._group, ScalingProcesses=processes
            )

    def _describe(self) -> dict[str, Any]:
        [found] = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._group]
        )["AutoScalingGroups"]
        return dict(found)


def _obsolete(group: Mapping[str, Any]) -> list[str]:
    """Return the instances in service that were launched from another template or version."""
    wanted = _identity(group["LaunchTemplate"])
    return [
        entry["InstanceId"]
        for entry in group["Instances"]
        if entry["LifecycleState"] == "InService" and _identity(entry["LaunchTemplate"]) != wanted
    ]


def _identity(template: Mapping[str, str]) -> tuple[str, str]:
    return template["LaunchTemplateId"], template["Version"]

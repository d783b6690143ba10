"""A worker's own end: protected from launch, it alone decides when its instance goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from worker_images.base.imds import Metadata
from worker_images.base.logging import logger
from worker_images.base.settings import WorkerSettings

_log = logger("lifecycle")
#: How often the instance is asked whether it is to be taken away; AWS recommends 5 s.
NOTICE_EVERY_S = 5.0


class Lifecycle(Protocol):
    """What a worker asks of, and is told by, what it runs on."""

    def leave(self) -> bool:
        """End the idle instance and its place in the group; False means go on polling."""
        ...

    def watch(self, noticed: Callable[[str], None]) -> None:
        """Call `noticed` with the reason, once, when the instance is going to be taken away."""
        ...

    def give_way(self) -> None:
        """End a drained instance that was noticed, so that the group replaces it."""
        ...


class NullLifecycle:
    """Outside an Auto Scaling group nobody ends a worker but its operator."""

    def leave(self) -> bool:
        return False

    def watch(self, noticed: Callable[[str], None]) -> None:
        """Nothing is ever noticed."""

    def give_way(self) -> None:
        """Nothing replaces it."""


@dataclass
class InstanceLifecycle:
    """An instance of an Auto Scaling group, which keeps it protected until it lets itself go.

    The termination hook is completed by the boot script, after the container has ended.
    """

    autoscaling: Any
    group_name: str
    instance_id: str
    metadata: Metadata
    _noticed: bool = False

    def leave(self) -> bool:
        """A refusal (the group is at its minimum) brings the protection back."""
        try:
            self._protect(False)
            self._terminate(decrement=True)
        except (ClientError, BotoCoreError) as error:
            _log.info("idle, but the group keeps this instance", reason=str(error))
            self._protect_again()
            return False
        _log.info("idle: instance ends itself", instance_id=self.instance_id)
        return True

    def watch(self, noticed: Callable[[str], None]) -> None:
        def loop() -> None:
            pause = threading.Event()
            while not self._look(noticed):
                pause.wait(NOTICE_EVERY_S)

        threading.Thread(target=loop, name="notices", daemon=True).start()

    def give_way(self) -> None:
        if not self._noticed:
            return
        try:
            self._protect(False)
            self._terminate(decrement=False)
        except (ClientError, BotoCoreError) as error:
            _log.info("drained, and the group ends this instance by itself", reason=str(error))

    def _look(self, noticed: Callable[[str], None]) -> bool:
        try:
            reason = self.metadata.notice()
        except OSError as error:
            _log.warning("metadata service does not answer", error=repr(error))
            return False
        if reason is None:
            return False
        self._noticed = True
        noticed(reason)
        return True

    def _terminate(self, *, decrement: bool) -> None:
        self.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance_id, ShouldDecrementDesiredCapacity=decrement
        )

    def _protect_again(self) -> None:
        """An instance that cannot be protected again works on; the next idle time tries again."""
        try:
            self._protect(True)
        except (ClientError, BotoCoreError) as error:
            _log.error("instance is not protected from scale-in", error=repr(error))

    def _protect(self, protected: bool) -> None:
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=self.group_name,
            InstanceIds=[self.instance_id],
            ProtectedFromScaleIn=protected,
        )


def open_lifecycle(settings: WorkerSettings) -> Lifecycle:
    """Return the lifecycle of this process: its instance's, or none outside a group."""
    if settings.group_name is None:
        return NullLifecycle()
    autoscaling = boto3.client("autoscaling", region_name=settings.region)
    metadata = Metadata(settings.metadata_endpoint)
    return InstanceLifecycle(autoscaling, settings.group_name, metadata.instance_id(), metadata)

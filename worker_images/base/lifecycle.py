"""A worker's own end: protected from launch, it alone decides when its instance goes."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from worker_images.base.logging import logger
from worker_images.base.settings import WorkerSettings

_log = logger("lifecycle")
_TOKEN_TTL_S = 60
_TIMEOUT_S = 5


class Lifecycle(Protocol):
    """What an idle worker asks before it stops polling for good."""

    def leave(self) -> bool:
        """End the instance; False means go on polling."""
        ...


class NullLifecycle:
    """Outside an Auto Scaling group nobody ends a worker but its operator."""

    def leave(self) -> bool:
        return False


@dataclass(frozen=True)
class InstanceLifecycle:
    """Gives up the protection, then ends the instance and takes its place out of the group.

    The caller has stopped polling. A refusal (the group is at its minimum) brings the protection
    back, so that nobody else ends the worker while it works.
    """

    autoscaling: Any
    group_name: str
    instance_id: str

    def leave(self) -> bool:
        try:
            self._protect(False)
            self.autoscaling.terminate_instance_in_auto_scaling_group(
                InstanceId=self.instance_id, ShouldDecrementDesiredCapacity=True
            )
        except (ClientError, BotoCoreError) as error:
            _log.info("idle, but the group keeps this instance", reason=str(error))
            self._protect(True)
            return False
        _log.info("idle: instance ends itself", instance_id=self.instance_id)
        return True

    def _protect(self, protected: bool) -> None:
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=self.group_name,
            InstanceIds=[self.instance_id],
            ProtectedFromScaleIn=protected,
        )


def instance_id(endpoint: str) -> str:
    """Return this instance's id from the metadata service, version 2.

    Raises: OSError when the service does not answer.
    """
    base = endpoint.rstrip("/")
    token = _call(
        f"{base}/latest/api/token",
        method="PUT",
        headers={"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_TTL_S)},
    )
    return _call(
        f"{base}/latest/meta-data/instance-id",
        method="GET",
        headers={"X-aws-ec2-metadata-token": token},
    )


def _call(url: str, *, method: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - http only
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        return str(answer.read().decode())


def open_lifecycle(settings: WorkerSettings) -> Lifecycle:
    """Return the lifecycle of this process: its instance's, or none outside a group."""
    if settings.group_name is None:
        return NullLifecycle()
    autoscaling = boto3.client("autoscaling", region_name=settings.region)
    own_id = instance_id(settings.metadata_endpoint)
    return InstanceLifecycle(autoscaling, settings.group_name, own_id)

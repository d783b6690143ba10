"""What the controller and the workers call, played without any I/O by the embedded AWS's own model.

Auto Scaling is local.services.autoscaling's service itself, with its operations, errors and pure
arithmetic; queues, logs and alarms are what the world says. Every call is kept with its caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import ClientError, EndpointConnectionError

from config.contracts.boot_records import BootRecord
from lambdas.queue_depth_metric.clients import Clients
from local.protocol import ServiceError
from local.services.autoscaling.service import AutoScalingService

if TYPE_CHECKING:
    from tests.fleet.world import World

TEMPLATE = "lt-workers"


@dataclass(frozen=True)
class Called:
    """A call to Auto Scaling: by the controller, by an instance of that id, or by an operator."""

    by: str
    name: str
    params: dict[str, Any]
    desired: int
    busy: bool


@dataclass
class AutoScaling:
    """boto3's client as `by` has it; `down` while it does not answer."""

    service: AutoScalingService
    by: str
    calls: list[Called]
    look: Callable[[dict[str, Any]], tuple[int, bool]]
    down: bool = False

    def __getattr__(self, method: str) -> Callable[..., Any]:
        name = "".join(part.capitalize() for part in method.split("_"))

        def call(**params: Any) -> Any:
            if self.down:
                raise EndpointConnectionError(endpoint_url="autoscaling")
            if not name.startswith("Describe"):
                self.calls.append(Called(self.by, name, params, *self.look(params)))
            try:
                return self.service.handle(name, params)
            except ServiceError as error:
                answer = {"Error": {"Code": error.code, "Message": error.message}}
                raise ClientError(answer, name) from error

        return call


class Templates:
    """EC2 as far as a group asks it: each version of the launch template is there."""

    def client(self, service: str) -> Templates:
        assert service == "ec2"
        return self

    def describe_launch_template_versions(self, **params: Any) -> Any:
        [version] = params["Versions"]
        found = {
            "LaunchTemplateId": TEMPLATE,
            "LaunchTemplateName": TEMPLATE,
            "VersionNumber": version,
            "LaunchTemplateData": {},
        }
        return {"LaunchTemplateVersions": [found]}


@dataclass
class Surroundings:
    """Queues, boot records and alarms as the controller's clients show them."""

    world: World
    queues_down: bool = False
    logs_down: bool = False
    records: list[tuple[float, str]] = field(default_factory=list)
    alarm: tuple[str, str] = ("OK", "")

    def clients(self, autoscaling: AutoScaling) -> Clients:
        return Clients(sqs=self, cloudwatch=self, autoscaling=autoscaling, logs=self)

    def record(self, boot: BootRecord) -> None:
        """Write a boot record."""
        line = {
            "event": "boot",
            "outcome": "failed" if boot.failed else "ended",
            "instance": boot.instance_id,
            "BootSeconds": boot.seconds,
            "step": boot.step,
            "reason": boot.reason,
        }
        self.records.append((self.world.now, json.dumps(line)))

    def get_queue_url(self, **_: str) -> Any:
        return {"QueueUrl": "u"} if not self.queues_down else self._gone("sqs")

    def get_queue_attributes(self, **_: Any) -> Any:
        if self.queues_down:
            self._gone("sqs")
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(len(self.world.waiting)),
                "ApproximateNumberOfMessagesNotVisible": str(len(self.world.running)),
            }
        }

    def filter_log_events(self, **params: Any) -> Any:
        if self.logs_down:
            self._gone("logs")
        since = params["startTime"] / 1000
        return {
            "events": [
                {"timestamp": int(at * 1000), "message": text}
                for at, text in self.records
                if at >= since
            ]
        }

    def put_metric_data(self, **_: Any) -> None:
        return None

    def describe_alarms(self, **_: Any) -> Any:
        return {"MetricAlarms": [{"StateValue": self.alarm[0]}]}

    def set_alarm_state(self, **params: Any) -> None:
        self.alarm = (params["StateValue"], params["StateReason"])

    @staticmethod
    def _gone(name: str) -> NoReturn:
        raise EndpointConnectionError(endpoint_url=name)

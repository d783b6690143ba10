"""A group of the embedded AWS's own Auto Scaling, its instances mere records: without any I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local.clock import ManualClock as GroupClock
from local.protocol import ServiceError
from local.services.autoscaling import lifecycle
from local.services.autoscaling.model import Activity, Group, Member
from local.services.autoscaling.service import AutoScalingService
from local.services.autoscaling.sizing import to_end, to_launch
from worker_images.base.imds import Metadata
from worker_images.base.lifecycle import InstanceLifecycle
from worker_images.base.own_group import OwnGroup
from worker_images.base.testing import ManualClock

GROUP, TEMPLATE = "academy-video-worker-asg", "lt-1"


class Templates:
    """EC2 as far as a group asks it: it has every version of the template."""

    def client(self, service: str) -> Templates:
        return self

    def describe_launch_template_versions(self, Versions: list[str], **_: str) -> Any:  # noqa: N803
        names = {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": TEMPLATE}
        found = {**names, "VersionNumber": Versions[0], "LaunchTemplateData": {}}
        return {"LaunchTemplateVersions": [found]}


class Client:
    """boto3's client, as far as answers and refusals go."""

    def __init__(self, service: AutoScalingService) -> None:
        self._service = service

    def __getattr__(self, method: str) -> Callable[..., Any]:
        name = "".join(part.capitalize() for part in method.split("_"))

        def call(**params: Any) -> Any:
            try:
                return self._service.handle(name, params)
            except ServiceError as error:
                answer: Any = {"Error": {"Code": error.code, "Message": error.message}}
                raise ClientError(answer, name) from error

        return call


class EmbeddedGroup:
    """A fleet's group, its instances in service and protected from their launch on."""

    def __init__(self, minimum: int = 0, desired: int = 1) -> None:
        self._clock = GroupClock()
        self._service = AutoScalingService(
            self._clock, account="1", region="r", clients=Templates()
        )
        self.client: Any = Client(self._service)
        self._launched = 0
        self.client.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MixedInstancesPolicy=self._mix("1"),
            MinSize=minimum,
            MaxSize=3,
            DesiredCapacity=desired,
            NewInstancesProtectedFromScaleIn=True,
        )
        self.tick()

    @property
    def group(self) -> Group:
        """The group itself."""
        return self._service.store.groups[GROUP]

    @property
    def active(self) -> dict[str, Member]:
        """The instances that count, by their ids."""
        return {member.instance_id: member for member in self.group.active}

    def lifecycle(self) -> InstanceLifecycle:
        """Return the lifecycle of the oldest instance."""
        own = OwnGroup(self.client, GROUP, next(iter(self.active)))
        return InstanceLifecycle(own, Metadata("http://127.0.0.1:1"), ManualClock())

    def tick(self) -> None:
        """Let the group end what it may and launch what it lacks."""
        self._clock.advance(1)
        now = self._clock.now()
        for member in to_end(self.group):
            lifecycle.leave(self.group, member, "scale-in", now)
        for _ in range(to_launch(self.group, now)):
            self._launch(now)

    def deploy(self) -> None:
        """Give the group another version of the template."""
        self.client.update_auto_scaling_group(
            AutoScalingGroupName=GROUP, MixedInstancesPolicy=self._mix("2")
        )

    def _launch(self, now: float) -> None:
        self._launched += 1
        mix = self.group.settings["MixedInstancesPolicy"]
        member = Member(
            instance_id=f"i-{self._launched:04}",
            zone="a",
            instance_type="c7g.xlarge",
            image_id="ami",
            template=dict(mix["LaunchTemplate"]["LaunchTemplateSpecification"]),
            launched_at=now,
            protected=bool(self.group.settings["NewInstancesProtectedFromScaleIn"]),
            activity=Activity(GROUP, "Launching", "", now),
        )
        lifecycle.enter(self.group, member, now)

    def _mix(self, version: str) -> Any:
        named = {"LaunchTemplateId": TEMPLATE, "Version": version}
        return {"LaunchTemplate": {"LaunchTemplateSpecification": named}}

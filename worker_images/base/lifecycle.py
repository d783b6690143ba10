"""What a worker's instance and its group say, and what they are asked to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from worker_images.base.clock import Clock
from worker_images.base.imds import Metadata
from worker_images.base.leaving import Answer, Event, Leave, Phase
from worker_images.base.logging import logger
from worker_images.base.settings import WorkerSettings
from worker_images.base.template_version import of_group, older

_log = logger("lifecycle")
#: How often the instance is asked whether it is to be taken away; AWS recommends 5 s.
NOTICE_EVERY_S = 5.0
#: How often the group is asked what it launches from.
ASK_EVERY_S = 30.0
#: An answer is about one call: botocore would make it again and report on the last.
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})
#: Not done, and the same call may be done soon.
#: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html
_PASSING = frozenset({"RequestLimitExceeded", "ResourceContention", "ScalingActivityInProgress"})


class Lifecycle(Protocol):
    """What a worker asks of, and is told by, what it runs on. `instance_id` None: no instance."""

    instance_id: str | None

    def call(self, leave: Leave) -> Answer:
        """Make the call of PROTECTING, UNPROTECTING or TERMINATING."""
        ...

    def outdated(self) -> bool:
        """Whether the group launches from a later template; asks now and then, if it can."""
        ...

    def version(self) -> str:
        """Return the launch template version that the instance came from, empty until known."""
        ...

    def watch(self, noticed: Callable[[Event, str], None]) -> None:
        """Call `noticed` with each notice and its reason, once."""
        ...


class NullLifecycle:
    """Outside an Auto Scaling group nobody ends a worker but its operator."""

    instance_id: str | None = None

    def call(self, leave: Leave) -> Answer:
        return Answer.REFUSED if leave.phase is Phase.TERMINATING else Answer.DONE

    def outdated(self) -> bool:
        return False

    def version(self) -> str:
        return ""

    def watch(self, noticed: Callable[[Event, str], None]) -> None:
        """Nothing is ever noticed."""


@dataclass
class InstanceLifecycle:
    """An instance of an Auto Scaling group.

    The termination hook is completed by the boot script, after the container has ended.
    """

    autoscaling: Any
    group_name: str
    instance_id: str | None
    metadata: Metadata
    clock: Clock
    _asked_at: float = float("-inf")
    _template: Mapping[str, Any] = field(default_factory=dict)

    def call(self, leave: Leave) -> Answer:
        try:
            if leave.phase is Phase.TERMINATING:
                self._terminate(leave)
            else:
                self._protect(leave.phase is Phase.PROTECTING)
        except ClientError as error:
            return self._refused(leave, error)
        except BotoCoreError as error:
            _log.warning("no answer from the group", phase=leave.phase, error=repr(error))
            return Answer.UNKNOWN
        return Answer.DONE

    def outdated(self) -> bool:
        now = self.clock.monotonic()
        if now - self._asked_at < ASK_EVERY_S:
            return False
        self._asked_at = now
        try:
            group = self._group()
            self._template = self._template or self._own().get("LaunchTemplate", {})
        except (ClientError, BotoCoreError) as error:
            _log.warning("the group does not say what it launches from", error=repr(error))
            return False
        found = older(self._template, of_group(group))
        if found:
            _log.info("the group launches from a later template", own=self.version())
        return found

    def version(self) -> str:
        return str(self._template.get("Version", ""))

    def watch(self, noticed: Callable[[Event, str], None]) -> None:
        threading.Thread(target=self._watch, args=(noticed,), name="notices", daemon=True).start()

    def _watch(self, noticed: Callable[[Event, str], None]) -> None:
        """A recommendation may be followed by an interruption, and that by the group's own end."""
        pause, last = threading.Event(), None
        while last is not Event.TAKEN:
            try:
                notice = self.metadata.notice()
            except OSError as error:
                _log.warning("metadata service does not answer", error=repr(error))
                notice = None
            if notice is not None and notice[0] is not last:
                last = notice[0]
                noticed(*notice)
            pause.wait(NOTICE_EVERY_S)

    def _refused(self, leave: Leave, error: ClientError) -> Answer:
        """Say whether a refused call may be made again, and whether there is somebody to make it.

        An instance is protected in service alone, so it is refused before and after.
        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetInstanceProtection.html
        """
        answer = Answer.REFUSED
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _PASSING or "Throttl" in code or status >= 500:
            answer = Answer.UNKNOWN
        elif self._has_left():
            answer = Answer.LEFT
        _log.info("the group refuses", phase=leave.phase, answer=answer, reason=str(error))
        return answer

    def _has_left(self) -> bool:
        try:
            state = str(self._own().get("LifecycleState", ""))
        except (ClientError, BotoCoreError) as error:
            _log.warning("the group does not say how it stands", error=repr(error))
            return False
        return not state or "Terminat" in state or state.startswith("Detach")

    def _own(self) -> Mapping[str, Any]:
        found = self.autoscaling.describe_auto_scaling_instances(InstanceIds=[self.instance_id])
        instances: list[Mapping[str, Any]] = found["AutoScalingInstances"]
        return instances[0] if instances else {}

    def _group(self) -> Mapping[str, Any]:
        found = self.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.group_name], IncludeInstances=False
        )
        groups: list[Mapping[str, Any]] = found["AutoScalingGroups"]
        return groups[0] if groups else {}

    def _terminate(self, leave: Leave) -> None:
        self.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance_id, ShouldDecrementDesiredCapacity=leave.decrement
        )
        _log.info("the instance ends itself", cause=leave.cause, decrement=leave.decrement)

    def _protect(self, protected: bool) -> None:
        self.autoscaling.set_instance_protection(
            AutoScalingGroupName=self.group_name,
            InstanceIds=[self.instance_id],
            ProtectedFromScaleIn=protected,
        )


def open_lifecycle(settings: WorkerSettings, clock: Clock) -> Lifecycle:
    """Return the lifecycle of this process: its instance's, or none outside a group."""
    if settings.group_name is None:
        return NullLifecycle()
    autoscaling = boto3.client("autoscaling", region_name=settings.region, config=_CONFIG)
    metadata = Metadata(settings.metadata_endpoint)
    own_id = metadata.instance_id()
    return InstanceLifecycle(autoscaling, settings.group_name, own_id, metadata, clock)

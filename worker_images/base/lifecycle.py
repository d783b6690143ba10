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
from worker_images.base.own_group import OwnGroup, older
from worker_images.base.settings import WorkerSettings

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
    """What a worker asks of, and is told by, what it runs on."""

    @property
    def instance_id(self) -> str | None:
        """The instance that a group knows it by, None outside one."""
        ...

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

    group: OwnGroup
    metadata: Metadata
    clock: Clock
    _asked_at: float = float("-inf")
    _template: Mapping[str, Any] = field(default_factory=dict)

    @property
    def instance_id(self) -> str:
        return self.group.instance_id

    def call(self, leave: Leave) -> Answer:
        try:
            if leave.phase is Phase.TERMINATING:
                self.group.terminate(decrement=leave.decrement)
            else:
                self.group.protect(leave.phase is Phase.PROTECTING)
        except ClientError as error:
            return self._refused(leave, error)
        except BotoCoreError as error:
            _log.warning("no answer from the group", phase=leave.phase, error=repr(error))
            return Answer.UNKNOWN
        if leave.phase is Phase.TERMINATING:
            _log.info("the instance ends itself", cause=leave.cause, decrement=leave.decrement)
        return Answer.DONE

    def outdated(self) -> bool:
        now = self.clock.monotonic()
        if now - self._asked_at < ASK_EVERY_S:
            return False
        self._asked_at = now
        try:
            template = self.group.template()
            self._template = self._template or self.group.instance().get("LaunchTemplate", {})
        except (ClientError, BotoCoreError) as error:
            _log.warning("the group does not say what it launches from", error=repr(error))
            return False
        found = older(self._template, template)
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
        elif self._is(self.group.has_left):
            answer = Answer.LEFT
        elif leave.phase is Phase.TERMINATING and self._is(self.group.can_spare):
            answer = Answer.SPARE
        _log.info("the group refuses", phase=leave.phase, answer=answer, reason=str(error))
        return answer

    @staticmethod
    def _is(fact: Callable[[], bool]) -> bool:
        """Return a fact; what cannot be asked is not so."""
        try:
            return fact()
        except (ClientError, BotoCoreError) as error:
            _log.warning("the group does not say how it stands", error=repr(error))
            return False


def open_lifecycle(settings: WorkerSettings, clock: Clock) -> Lifecycle:
    """Return the lifecycle of this process: its instance's, or none outside a group."""
    if settings.group_name is None:
        return NullLifecycle()
    autoscaling = boto3.client("autoscaling", region_name=settings.region, config=_CONFIG)
    metadata = Metadata(settings.metadata_endpoint)
    group = OwnGroup(autoscaling, settings.group_name, metadata.instance_id())
    return InstanceLifecycle(group, metadata, clock)

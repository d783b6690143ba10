"""Which resource made a stack fail, and why, from CloudFormation's own events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.settings import Settings
from ops import aws

#: A consequence of another resource's failure, not a cause.
_CONSEQUENCES = ("Resource creation cancelled", "Resource update cancelled")


@dataclass(frozen=True)
class Failure:
    """One resource that failed, with the reason that AWS gave."""

    stack: str
    resource: str
    type_name: str
    reason: str


def causes(events: Iterable[Mapping[str, Any]], since: datetime) -> list[Failure]:
    """Return the failures since a moment, the oldest first; consequences left out."""
    found = []
    for event in sorted(events, key=lambda each: each["Timestamp"]):
        reason = event.get("ResourceStatusReason", "")
        failed = event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"] >= since
        if failed and reason and not reason.startswith(_CONSEQUENCES):
            failure = Failure(
                event["StackName"], event["LogicalResourceId"], event["ResourceType"], reason
            )
            found.append(failure)
    return found


def since(settings: Settings, stacks: Iterable[str], moment: datetime) -> list[Failure]:
    """Return the causes in stacks since a moment; one that cannot be asked has none."""
    events: list[Mapping[str, Any]] = []
    for name in stacks:
        with suppress(BotoCoreError, ClientError):
            cloudformation = aws.cloudformation(settings, name)
            events += cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return causes(events, moment)

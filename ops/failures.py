"""Which resource made a stack fail, and why, from CloudFormation's own events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops import aws, places

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


def since(environment: str, region: str, moment: datetime) -> list[Failure]:
    """Return the causes in an environment's stacks; none when CloudFormation cannot be asked."""
    cloudformation = aws.client("cloudformation", region)
    events: list[Mapping[str, Any]] = []
    try:
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackName"].startswith(places.stack_prefix(environment)):
                    answer = cloudformation.describe_stack_events(StackName=stack["StackName"])
                    events += answer["StackEvents"]
    except (BotoCoreError, ClientError):
        return []
    return causes(events, moment)

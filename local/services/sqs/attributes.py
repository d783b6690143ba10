"""Queue attributes: defaults, ranges, and the redrive policies in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.services.sqs import errors

#: 1 MiB since August 2025.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_MESSAGE_BYTES = 1_048_576

_RANGES = {
    "DelaySeconds": (0, 900, 0),
    "MaximumMessageSize": (1024, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
    "MessageRetentionPeriod": (60, 1_209_600, 345_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20, 0),
    "VisibilityTimeout": (0, 43_200, 30),
}
_KMS = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
_FREE = ("Policy", "SqsManagedSseEnabled", *_KMS)
_FIFO = ("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")

DEFAULTS = {
    **{name: str(default) for name, (_, _, default) in _RANGES.items()},
    "SqsManagedSseEnabled": "true",
}


@dataclass(frozen=True)
class Redrive:
    """A RedrivePolicy: the dead-letter queue's ARN, and the receives before it."""

    target_arn: str
    max_receives: int


def check_name(name: str) -> None:
    """Refuse a queue name that AWS refuses, and FIFO queues.

    Raises: ServiceError.
    """
    if name.endswith(".fifo"):
        raise errors.refused(f"{name}: FIFO queues are not played here; use a standard queue")
    if not _NAME.fullmatch(name):
        raise errors.invalid_value(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def checked(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return settable attributes as the queue stores them; an empty value takes one away.

    Raises: ServiceError naming the attribute and what is allowed.
    """
    stored: dict[str, str] = {}
    for name, value in attributes.items():
        if name in _FIFO:
            raise errors.refused(f"{name}: FIFO queues are not played here")
        if name in _RANGES:
            low, high, _ = _RANGES[name]
            if not str(value).isdecimal() or not low <= int(value) <= high:
                raise errors.invalid_attribute(name, f"Must be between {low} and {high}.")
            stored[name] = str(int(value))
        elif name == "RedrivePolicy":
            stored[name] = value and _checked_redrive(value)
        elif name == "RedriveAllowPolicy":
            stored[name] = value and json.dumps(_object(name, value), separators=(",", ":"))
        elif name in _FREE:
            stored[name] = value
        else:
            raise errors.unknown_attribute(name)
    return stored


def redrive_of(attributes: Mapping[str, str]) -> Redrive | None:
    """Return the redrive policy among stored attributes."""
    if not attributes.get("RedrivePolicy"):
        return None
    policy = json.loads(attributes["RedrivePolicy"])
    return Redrive(policy["deadLetterTargetArn"], int(policy["maxReceiveCount"]))


def allows_source(attributes: Mapping[str, str], source_arn: str) -> bool:
    """Say whether a dead-letter queue's RedriveAllowPolicy lets a queue redrive to it."""
    if not attributes.get("RedriveAllowPolicy"):
        return True
    policy = json.loads(attributes["RedriveAllowPolicy"])
    permission = policy.get("redrivePermission", "allowAll")
    return bool(
        permission == "allowAll"
        or (permission == "byQueue" and source_arn in policy.get("sourceQueueArns", []))
    )


def _checked_redrive(value: str) -> str:
    policy = _object("RedrivePolicy", value)
    if not str(policy.get("deadLetterTargetArn", "")).startswith("arn:"):
        raise errors.invalid_attribute("RedrivePolicy", "deadLetterTargetArn must be an ARN.")
    receives = str(policy.get("maxReceiveCount", ""))
    if not receives.isdecimal() or not 1 <= int(receives) <= 1000:
        raise errors.invalid_attribute(
            "RedrivePolicy", "maxReceiveCount must be between 1 and 1000."
        )
    policy["maxReceiveCount"] = int(receives)
    return json.dumps(policy, separators=(",", ":"))


def _object(name: str, value: str) -> dict[str, Any]:
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise errors.invalid_attribute(name, "Must be a JSON object.")
    return parsed

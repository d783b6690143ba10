"""Are the queues as their templates say: time-outs, retention, redrive, policy?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops import aws
from ops.findings import Finding
from ops.verify.context import Context
from ops.verify.deployed import Resource

_QUEUE = "AWS::SQS::Queue"
_POLICY = "AWS::SQS::QueuePolicy"
#: Seconds, by their name in templates and how SQS calls them.
_SECONDS = {
    "VisibilityTimeout": "VisibilityTimeout",
    "MessageRetentionPeriod": "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
}
_FIX = "somebody changed it by hand: change the settings instead, and deploy again"


@dataclass(frozen=True)
class QueueFact:
    """What a template says of a queue and what SQS answers, by the same names.

    A redrive reads `10 receives, then <dead-letter queue>`; a policy is its statements without the
    parts that only a deploy knows.
    """

    name: str
    said: Mapping[str, Any]
    is_: Mapping[str, Any]


def ask(context: Context) -> list[Finding]:
    """Compare every queue of the assembly with what SQS answers."""
    found = [_fact(context, queue) for queue in context.deployed.resources(_QUEUE)]
    return decide(found)


def decide(found: Sequence[QueueFact]) -> list[Finding]:
    """Return a finding for each attribute that differs, else one for all."""
    bad = [
        Finding(
            f"queue {fact.name}",
            f"{name} is {fact.is_.get(name, 'not set')}, the template says {value}",
            _FIX,
        )
        for fact in found
        for name, value in fact.said.items()
        if fact.is_.get(name) != value
    ]
    return bad or [Finding(f"{len(found)} queues are as their templates say")]


def statements(document: Mapping[str, Any]) -> list[str]:
    """Return a policy's statements as text: effect, actions and conditions; sorted."""
    return sorted(
        json.dumps(
            {
                "Effect": each["Effect"],
                "Action": sorted(
                    [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
                ),
                "Condition": sorted(each.get("Condition", {})),
            }
        ).lower()
        for each in document["Statement"]
    )


def _fact(context: Context, queue: Resource) -> QueueFact:
    said: dict[str, Any] = {
        name: int(queue.properties[key])
        for key, name in _SECONDS.items()
        if key in queue.properties
    }
    if redrive := queue.properties.get("RedrivePolicy"):
        target = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
        dead = context.deployed.physical_id(queue.stack, target).rpartition("/")[2]
        said["redrive"] = f"{redrive['maxReceiveCount']} receives, then {dead}"
    if policy := _policy(context, queue):
        said["policy"] = policy
    answer = _attributes(context, queue.physical_id)
    name = queue.physical_id.rpartition("/")[2] or queue.logical_id
    return QueueFact(name, said, _answered(answer))


def _policy(context: Context, queue: Resource) -> list[str]:
    return sorted(
        statement
        for policy in context.deployed.resources(_POLICY)
        if {"Ref": queue.logical_id} in policy.properties["Queues"]
        for statement in statements(policy.properties["PolicyDocument"])
    )


def _attributes(context: Context, url: str) -> Mapping[str, str]:
    """Return what SQS says of a queue; nothing when there is no such queue."""
    if not url:
        return {}
    sqs = aws.client("sqs", context.region)
    try:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    except ClientError as error:
        if "NonExistentQueue" in error.response["Error"]["Code"]:
            return {}
        raise
    found: Mapping[str, str] = answer["Attributes"]
    return found


def _answered(answer: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: int(answer[name]) for name in _SECONDS.values() if name in answer
    }
    if "RedrivePolicy" in answer:
        redrive = json.loads(answer["RedrivePolicy"])
        dead = redrive["deadLetterTargetArn"].rpartition(":")[2]
        found["redrive"] = f"{redrive['maxReceiveCount']} receives, then {dead}"
    if answer.get("Policy"):
        found["policy"] = statements(json.loads(answer["Policy"]))
    return found

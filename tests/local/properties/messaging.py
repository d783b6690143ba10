"""SQS and SNS."""

from __future__ import annotations

from typing import Any

from tests.local.properties.reader import Properties, Reader

_QUEUE_ATTRIBUTES = (
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


def _attributes(aws: Any, url: str) -> dict[str, str]:
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = answer["Attributes"]
    return attributes


def _queue(aws: Any, url: str, template: Properties) -> dict[str, Any]:
    attributes = _attributes(aws, url)
    tags = aws.client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {})
    return {
        **{name: attributes[name] for name in _QUEUE_ATTRIBUTES if name in attributes},
        "QueueName": attributes["QueueArn"].rsplit(":", 1)[1],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def _queue_attributes(aws: Any, url: str) -> dict[str, Any]:
    arn = _attributes(aws, url)["QueueArn"]
    return {"Arn": arn, "QueueName": arn.rsplit(":", 1)[1]}


def _queue_policy(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    policies = {url: _attributes(aws, url)["Policy"] for url in template["Queues"]}
    assert len(set(policies.values())) == 1, policies
    return {"Queues": list(policies), "PolicyDocument": next(iter(policies.values()))}


def _topic_attributes(aws: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _topic(aws: Any, arn: str, template: Properties) -> dict[str, Any]:
    found = _topic_attributes(aws, arn)
    tags = aws.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    return {
        "DisplayName": found["DisplayName"],
        "TopicName": arn.rsplit(":", 1)[1],
        "Tags": tags,
    }


def _topic_policy(aws: Any, name: str, template: Properties) -> dict[str, Any]:
    policies = {arn: _topic_attributes(aws, arn)["Policy"] for arn in template["Topics"]}
    assert len(set(policies.values())) == 1, policies
    return {"Topics": list(policies), "PolicyDocument": next(iter(policies.values()))}


READERS = (
    Reader("AWS::SQS::Queue", _queue, attributes=_queue_attributes),
    Reader("AWS::SQS::QueuePolicy", _queue_policy),
    Reader("AWS::SNS::Topic", _topic),
    Reader("AWS::SNS::TopicPolicy", _topic_policy),
)

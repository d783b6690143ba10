"""AWS::SQS: queues and their policies."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import dropped_tags, missing_is_fine, refuse_existing, tag_map, text
from local.resources.kind import Kind, Properties, changed
from local.services.sqs.attributes import DEFAULTS

#: Property of CloudFormation -> attribute of SQS.
_ATTRIBUTES = {
    "DelaySeconds": "DelaySeconds",
    "MaximumMessageSize": "MaximumMessageSize",
    "MessageRetentionPeriod": "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy": "RedrivePolicy",
    "RedriveAllowPolicy": "RedriveAllowPolicy",
    "SqsManagedSseEnabled": "SqsManagedSseEnabled",
    "VisibilityTimeout": "VisibilityTimeout",
}
#: What a queue goes back to when its template no longer says anything.
_DEFAULTS = {**DEFAULTS, "RedrivePolicy": "", "RedriveAllowPolicy": ""}


class Queue(Kind):
    """A standard queue. Its physical id is the URL."""

    type_name = "AWS::SQS::Queue"
    properties = frozenset({"QueueName", "Tags", *_ATTRIBUTES})
    replace_on = frozenset({"QueueName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = properties.get("QueueName") or context.unique_name(max_length=80)
        sqs = context.clients.client("sqs")
        refuse_existing(self.type_name, name, lambda: sqs.get_queue_url(QueueName=name))
        return str(sqs.create_queue(QueueName=name)["QueueUrl"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        sqs = context.clients.client("sqs")
        attributes = {
            attribute: text(new[name]) if name in new else _DEFAULTS[attribute]
            for name, attribute in _ATTRIBUTES.items()
            if changed(name, old, new)
        }
        if attributes:
            sqs.set_queue_attributes(QueueUrl=physical_id, Attributes=attributes)
        if dropped := dropped_tags(old, new):
            sqs.untag_queue(QueueUrl=physical_id, TagKeys=dropped)
        if tags := tag_map(new):
            sqs.tag_queue(QueueUrl=physical_id, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("sqs").delete_queue(QueueUrl=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        name = physical_id.rsplit("/", 1)[-1]
        arn = f"arn:aws:sqs:{context.region}:{context.account}:{name}"
        return {"Arn": arn, "QueueName": name, "QueueUrl": physical_id}


class QueuePolicy(Kind):
    """One policy document set on a list of queues. Stored; SQS here does not enforce IAM."""

    type_name = "AWS::SQS::QueuePolicy"
    properties = frozenset({"Queues", "PolicyDocument"})

    def make(self, context: Context, properties: Properties) -> str:
        return context.unique_name()

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        for url in set(old.get("Queues", [])) - set(new["Queues"]):
            self._set(context, url, "")
        for url in new["Queues"]:
            self._set(context, url, text(new["PolicyDocument"]))

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        for url in properties["Queues"]:
            with missing_is_fine():
                self._set(context, url, "")

    @staticmethod
    def _set(context: Context, url: str, policy: str) -> None:
        attributes = {"Policy": policy}
        context.clients.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


HANDLERS = (Queue(), QueuePolicy())

"""AWS::SNS: topics, subscriptions, topic policies."""

from __future__ import annotations

import json

from local.resources.base import Context
from local.resources.calls import dropped_tags, missing_is_fine, refuse_existing, tag_list, text
from local.resources.kind import Kind, Properties, changed


class Topic(Kind):
    """A standard topic."""

    type_name = "AWS::SNS::Topic"
    properties = frozenset({"TopicName", "DisplayName", "KmsMasterKeyId", "Tags"})
    replace_on = frozenset({"TopicName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = properties.get("TopicName") or context.unique_name()
        sns = context.clients.client("sns")
        arn = f"arn:aws:sns:{context.region}:{context.account}:{name}"
        refuse_existing(self.type_name, name, lambda: sns.get_topic_attributes(TopicArn=arn))
        return str(sns.create_topic(Name=name)["TopicArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        sns = context.clients.client("sns")
        for name in ("DisplayName", "KmsMasterKeyId"):
            if changed(name, old, new):
                sns.set_topic_attributes(
                    TopicArn=physical_id, AttributeName=name, AttributeValue=new.get(name, "")
                )
        if dropped := dropped_tags(old, new):
            sns.untag_resource(ResourceArn=physical_id, TagKeys=dropped)
        if tags := tag_list(new):
            sns.tag_resource(ResourceArn=physical_id, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("sns").delete_topic(TopicArn=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"TopicArn": physical_id, "TopicName": physical_id.rsplit(":", 1)[-1]}


class Subscription(Kind):
    """One endpoint of a topic."""

    type_name = "AWS::SNS::Subscription"
    properties = frozenset(
        {"TopicArn", "Protocol", "Endpoint", "RawMessageDelivery", "FilterPolicy"}
    )
    replace_on = frozenset({"TopicArn", "Protocol", "Endpoint"})

    def make(self, context: Context, properties: Properties) -> str:
        answer = context.clients.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        defaults = {"RawMessageDelivery": False, "FilterPolicy": {}}
        for name, default in defaults.items():
            if changed(name, old, new):
                context.clients.client("sns").set_subscription_attributes(
                    SubscriptionArn=physical_id,
                    AttributeName=name,
                    AttributeValue=text(new.get(name, default)),
                )

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("sns").unsubscribe(SubscriptionArn=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Arn": physical_id}


class TopicPolicy(Kind):
    """One policy document set on a list of topics. Stored, not enforced."""

    type_name = "AWS::SNS::TopicPolicy"
    properties = frozenset({"Topics", "PolicyDocument"})

    def make(self, context: Context, properties: Properties) -> str:
        return context.unique_name()

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        for arn in set(old.get("Topics", [])) - set(new["Topics"]):
            self._set(context, arn, _owner_only(context, arn))
        for arn in new["Topics"]:
            self._set(context, arn, text(new["PolicyDocument"]))

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        for arn in properties["Topics"]:
            with missing_is_fine():
                self._set(context, arn, _owner_only(context, arn))

    @staticmethod
    def _set(context: Context, arn: str, policy: str) -> None:
        context.clients.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=policy
        )


def _owner_only(context: Context, arn: str) -> str:
    """Return the policy that a topic has when nobody gave it one: its account publishes."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{context.account}:root"},
        "Action": ["sns:Publish", "sns:Subscribe"],
        "Resource": arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


HANDLERS = (Topic(), Subscription(), TopicPolicy())

"""Whom alarms tell."""

from __future__ import annotations

from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config import models
from stacks.constructs.budget import monthly_budget
from stacks.constructs.platform_stack import Alarms, Place, PlatformStack
from stacks.constructs.stateful import declare_stateful

#: Services that write to the topic. EventBridge is added by CDK with the first rule that does.
PUBLISHERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")


class NotificationsStack(PlatformStack):
    """The operators' topic and the budget. Its subscriptions were confirmed by people: it is kept.

    Only TLS may be used. It has no key of its own: CloudWatch and Budgets cannot publish to a
    topic under the key that AWS manages, and one of ours costs a dollar a month to hide the names
    of alarms.
    """

    def __init__(self, scope: Construct, *, place: Place, alarms: models.Alarms) -> None:
        super().__init__(scope, "notifications", place, stateful=True)
        topic = sns.Topic(self, "Operators", display_name="Academy platform", enforce_ssl=True)
        declare_stateful(topic, place=place, holds="confirmed subscriptions")
        for address in alarms.emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        self._let_publish(topic)
        if alarms.monthly_budget_usd:
            monthly_budget(self, "Budget", usd=alarms.monthly_budget_usd, topic=topic)
        self.informed = replace(place, alarms=Alarms(topic, alarms.runbook_url))

    def _let_publish(self, topic: sns.Topic) -> None:
        """A policy of its own takes away what a topic allows by default: alarms would be mute."""
        for service in PUBLISHERS:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
                )
            )

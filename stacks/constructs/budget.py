"""A month's budget of the account."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

#: Kind of amount, and percent of the budget above which the topic hears of it.
NOTICES = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))


def monthly_budget(
    scope: Construct, identifier: str, *, usd: int, topic: sns.ITopic
) -> budgets.CfnBudget:
    """Return a budget of `usd` dollars a month over the account's whole bill.

    Not by tag: a cost allocation tag that nobody activated would count nothing, and say nothing.
    """
    return budgets.CfnBudget(
        scope,
        identifier,
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    notification_type=kind,
                    comparison_operator="GREATER_THAN",
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[
                    budgets.CfnBudget.SubscriberProperty(
                        subscription_type="SNS", address=topic.topic_arn
                    )
                ],
            )
            for kind, percent in NOTICES
        ],
    )

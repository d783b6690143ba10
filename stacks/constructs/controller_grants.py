"""What the metric function may do: look at queues, groups and boots, publish, and size fleets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from config.contracts import metrics
from config.contracts.fleet_rules import FleetRules
from stacks.constructs.acknowledge import NO_RESOURCE, grant_pattern
from stacks.constructs.instance_template import KNOWN_BY_NAME, group_arn

#: On the named groups alone: raise the capacity, end a zombie, buy on demand after Spot losses.
SIZING_ACTIONS = (
    "autoscaling:SetDesiredCapacity",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
)


def grant_publish(function: iam.IGrantable) -> None:
    """Grant our two namespaces.

    A raw statement: PutMetricData knows no resource, a condition narrows it instead.
    """
    namespaces = [metrics.VIDEO_NAMESPACE, metrics.WORKERS_NAMESPACE]
    grant_pattern(
        function,
        actions=["cloudwatch:PutMetricData"],
        arns=["*"],
        conditions={"StringEquals": {"cloudwatch:namespace": namespaces}},
        reason=NO_RESOURCE,
    )


def grant_sizing(function: iam.IGrantable, scope: Construct, fleets: Sequence[FleetRules]) -> None:
    """Grant the fleets' groups.

    Raw statements: describing knows no resource, and the groups are other stacks'. The distribution
    is changed by a request without a launch template, so that AWS asks for no ec2:RunInstances.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    grant_pattern(
        function,
        actions=["autoscaling:DescribeAutoScalingGroups"],
        arns=["*"],
        reason=NO_RESOURCE,
    )
    grant_pattern(
        function,
        actions=SIZING_ACTIONS,
        arns=[group_arn(scope, fleet.group) for fleet in fleets],
        reason=KNOWN_BY_NAME,
    )


def grant_boots(
    function: iam.IGrantable,
    scope: Construct,
    fleets: Sequence[FleetRules],
    boot_logs: Iterable[logs.ILogGroup],
) -> None:
    """Grant the boot records, and the alarms on boots that fail.

    A raw statement: an alarm's own grants reach no further than actions on metrics.
    """
    for each in boot_logs:
        each.grant(function, "logs:FilterLogEvents")
    stack = cdk.Stack.of(scope)
    iam.Grant.add_to_principal(
        grantee=function,
        actions=["cloudwatch:DescribeAlarms", "cloudwatch:SetAlarmState"],
        resource_arns=[
            stack.format_arn(
                service="cloudwatch",
                resource="alarm",
                resource_name=fleet.breaker_alarm,
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for fleet in fleets
        ],
    )

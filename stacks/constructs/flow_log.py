"""Who talked to whom, and who was refused."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.log_group import log_group
from stacks.constructs.platform_stack import Place


def flow_log(scope: Construct, identifier: str, *, vpc: ec2.IVpc, place: Place) -> ec2.FlowLog:
    """Return a log of all connections of a VPC, in ten-minute sums, kept as long as every log.

    The role can write to that log group alone.
    """
    logs = log_group(scope, f"{identifier}Logs", retention_days=place.log_retention_days)
    role = iam.Role(
        scope,
        f"{identifier}Role",
        description="The VPC's flow log",
        assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"),
    )
    return ec2.FlowLog(
        scope,
        identifier,
        resource_type=ec2.FlowLogResourceType.from_vpc(vpc),
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(logs, role),
        traffic_type=ec2.FlowLogTrafficType.ALL,
        max_aggregation_interval=ec2.FlowLogMaxAggregationInterval.TEN_MINUTES,
    )

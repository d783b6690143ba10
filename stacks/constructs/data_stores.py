"""PostgreSQL and Redis: made here, or addresses of what exists."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.platform_stack import Place, removal_policy


@dataclass(frozen=True)
class Address:
    """Where a store answers. `credentials` holds `username` and `password`, or `password` alone."""

    host: str
    port: str
    credentials: secretsmanager.ISecret | None


@dataclass(frozen=True)
class PostgresSize:
    """`instance_type` without `db.`; storage in GiB, grown by RDS up to the maximum."""

    instance_type: str
    storage_gb: int
    max_storage_gb: int
    backup_days: int
    multi_az: bool


class Postgres(Construct):
    """RDS PostgreSQL 16 in the isolated subnets, encrypted, its password generated and kept secret.

    Kept on removal and protected from deletion wherever data is kept.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        database_name: str,
        size: PostgresSize,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        # Made here: the secret that CDK would add is deleted with its stack.
        secret = rds.DatabaseSecret(self, "Credentials", username="academy")
        secret.apply_removal_policy(removal_policy(place))
        instance = rds.DatabaseInstance(
            self,
            "Instance",
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16),
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[security_group],
            instance_type=ec2.InstanceType(size.instance_type),
            database_name=database_name,
            credentials=rds.Credentials.from_secret(secret),
            allocated_storage=size.storage_gb,
            max_allocated_storage=size.max_storage_gb,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            multi_az=size.multi_az,
            backup_retention=cdk.Duration.days(size.backup_days),
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            deletion_protection=place.keep_data,
            removal_policy=removal_policy(place),
        )
        self.address = Address(
            host=instance.db_instance_endpoint_address,
            port=instance.db_instance_endpoint_port,
            credentials=instance.secret or secret,
        )


class Redis(Construct):
    """ElastiCache Redis of one node in the isolated subnets, encrypted at rest.

    It holds progress and locks that the database can rebuild: no replica, no password; only the
    API's and the workers' security groups reach it.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        node_type: str,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Isolated subnets for Redis",
            subnet_ids=[s.subnet_id for s in vpc.isolated_subnets],
        )
        group = elasticache.CfnReplicationGroup(
            self,
            "Group",
            replication_group_description="Progress and locks of the academy platform",
            engine="redis",
            engine_version="7.1",
            cache_node_type=node_type,
            num_cache_clusters=1,
            automatic_failover_enabled=False,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=False,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[security_group.security_group_id],
        )
        group.apply_removal_policy(removal_policy(place))
        self.address = Address(
            host=group.attr_primary_end_point_address,
            port=group.attr_primary_end_point_port,
            credentials=None,
        )

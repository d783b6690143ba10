"""PostgreSQL on RDS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from constructs import Construct

from config.contracts.names import PREFIX
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.data_stores import DEFAULT_PORT, Address
from stacks.constructs.log_group import log_group
from stacks.constructs.password_rotation import PasswordRotation
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

_ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16)
_LOGS = ("postgresql", "upgrade")


@dataclass(frozen=True)
class PostgresSize:
    """`instance_type` without `db.`; storage in GiB, grown by RDS up to the maximum.

    Statements above `slow_query_ms` are logged. `rotation_days` None never changes the password.
    """

    instance_type: str
    storage_gb: int
    max_storage_gb: int
    backup_days: int
    multi_az: bool
    read_replicas: int
    max_connections: int
    slow_query_ms: int
    rotation_days: int | None


class Postgres(Construct):
    """RDS PostgreSQL 16 in the isolated subnets, encrypted, its password generated and rotated.

    Makes the instance, its read replicas, a parameter group, log groups, the secret and the
    function that rotates it. Kept on removal and protected from deletion wherever data is kept.

    The identifier is fixed, against the custom: RDS exports into log groups named after it, which
    must stand, with their retention, before it writes; and a replacement then fails by its name
    instead of putting an empty database in the full one's place.
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
        tls: bool,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        self._place = place
        # Made here: the secret that CDK would add is deleted with its stack.
        secret = rds.DatabaseSecret(self, "Credentials", username="academy")
        declare_stateful(secret, place=place, holds="the database's password")
        name = f"{PREFIX}-{place.environment}"
        logs = self._log_groups("Logs", name)
        common: dict[str, Any] = {
            "vpc": vpc,
            "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            "security_groups": [security_group],
            "instance_type": ec2.InstanceType(size.instance_type),
            "max_allocated_storage": size.max_storage_gb,
            "storage_type": rds.StorageType.GP3,
            "storage_encrypted": True,
            "parameter_group": self._parameters(size, tls),
            "cloudwatch_logs_exports": list(_LOGS),
            "copy_tags_to_snapshot": True,
            "auto_minor_version_upgrade": True,
            "deletion_protection": place.keep_data,
        }
        self.instance = rds.DatabaseInstance(
            self,
            "Instance",
            instance_identifier=name,
            engine=_ENGINE,
            database_name=database_name,
            credentials=rds.Credentials.from_secret(secret),
            allocated_storage=size.storage_gb,
            multi_az=size.multi_az,
            backup_retention=cdk.Duration.days(size.backup_days),
            # Far from the daily copy: AWS Backup fails beside a window that RDS chose itself.
            preferred_backup_window="14:00-14:30",
            preferred_maintenance_window="sun:20:30-sun:21:00",
            **common,
        )
        declare_stateful(self.instance, place=place, holds="the database")
        if place.keep_data:
            # Protected from deletion from its first moment: undoing its creation would fail.
            self.instance.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self.instance.node.add_dependency(*logs)
        self._acknowledge(self.instance, size)
        #: Addresses of the read replicas, which have the instance's port and credentials.
        self.replica_hosts = [
            self._replica(number, f"{name}-replica-{number}", common)
            for number in range(1, size.read_replicas + 1)
        ]
        credentials = self.instance.secret or secret
        if size.rotation_days is not None:
            PasswordRotation(
                self,
                "Rotation",
                instance=self.instance,
                credentials=credentials,
                every_days=size.rotation_days,
                place=place,
            )
        else:
            acknowledge(secret, "SMG4", "The settings rotate it never: database.rds.rotation_days")
        self.address = Address(
            host=self.instance.db_instance_endpoint_address,
            port=self.instance.db_instance_endpoint_port,
            credentials=credentials,
        )

    def _parameters(self, size: PostgresSize, tls: bool) -> rds.ParameterGroup:
        return rds.ParameterGroup(
            self,
            "Parameters",
            engine=_ENGINE,
            description="Slow statements are logged, connections counted, plain text refused",
            parameters={
                "log_min_duration_statement": str(size.slow_query_ms),
                "max_connections": str(size.max_connections),
                "rds.force_ssl": "1" if tls else "0",
            },
        )

    def _acknowledge(self, instance: rds.DatabaseInstance, size: PostgresSize) -> None:
        """Accept what the settings chose; where they choose otherwise it is a finding again."""
        acknowledge(instance, "RDS11", DEFAULT_PORT)
        if not size.multi_az:
            acknowledge(
                instance,
                "RDS3",
                "This size goes without a standby: a lost zone costs the time of a restore "
                "(config/sizes)",
            )
        if not self._place.keep_data:
            acknowledge(instance, "RDS10", "Nothing is kept here: it is deleted with its stack")
        if size.backup_days == 0:
            acknowledge(instance, "RDS13", "Nothing is kept here, so nothing is copied")

    def _log_groups(self, identifier: str, instance: str) -> list[Construct]:
        """Make the log groups that RDS would otherwise make itself, to be kept for ever."""
        return [
            log_group(
                self,
                f"{identifier}{kind.title()}",
                retention_days=self._place.log_retention_days,
                name=f"/aws/rds/instance/{instance}/{kind}",
            )
            for kind in _LOGS
        ]

    def _replica(self, number: int, name: str, common: dict[str, Any]) -> str:
        """Add a copy that answers reads, and return its address.

        It holds nothing of its own: it can be made again.
        """
        logs = self._log_groups(f"Replica{number}Logs", name)
        replica = rds.DatabaseInstanceReadReplica(
            self,
            f"Replica{number}",
            source_database_instance=self.instance,
            instance_identifier=name,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            **{**common, "deletion_protection": False},
        )
        replica.node.add_dependency(*logs)
        for rule in ("RDS3", "RDS10"):
            acknowledge(replica, rule, "A copy that can be made again")
        acknowledge(replica, "RDS11", DEFAULT_PORT)
        cdk.CfnOutput(self, f"Replica{number}Address", value=replica.db_instance_endpoint_address)
        return replica.db_instance_endpoint_address

"""Redis on ElastiCache."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.data_stores import DEFAULT_PORT, Address
from stacks.constructs.parameters import CHANGED_BY_HAND
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

PLAIN = "The Redis of one machine is built without TLS; every environment of an account has it"


class Redis(Construct):
    """ElastiCache Redis in the isolated subnets, encrypted at rest.

    It holds progress and locks that the database can rebuild, so a single node is enough unless
    waiting for a new one is not. With `replicas` a failed primary is replaced from another zone;
    with more than one of `shards` it is a cluster, to which clients must speak as such. With `tls`
    the traffic is encrypted and clients show a generated token; security groups decide who
    reaches it at all.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        node_type: str,
        shards: int,
        replicas: int,
        tls: bool,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Isolated subnets for Redis",
            subnet_ids=[s.subnet_id for s in vpc.isolated_subnets],
        )
        clustered = shards > 1
        group = elasticache.CfnReplicationGroup(
            self,
            "Group",
            replication_group_description="Progress and locks of the academy platform",
            engine="redis",
            engine_version="7.1",
            cache_node_type=node_type,
            # A cluster fails over even where no shard has a replica yet; ElastiCache insists.
            automatic_failover_enabled=clustered or replicas > 0,
            multi_az_enabled=True if replicas else None,
            at_rest_encryption_enabled=True,
            transit_encryption_enabled=tls,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[security_group.security_group_id],
            num_cache_clusters=None if clustered else 1 + replicas,
            num_node_groups=shards if clustered else None,
            replicas_per_node_group=replicas if clustered else None,
            cache_parameter_group_name="default.redis7.cluster.on" if clustered else None,
        )
        declare_stateful(group, place=place, holds="progress and locks")
        acknowledge(group, "AEC5", DEFAULT_PORT)
        if not replicas:
            acknowledge(
                group,
                "AEC4",
                "This size goes without replicas: progress and locks are made again from the "
                "database (config/sizes)",
            )
        #: Names of the nodes, as ElastiCache derives them from the group's.
        self.nodes = [
            f"{group.ref}{f'-{shard:04d}' if clustered else ''}-{node:03d}"
            for shard in range(1, shards + 1)
            for node in range(1, replicas + 2)
        ]
        token = None
        if tls:
            token = self._token(place)
            group.auth_token = token.secret_value_from_json("password").unsafe_unwrap()
        else:
            acknowledge(group, "AEC3", PLAIN)
            acknowledge(group, "AEC6", PLAIN)
        self.address = Address(
            host=(
                group.attr_configuration_end_point_address
                if clustered
                else group.attr_primary_end_point_address
            ),
            port=(
                group.attr_configuration_end_point_port
                if clustered
                else group.attr_primary_end_point_port
            ),
            credentials=token,
        )

    def _token(self, place: Place) -> secretsmanager.Secret:
        """Return a generated secret with the key `password`, as an external Redis's has."""
        token = secretsmanager.Secret(
            self,
            "Token",
            description="Clients show this token to Redis",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - a template
                generate_string_key="password",
                password_length=64,
                exclude_punctuation=True,
            ),
        )
        declare_stateful(token, place=place, holds="the token of Redis")
        acknowledge(token, "SMG4", CHANGED_BY_HAND)
        return token

"""Database and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config import models
from stacks.constructs.data_stores import Address, Postgres, PostgresSize, Redis
from stacks.constructs.platform_stack import Place, PlatformStack

if TYPE_CHECKING:
    from stacks.network import NetworkStack


class DataStack(PlatformStack):
    """RDS and ElastiCache, or the addresses of what exists already. Stateful."""

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        network: NetworkStack,
        database: models.Database,
        redis: models.Redis,
    ) -> None:
        super().__init__(scope, "data", place, stateful=True)
        self.database_name = database.name
        self.database = self._database(database, network)
        self.redis = self._redis(redis, network)

    def _database(self, database: models.Database, network: NetworkStack) -> Address:
        if database.external:
            return self._external(
                "DatabaseCredentials",
                database.external.host,
                database.external.port,
                database.external.credentials_secret_name,
            )
        return Postgres(
            self,
            "Postgres",
            vpc=network.network.vpc,
            security_group=network.network.firewall.database,
            database_name=database.name,
            size=PostgresSize(**database.rds.model_dump()),
            place=self.place,
        ).address

    def _redis(self, redis: models.Redis, network: NetworkStack) -> Address:
        if redis.external:
            return self._external(
                "RedisCredentials",
                redis.external.host,
                redis.external.port,
                redis.external.credentials_secret_name,
            )
        return Redis(
            self,
            "Redis",
            vpc=network.network.vpc,
            security_group=network.network.firewall.cache,
            node_type=redis.elasticache.node_type,
            place=self.place,
        ).address

    def _external(self, identifier: str, host: str, port: int, secret: str | None) -> Address:
        found = secret and secretsmanager.Secret.from_secret_name_v2(self, identifier, secret)
        return Address(host=host, port=str(port), credentials=found or None)

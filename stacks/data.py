"""Database and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config import models
from config.contracts import environment as names
from config.settings import Settings
from stacks.constructs.backups import Backups
from stacks.constructs.data_stores import Address
from stacks.constructs.parameters import SecretValue
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.postgres import Postgres, PostgresSize
from stacks.constructs.redis import Redis

if TYPE_CHECKING:
    from stacks.network import NetworkStack


class DataStack(PlatformStack):
    """RDS with its backups and ElastiCache, or the addresses of what exists already. Stateful.

    `variables` is what clients are told of both; `api_variables` what the API is told besides: it
    reads from the first replica while the database is down. `postgres` is None with an external
    database, `redis_nodes` empty with an external Redis.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        place: Place,
        network: NetworkStack,
        settings: Settings,
    ) -> None:
        super().__init__(scope, "data", place, stateful=True)
        database, redis = settings.database, settings.redis
        self.postgres: Postgres | None = None
        self.redis_nodes: list[str] = []
        self.variables: dict[str, str | SecretValue] = {
            **_database_variables(self._database(database, network), database),
            **_redis_variables(self._redis(redis, network), redis),
        }
        replicas: list[str] = self.postgres.replica_hosts if self.postgres else []
        self.api_variables: dict[str, str | SecretValue] = (
            {names.REPLICA_HOST: replicas[0]} if replicas else {}
        )
        if settings.backup and self.postgres:
            Backups(
                self,
                "Backups",
                place=place,
                database=self.postgres.instance,
                **settings.backup.model_dump(),
            )

    def _database(self, database: models.Database, network: NetworkStack) -> Address:
        if database.external:
            return self._external(
                "DatabaseCredentials",
                database.external.host,
                database.external.port,
                database.external.credentials_secret_name,
            )
        self.postgres = Postgres(
            self,
            "Postgres",
            vpc=network.network.vpc,
            security_group=network.network.firewall.database,
            database_name=database.name,
            size=PostgresSize(**database.rds.model_dump()),
            tls=database.tls,
            place=self.place,
        )
        return self.postgres.address

    def _redis(self, redis: models.Redis, network: NetworkStack) -> Address:
        if redis.external:
            return self._external(
                "RedisCredentials",
                redis.external.host,
                redis.external.port,
                redis.external.credentials_secret_name,
            )
        made = Redis(
            self,
            "Redis",
            vpc=network.network.vpc,
            security_group=network.network.firewall.cache,
            tls=redis.tls,
            **redis.elasticache.model_dump(),
            place=self.place,
        )
        self.redis_nodes = made.nodes
        return made.address

    def _external(self, identifier: str, host: str, port: int, secret: str | None) -> Address:
        found = secret and secretsmanager.Secret.from_secret_name_v2(self, identifier, secret)
        return Address(host=host, port=str(port), credentials=found or None)


def _database_variables(
    address: Address, database: models.Database
) -> dict[str, str | SecretValue]:
    credentials = address.credentials
    assert credentials is not None  # noqa: S101 - a database always has credentials
    found: dict[str, str | SecretValue] = {
        "DB_HOST": address.host,
        "DB_PORT": address.port,
        "DB_NAME": database.name,
        "DB_USER": SecretValue(credentials, "username"),
        "DB_PASSWORD": SecretValue(credentials, "password"),
        names.DATABASE_SECRET: credentials.secret_arn,
    }
    if database.tls:
        found[names.DATABASE_TLS] = "require"
    return found


def _redis_variables(address: Address, redis: models.Redis) -> dict[str, str | SecretValue]:
    found: dict[str, str | SecretValue] = {"REDIS_HOST": address.host, "REDIS_PORT": address.port}
    if address.credentials:
        found["REDIS_PASSWORD"] = SecretValue(address.credentials, "password")
    if redis.tls:
        found[names.REDIS_TLS] = "true"
    if redis.external is None and redis.elasticache.shards > 1:
        found[names.REDIS_CLUSTER] = "true"
    return found

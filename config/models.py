"""The shape of an environment: frozen models, units in the names, unknown keys refused.

Ranges stand here; what a key means stands in `config/environments/base.yaml`, beside its default.
Checks that span several keys are in `config.checks`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from config.model_base import (
    Host,
    InstanceType,
    Model,
    Port,
    RetentionDays,
    SecretName,
    UsersPerDay,
)
from config.model_edge import Edge
from config.model_storage import Storage
from config.model_workers import Ai, Messaging, QueueKey, Video, Worker, WorkerKind, without_null

Environment = Literal["local", "dev", "staging", "prod"]
BucketRole = Literal["ai", "video", "excel", "storage"]


class Aws(Model):
    """Where the stacks go."""

    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z]+-[0-9]$")]


class Network(Model):
    """The address space, and how instances reach the outside."""

    cidr: Annotated[str, Field(pattern=r"^[0-9.]+/(1[6-9]|20)$")]
    availability_zones: Annotated[list[str], Field(min_length=2, max_length=3)]
    nat: Literal["none", "instance", "gateway"]
    nat_zones: Annotated[int, Field(ge=1, le=3)]
    interface_endpoints: bool


class Rds(Model):
    """A managed PostgreSQL 16."""

    instance_type: InstanceType
    storage_gb: Annotated[int, Field(ge=20, le=16384)]
    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    backup_days: Annotated[int, Field(ge=0, le=35)]
    multi_az: bool
    read_replicas: Annotated[int, Field(ge=0, le=2)]
    max_connections: Annotated[int, Field(ge=20, le=5000)]
    slow_query_ms: Annotated[int, Field(ge=1, le=60000)]
    rotation_days: Annotated[int, Field(ge=1, le=365)] | None


class ExternalDatabase(Model):
    """A PostgreSQL that exists already; the secret holds `username` and `password`."""

    host: Host
    port: Port
    credentials_secret_name: SecretName


class Database(Model):
    """RDS, unless an external address is given."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    tls: bool
    rds: Rds
    external: ExternalDatabase | None


class ElastiCache(Model):
    """A managed Redis: one shard, or a cluster of several, each with its replicas."""

    node_type: Annotated[str, Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")]
    shards: Annotated[int, Field(ge=1, le=15)]
    replicas: Annotated[int, Field(ge=0, le=5)]


class ExternalRedis(Model):
    """A Redis that exists already; with a password the secret holds `password`."""

    host: Host
    port: Port
    credentials_secret_name: SecretName | None


class Redis(Model):
    """ElastiCache, unless an external address is given."""

    tls: bool
    elasticache: ElastiCache
    external: ExternalRedis | None


class Backup(Model):
    """Daily copies of the database in a vault that nobody can empty."""

    keep_days: Annotated[int, Field(ge=7, le=365)]
    lock_after_days: Annotated[int, Field(ge=3, le=365)]


class Queue(Model):
    """One queue."""

    visibility_timeout_s: Annotated[int, Field(ge=3, le=43200)]
    attempts: Annotated[int, Field(ge=1, le=100)]


class ApiAlarms(Model):
    """When a release is no good: any of these goes off while it bakes, and it is rolled back."""

    errors_per_minute: Annotated[int, Field(ge=0, le=100000)]
    latency_p95_s: Annotated[float, Field(gt=0, le=60)]
    unhealthy_minutes: Annotated[int, Field(ge=1, le=60)]


class Api(Model):
    """The web service."""

    compute: Literal["ec2", "ecs"]
    domain_name: Host | None
    allowed_hosts: list[str]
    instance_type: InstanceType
    disk_gb: Annotated[int, Field(ge=8, le=1024)]
    task_cpu: Literal[256, 512, 1024, 2048, 4096]
    task_memory_mb: Annotated[int, Field(ge=512, le=30720)]
    min_instances: Annotated[int, Field(ge=1, le=50)]
    max_instances: Annotated[int, Field(ge=1, le=50)]
    cpu_target_percent: Annotated[int, Field(ge=10, le=90)]
    boot_s: Annotated[int, Field(ge=60, le=2700)]
    bake_s: Annotated[int, Field(ge=0, le=600)]
    alarms: ApiAlarms


class Scaling(Model):
    """The metric function, which sizes the fleets."""

    tick_s: Annotated[int, Field(ge=1, le=60)]
    boot_limit_s: Annotated[int, Field(ge=10, le=3600)]
    failed_boots: Annotated[int, Field(ge=1, le=100)]
    probe_every_s: Annotated[int, Field(ge=10, le=86400)]
    spot_losses: Annotated[int, Field(ge=1, le=100)]
    on_demand_s: Annotated[int, Field(ge=60, le=86400)]


class Alarms(Model):
    """Whom an alarm tells, and where it points to."""

    emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]]
    runbook_url: Annotated[str, Field(pattern=r"^https://[^#\s]+$")]
    monthly_budget_usd: Annotated[int, Field(ge=1, le=100000)] | None


class GitHub(Model):
    """The repository whose workflows may assume the delivery roles."""

    repository: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$")
    ]


class Delivery(Model):
    """How images and releases get into the account."""

    creates_shared: bool
    github: GitHub | None


class Settings(Model):
    """Everything that differs between environments."""

    environment: Environment
    users_per_day: UsersPerDay
    protect_data: bool
    log_retention_days: RetentionDays
    aws: Aws
    network: Network
    database: Database
    redis: Redis
    backup: Backup | None
    storage: Storage
    queues: dict[QueueKey, Queue]
    workers: Annotated[dict[WorkerKind, Worker], BeforeValidator(without_null), Field(min_length=1)]
    video: Video
    ai: Ai
    messaging: Messaging
    api: Api
    edge: Edge
    scaling: Scaling
    alarms: Alarms
    delivery: Delivery

    @property
    def api_host(self) -> str | None:
        """Return the host that callers ask the API at: CloudFront's, where that stands in front."""
        at_edge = self.edge.provider == "cloudfront"
        return self.edge.domain_name if at_edge else self.api.domain_name

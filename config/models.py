"""The shape of an environment: frozen models, units in the names, unknown keys refused.

Ranges stand here; what a key means stands in `config/environments/base.yaml`, beside its default.
Checks that span several keys are in `config.checks`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Environment = Literal["local", "dev", "staging", "prod"]
WorkerKind = Literal["video", "ai", "messaging"]
QueueKey = Literal["video", "ai_lite", "ai_basic", "ai_premium", "messaging"]
BucketRole = Literal["ai", "video", "excel", "storage"]

Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9]+$")]
Origin = Annotated[str, Field(pattern=r"^(\*|https?://[A-Za-z0-9.-]+(:[0-9]+)?)$")]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,256}$")]
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]


class Model(BaseModel):
    """Frozen; an unknown key or a value of another type is an error, never a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Aws(Model):
    """Where the stacks go."""

    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z]+-[0-9]$")]


class Network(Model):
    """The address space, and how instances reach the outside."""

    cidr: Annotated[str, Field(pattern=r"^[0-9.]+/(1[6-9]|20)$")]
    availability_zones: Annotated[list[str], Field(min_length=2, max_length=3)]
    nat: Literal["none", "instance", "gateway"]


class Rds(Model):
    """A managed PostgreSQL 16."""

    instance_type: InstanceType
    storage_gb: Annotated[int, Field(ge=20, le=16384)]
    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    backup_days: Annotated[int, Field(ge=0, le=35)]
    multi_az: bool


class ExternalDatabase(Model):
    """A PostgreSQL that exists already; the secret holds `username` and `password`."""

    host: Host
    port: Port
    credentials_secret_name: SecretName


class Database(Model):
    """RDS, unless an external address is given."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    rds: Rds
    external: ExternalDatabase | None


class ElastiCache(Model):
    """A managed Redis of one node."""

    node_type: Annotated[str, Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$")]


class ExternalRedis(Model):
    """A Redis that exists already; with a password the secret holds `password`."""

    host: Host
    port: Port
    credentials_secret_name: SecretName | None


class Redis(Model):
    """ElastiCache, unless an external address is given."""

    elasticache: ElastiCache
    external: ExternalRedis | None


class R2(Model):
    """Cloudflare R2; the secret holds `access_key_id` and `secret_access_key`."""

    endpoint: Annotated[
        str, Field(pattern=r"^https://[0-9a-z]+(\.eu|\.fedramp)?\.r2\.cloudflarestorage\.com$")
    ]
    credentials_secret_name: SecretName


class Buckets(Model):
    """The four documented buckets' names."""

    ai: BucketName
    video: BucketName
    excel: BucketName
    storage: BucketName


class Storage(Model):
    """Where objects lie, how long, and who may upload from a browser."""

    provider: Literal["s3", "r2"]
    buckets: Buckets
    r2: R2 | None
    browser_origins: Annotated[list[Origin], Field(min_length=1)]
    original_days: Annotated[int, Field(ge=1, le=3650)]
    export_days: Annotated[int, Field(ge=1, le=30)]


class Queue(Model):
    """One queue."""

    visibility_timeout_s: Annotated[int, Field(ge=3, le=43200)]
    attempts: Annotated[int, Field(ge=1, le=100)]


class Worker(Model):
    """One fleet of workers."""

    queues: Annotated[list[QueueKey], Field(min_length=1)]
    instance_type: InstanceType
    disk_gb: Annotated[int, Field(ge=8, le=1024)]
    min_instances: Annotated[int, Field(ge=0, le=100)]
    max_instances: Annotated[int, Field(ge=1, le=100)]
    idle_s: Annotated[int, Field(ge=1, le=3600)]
    time_limit_s: Annotated[int, Field(ge=10, le=86400)]
    stop_timeout_s: Annotated[int, Field(ge=1, le=600)]
    termination_wait_s: Annotated[int, Field(ge=30, le=7200)]
    oldest_message_alarm_s: Annotated[int, Field(ge=60, le=1209600)]


class Rung(Model):
    """One rendition of the HLS ladder."""

    short_side_px: Annotated[int, Field(ge=144, le=4320, multiple_of=2)]
    video_kbps: Annotated[int, Field(ge=50, le=50000)]


class Video(Model):
    """What the video worker produces."""

    ladder: Annotated[list[Rung], Field(min_length=1)]
    segment_s: Annotated[int, Field(ge=1, le=20)]


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
    rollout_pause_s: Annotated[int, Field(ge=0, le=3600)]


class Scaling(Model):
    """The metric function."""

    tick_s: Annotated[int, Field(ge=1, le=60)]


class Settings(Model):
    """Everything that differs between environments."""

    environment: Environment
    protect_data: bool
    log_retention_days: RetentionDays
    aws: Aws
    network: Network
    database: Database
    redis: Redis
    storage: Storage
    queues: dict[QueueKey, Queue]
    workers: Annotated[dict[WorkerKind, Worker], Field(min_length=1)]
    video: Video
    api: Api
    scaling: Scaling

"""The environment, read once into frozen dataclasses. Nothing else in a worker reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from config.contracts import environment as names
from config.contracts.queues import QUEUES
from worker_images.base.errors import ConfigurationError

_GROUP = "AUTO_SCALING_GROUP_NAME"
_METADATA = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
_METRICS_PORT = "METRICS_PORT"
DEFAULT_METADATA_ENDPOINT = "http://169.254.169.254"
_PROVIDERS = ("s3", "r2")
_BUCKETS = {
    "ai": "R2_AI_BUCKET",
    "video": "R2_VIDEO_BUCKET",
    "excel": "R2_EXCEL_BUCKET",
    "storage": "R2_STORAGE_BUCKET",
}


@dataclass(frozen=True)
class DatabaseSettings:
    """Where PostgreSQL is, and the secret that says its password when it has changed.

    `sslmode` is libpq's: https://www.postgresql.org/docs/current/libpq-ssl.html
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    secret_arn: str
    region: str
    sslmode: str


@dataclass(frozen=True)
class StorageSettings:
    """Which object store, and how it is reached; the `r2_*` fields are empty on S3."""

    provider: str
    region: str
    video_bucket: str
    r2_endpoint: str = ""
    r2_access_key: str = field(default="", repr=False)
    r2_secret_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker of any kind is told.

    `queue_names` go by the queues' keys, `buckets` by role. `concurrency` jobs run at once, and
    one without progress for `hang_limit_s` is ended. `group_name` is None outside an Auto Scaling
    group, `metrics_port` where nobody scrapes.
    """

    environment: str
    kind: str
    region: str
    queue_names: Mapping[str, str]
    buckets: Mapping[str, str]
    group_name: str | None
    metadata_endpoint: str
    idle_s: int
    attempts: int
    visibility_timeout_s: int
    time_limit_s: int
    hang_limit_s: int
    concurrency: int
    metrics_port: int | None
    database: DatabaseSettings
    storage: StorageSettings
    secrets: tuple[str, ...] = field(repr=False)


def load_worker_settings(environ: Mapping[str, str]) -> WorkerSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming every variable that is missing or empty, or the first one
    with a value that is not allowed.
    """
    fleet = tuple(name for name in names.WORKER_FLEET if name != _GROUP)
    require(environ, (*names.WORKERS, *fleet))
    if _GROUP in environ:
        require(environ, (_GROUP,))
    return WorkerSettings(
        environment=environ["ENVIRONMENT"],
        kind=environ["WORKER_KIND"],
        region=environ["AWS_DEFAULT_REGION"],
        queue_names={queue.key: environ[queue.variable] for queue in QUEUES},
        buckets={role: environ[variable] for role, variable in _BUCKETS.items()},
        group_name=environ.get(_GROUP),
        metadata_endpoint=environ.get(_METADATA, DEFAULT_METADATA_ENDPOINT),
        idle_s=whole_number(environ, "IDLE_S", minimum=1),
        attempts=whole_number(environ, "ATTEMPTS", minimum=1),
        visibility_timeout_s=whole_number(environ, "VISIBILITY_TIMEOUT_S", minimum=3),
        time_limit_s=whole_number(environ, "TIME_LIMIT_S", minimum=1),
        hang_limit_s=whole_number(environ, "HANG_LIMIT_S", minimum=1),
        concurrency=whole_number(environ, "CONCURRENCY", minimum=1),
        metrics_port=(
            whole_number(environ, _METRICS_PORT, minimum=1) if _METRICS_PORT in environ else None
        ),
        database=database_settings(environ),
        storage=storage_settings(environ),
        secrets=tuple(environ[name] for name in names.SECRETS if environ.get(name)),
    )


def require(environ: Mapping[str, str], wanted: Iterable[str]) -> None:
    """Raise ConfigurationError naming every wanted variable that is missing or empty."""
    lacking = [name for name in wanted if not environ.get(name, "").strip()]
    if lacking:
        raise ConfigurationError(f"environment variables missing or empty: {', '.join(lacking)}")


def whole_number(environ: Mapping[str, str], name: str, *, minimum: int) -> int:
    """Return a variable's value as an integer of at least `minimum`.

    Raises: ConfigurationError naming the variable, its value and what is allowed.
    """
    value = environ[name]
    if not value.isdecimal() or int(value) < minimum:
        raise ConfigurationError(f"{name}={value!r} must be a whole number, at least {minimum}")
    return int(value)


def database_settings(environ: Mapping[str, str]) -> DatabaseSettings:
    """Return where PostgreSQL is. Raises: ConfigurationError."""
    return DatabaseSettings(
        host=environ["DB_HOST"],
        port=whole_number(environ, "DB_PORT", minimum=1),
        name=environ["DB_NAME"],
        user=environ["DB_USER"],
        password=environ["DB_PASSWORD"],
        secret_arn=environ[names.DATABASE_SECRET],
        region=environ["AWS_DEFAULT_REGION"],
        sslmode=environ.get(names.DATABASE_TLS, "prefer"),
    )


def storage_settings(environ: Mapping[str, str]) -> StorageSettings:
    """Return which object store is used. Raises: ConfigurationError."""
    provider = environ[names.STORAGE_PROVIDER]
    if provider not in _PROVIDERS:
        raise ConfigurationError(
            f"{names.STORAGE_PROVIDER}={provider!r} must be one of {', '.join(_PROVIDERS)}"
        )
    if provider == "r2":
        require(environ, names.R2_CREDENTIALS)
    return StorageSettings(
        provider=provider,
        region=environ["AWS_DEFAULT_REGION"],
        video_bucket=environ["R2_VIDEO_BUCKET"],
        r2_endpoint=environ.get("R2_ENDPOINT", ""),
        r2_access_key=environ.get("R2_ACCESS_KEY", ""),
        r2_secret_key=environ.get("R2_SECRET_KEY", ""),
    )

"""The API's environment, read once into a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.contracts import environment as names
from config.contracts.queues import QUEUES
from worker_images.api.cdn import CookieSigner
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import (
    DatabaseSettings,
    StorageSettings,
    database_settings,
    require,
    storage_settings,
    whole_number,
)

#: prometheus_client's own; set by gunicorn_conf.py, where several processes count.
MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True)
class ApiSettings:
    """What the API is told. Lists come comma-separated; blanks around an item do not count.

    `playback` is None where segments come from the store itself; `original_days` where the store's
    own rule deletes the originals of finished videos. `proxy_hops` counts the proxies that each add
    an address to X-Forwarded-For: 1 is the load balancer alone, 2 an edge before it, 0 neither.
    `replica_host` answers reads while the database is down, with its port, name and user.
    """

    secret_key: str = field(repr=False)
    operator_token: str = field(repr=False)
    internal_key: str = field(repr=False)
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    region: str
    queue_names: Mapping[str, str]
    database: DatabaseSettings
    storage: StorageSettings
    excel_bucket: str
    redis_host: str
    redis_port: int
    redis_password: str = field(repr=False)
    redis_tls: bool
    redis_cluster: bool
    original_days: int | None
    attempts: int
    rate_limit_per_minute: int
    proxy_hops: int
    replica_host: str | None
    configuration: str | None
    playback: CookieSigner | None = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def load_api_settings(environ: Mapping[str, str]) -> ApiSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming every variable that is missing or empty, or the first one
    with a value that is not allowed.
    """
    require(environ, names.API)
    return ApiSettings(
        secret_key=environ["SECRET_KEY"],
        operator_token=environ["OPERATOR_API_TOKEN"],
        internal_key=environ["LAMBDA_INTERNAL_API_KEY"],
        allowed_hosts=_items(environ["ALLOWED_HOSTS"]),
        cors_origins=_items(environ["CORS_ORIGINS"]),
        region=environ["AWS_DEFAULT_REGION"],
        queue_names={queue.key: environ[queue.variable] for queue in QUEUES},
        database=database_settings(environ),
        storage=storage_settings(environ),
        excel_bucket=environ["R2_EXCEL_BUCKET"],
        redis_host=environ["REDIS_HOST"],
        redis_port=whole_number(environ, "REDIS_PORT", minimum=1),
        redis_password=environ.get("REDIS_PASSWORD", ""),
        redis_tls=_switch(environ, names.REDIS_TLS),
        redis_cluster=_switch(environ, names.REDIS_CLUSTER),
        original_days=(
            whole_number(environ, names.ORIGINAL_DAYS, minimum=1)
            if names.ORIGINAL_DAYS in environ
            else None
        ),
        attempts=whole_number(environ, "VIDEO_ATTEMPTS", minimum=1),
        rate_limit_per_minute=whole_number(environ, "RATE_LIMIT_PER_MINUTE", minimum=1),
        proxy_hops=(
            whole_number(environ, names.PROXY_HOPS, minimum=0) if names.PROXY_HOPS in environ else 1
        ),
        replica_host=environ.get(names.REPLICA_HOST) or None,
        configuration=environ.get(names.CONFIGURATION),
        playback=_playback(environ),
        secrets=tuple(environ[name] for name in names.SECRETS if environ.get(name)),
    )


def _playback(environ: Mapping[str, str]) -> CookieSigner | None:
    if not any(environ.get(name) for name in names.PLAYBACK):
        return None
    require(environ, names.PLAYBACK)
    key_pair_id, private_key = (environ[name] for name in names.PLAYBACK)
    try:
        return CookieSigner(key_pair_id, private_key)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"{names.PLAYBACK[1]} must be an RSA private key: PKCS#8 in DER, in base64"
        ) from None


def _items(value: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "false")
    if value not in ("true", "false"):
        raise ConfigurationError(f"{name}={value!r} must be true or false")
    return value == "true"

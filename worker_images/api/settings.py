"""Django's settings. Every value that differs by deployment comes from environment.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis.backoff import NoBackoff
from redis.retry import Retry

from config.contracts.states import AiJobState, TextState, VideoJobState, VideoState
from worker_images.api.database.router import REPLICA
from worker_images.api.environment import load_api_settings

API = load_api_settings(os.environ)

SECRET_KEY = API.secret_key
DEBUG = False
ALLOWED_HOSTS = list(API.allowed_hosts)

INSTALLED_APPS = ["rest_framework", "drf_spectacular", "worker_images.api"]
ROOT_URLCONF = "worker_images.api.urls"
WSGI_APPLICATION = "worker_images.api.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "ko"

MIDDLEWARE = [
    "worker_images.api.middleware.answer_healthz",
    "worker_images.api.middleware.observe",
    "worker_images.api.middleware.allow_origins",
    "worker_images.api.rate_limit.limit_rate",
    "worker_images.api.read_only.limit_waits",
    "worker_images.api.read_only.answer_from_replica",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# The load balancer ends TLS, overwrites this header, and redirects port 80 itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
    }
]

# A person waits: a server that vanished is given up sooner than a worker gives it up.
_DATABASE_OPTIONS = {
    "application_name": "academy-api",
    "connect_timeout": 3,
    "sslmode": API.database.sslmode,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 2,
    "tcp_user_timeout": 5_000,
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "worker_images.api.database",
        "HOST": API.database.host,
        "PORT": API.database.port,
        "NAME": API.database.name,
        "USER": API.database.user,
        "PASSWORD": API.database.password,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**_DATABASE_OPTIONS, "options": "-c statement_timeout=15000"},
    }
}
if API.replica_host is not None:
    _READS = "-c statement_timeout=15000 -c default_transaction_read_only=on"
    DATABASES[REPLICA] = {
        **DATABASES["default"],
        "HOST": API.replica_host,
        # There is nobody else to ask.
        "OPTIONS": {**_DATABASE_OPTIONS, "connect_timeout": 6, "options": _READS},
    }
    DATABASE_ROUTERS = ["worker_images.api.database.router.ReplicaReads"]

_REDIS_SCHEME = "rediss" if API.redis_tls else "redis"
_REDIS_USER = f":{quote(API.redis_password, safe='')}@" if API.redis_password else ""
CACHES = {
    "default": {
        "BACKEND": (
            "worker_images.api.cache.ClusterCache"
            if API.redis_cluster
            else "worker_images.api.cache.CountingCache"
        ),
        "LOCATION": f"{_REDIS_SCHEME}://{_REDIS_USER}{API.redis_host}:{API.redis_port}/0",
        "OPTIONS": {
            # A lost Redis costs a request 0.8 s: two tries, each of which connects twice.
            "socket_connect_timeout": 0.2,
            "socket_timeout": 0.2,
            "retry": Retry(NoBackoff(), 1),
            "serializer": "worker_images.api.answers.JsonSerializer",
        },
        "KEY_PREFIX": "academy-api",
    }
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["worker_images.api.auth.OperatorToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "worker_images.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "academy API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "VideoState": [state.value for state in VideoState],
        "VideoJobState": [state.value for state in VideoJobState],
        "AiJobState": [state.value for state in AiJobState],
        "TextState": [state.value for state in TextState],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "worker_images.api.openapi.plain.add_plain_paths",
    ],
}

LOGGING_CONFIG = "worker_images.api.logs.configure"
LOGGING = {"secrets": API.secrets}

"""Django's settings. Every value that differs by deployment comes from environment.py."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from redis.backoff import NoBackoff
from redis.retry import Retry

from worker_images.api.environment import load_api_settings
from worker_images.base.database import LIVENESS

API = load_api_settings(os.environ)

SECRET_KEY = API.secret_key
DEBUG = False
ALLOWED_HOSTS = list(API.allowed_hosts)

INSTALLED_APPS = ["rest_framework", "worker_images.api"]
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

DATABASES = {
    "default": {
        "ENGINE": "worker_images.api.database",
        "HOST": API.database.host,
        "PORT": API.database.port,
        "NAME": API.database.name,
        "USER": API.database.user,
        "PASSWORD": API.database.password,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "academy-api",
            "connect_timeout": 3,
            "sslmode": API.database.sslmode,
            **LIVENESS,
            "options": "-c statement_timeout=15000",
        },
    }
}

_REDIS_SCHEME = "rediss" if API.redis_tls else "redis"
_REDIS_USER = f":{quote(API.redis_password, safe='')}@" if API.redis_password else ""
CACHES = {
    "default": {
        "BACKEND": (
            "worker_images.api.cache.ClusterCache"
            if API.redis_cluster
            else "django.core.cache.backends.redis.RedisCache"
        ),
        "LOCATION": f"{_REDIS_SCHEME}://{_REDIS_USER}{API.redis_host}:{API.redis_port}/0",
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
            # redis-py would otherwise spend seconds on waits between three tries.
            "retry": Retry(NoBackoff(), 1),
        },
        "KEY_PREFIX": "academy-api",
    }
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["worker_images.api.auth.OperatorToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "worker_images.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}

LOGGING_CONFIG = "worker_images.api.logs.configure"
LOGGING = {"secrets": API.secrets}

"""The shape of the store's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model_base import BucketName, Model, Origin, SecretName


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

"""Puts the rules through R2's S3 API; the same rules again change nothing.

https://developers.cloudflare.com/r2/api/s3/api/ lists the calls that R2 implements.
"""

from __future__ import annotations

import json
from typing import Any

from config.contracts.storage_keys import R2_SECRET_KEYS
from lambdas.r2_bucket_settings.request import BucketSettings, RequestInvalid


def credentials(secret: str) -> tuple[str, str]:
    """Return access key and secret key from the secret's JSON.

    Raises: RequestInvalid naming the key that is missing, never what the secret holds.
    """
    try:
        fields = json.loads(secret)
    except json.JSONDecodeError:
        fields = None
    found = [fields.get(key) if isinstance(fields, dict) else None for key in R2_SECRET_KEYS]
    missing = [key for key, value in zip(R2_SECRET_KEYS, found, strict=True) if not value]
    if missing:
        raise RequestInvalid(f"the credentials secret is JSON with {', '.join(missing)}") from None
    return str(found[0]), str(found[1])


def apply(s3: Any, settings: BucketSettings) -> None:
    """Make a bucket's lifecycle and CORS what the settings say. Raises: botocore's errors."""
    if settings.lifecycle_rules:
        s3.put_bucket_lifecycle_configuration(
            Bucket=settings.bucket, LifecycleConfiguration={"Rules": settings.lifecycle_rules}
        )
    else:
        s3.delete_bucket_lifecycle(Bucket=settings.bucket)
    if settings.cors_rules:
        s3.put_bucket_cors(
            Bucket=settings.bucket, CORSConfiguration={"CORSRules": settings.cors_rules}
        )
    else:
        s3.delete_bucket_cors(Bucket=settings.bucket)

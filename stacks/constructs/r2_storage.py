"""Lifecycle and CORS of the documented buckets on Cloudflare R2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from config.contracts.storage_keys import EXCEL_EXPORTS_PREFIX
from stacks.constructs.buckets import (
    ABORT_UPLOAD_DAYS,
    BROWSER_BUCKETS,
    CORS_MAX_AGE_S,
    CORS_METHODS,
    BucketRules,
)
from stacks.constructs.parameters import grant_secret_value
from stacks.constructs.platform_stack import Place
from stacks.constructs.python_lambda import PythonLambda
from stacks.constructs.stateful import removal_policy


class R2Storage(Construct):
    """Lifecycle and CORS of buckets that exist on R2, applied by a custom resource.

    The keys stay in the secret: the function reads it, the template holds its ARN alone. R2 has no
    object tags and no versions: the API deletes the originals of finished videos there
    (worker_images/api/originals.py).
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        names: Mapping[str, str],
        rules: BucketRules,
        endpoint: str,
        credentials: secretsmanager.ISecret,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        self.names = dict(names)
        settings = PythonLambda(
            self,
            "Settings",
            package="r2_bucket_settings",
            description="Applies lifecycle and CORS to the buckets on R2",
            environment={},
            timeout_s=60,
            memory_mb=256,
            log_retention_days=place.log_retention_days,
        )
        grant_secret_value(settings.function, credentials)
        for role, name in names.items():
            cdk.CustomResource(
                self,
                role.title(),
                resource_type="Custom::R2BucketSettings",
                service_token=settings.function.function_arn,
                removal_policy=removal_policy(place),
                properties={
                    "Bucket": name,
                    "LifecycleRules": r2_lifecycle(role, rules),
                    "CorsRules": r2_cors(role, rules),
                    "Endpoint": endpoint,
                    "CredentialsSecretArn": credentials.secret_arn,
                },
            )

    def grant(
        self, grantee: iam.IGrantable, role: str, prefix: str, actions: Sequence[str]
    ) -> None:
        """Grant nothing: R2 knows no roles, its keys come with the environment."""


def r2_lifecycle(role: str, rules: BucketRules) -> list[dict[str, object]]:
    """Return the rules of a bucket in the form of S3's PutBucketLifecycleConfiguration."""
    found: list[dict[str, object]] = [
        {
            "ID": "abort-unfinished-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_UPLOAD_DAYS},
        }
    ]
    if role == "excel":
        found.append(
            {
                "ID": "expire-exports",
                "Status": "Enabled",
                "Filter": {"Prefix": EXCEL_EXPORTS_PREFIX},
                "Expiration": {"Days": rules.export_days},
            }
        )
    return found


def r2_cors(role: str, rules: BucketRules) -> list[dict[str, object]]:
    """Return the rules of a bucket in the form of S3's PutBucketCors; empty when it has none."""
    if role not in BROWSER_BUCKETS:
        return []
    return [
        {
            "AllowedMethods": list(CORS_METHODS),
            "AllowedOrigins": list(rules.browser_origins),
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": CORS_MAX_AGE_S,
        }
    ]

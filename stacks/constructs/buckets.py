"""The documented buckets on S3, and what they have in common with those on R2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.contracts.storage_keys import EXCEL_EXPORTS_PREFIX, EXPIRE_ORIGINAL_TAG
from stacks.constructs.platform_stack import Place, removal_policy

CORS_METHODS = ("GET", "PUT", "POST", "HEAD", "DELETE")
CORS_MAX_AGE_S = 3600
#: Parts of an upload that was never finished cost as much as an object.
ABORT_UPLOAD_DAYS = 7
#: Buckets that a browser uploads to or plays from.
BROWSER_BUCKETS = ("video", "storage")


@dataclass(frozen=True)
class BucketRules:
    """Browser origins allowed by CORS, and days until originals and exports go."""

    browser_origins: Sequence[str]
    original_days: int
    export_days: int


class ObjectStorage(Protocol):
    """Names of the buckets by role (`ai`, `video`, `excel`, `storage`) and access to them."""

    names: dict[str, str]

    def grant_read_write(self, grantee: iam.IGrantable, role: str, prefix: str) -> None:
        """Grant reading, writing and deleting objects below a prefix (`tenants/`) of a bucket."""


class S3Storage(Construct):
    """Private, encrypted, TLS-only buckets.

    Originals of finished videos carry the tag that the lifecycle rule looks for; HLS is never
    touched by a rule; Excel exports go by their prefix. Excel uploads are the worker's to delete.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        names: Mapping[str, str],
        rules: BucketRules,
        place: Place,
    ) -> None:
        super().__init__(scope, identifier)
        self.names = dict(names)
        self.buckets = {
            role: self._bucket(role, name, rules, place) for role, name in names.items()
        }

    def _bucket(self, role: str, name: str, rules: BucketRules, place: Place) -> s3.Bucket:
        return s3.Bucket(
            self,
            role.title(),
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy(place),
            lifecycle_rules=_lifecycle(role, rules),
            cors=_cors(role, rules),
        )

    def grant_read_write(self, grantee: iam.IGrantable, role: str, prefix: str) -> None:
        """Grant objects below the prefix, and listing the bucket (a missing one is then a 404)."""
        self.buckets[role].grant_read_write(grantee, f"{prefix}*")


def _lifecycle(role: str, rules: BucketRules) -> list[s3.LifecycleRule]:
    found = [
        s3.LifecycleRule(
            id="abort-unfinished-uploads",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(ABORT_UPLOAD_DAYS),
        )
    ]
    if role == "video":
        tag, value = EXPIRE_ORIGINAL_TAG
        found.append(
            s3.LifecycleRule(
                id="expire-finished-originals",
                tag_filters={tag: value},
                expiration=cdk.Duration.days(rules.original_days),
            )
        )
    if role == "excel":
        found.append(
            s3.LifecycleRule(
                id="expire-exports",
                prefix=EXCEL_EXPORTS_PREFIX,
                expiration=cdk.Duration.days(rules.export_days),
            )
        )
    return found


def _cors(role: str, rules: BucketRules) -> list[s3.CorsRule] | None:
    if role not in BROWSER_BUCKETS:
        return None
    return [
        s3.CorsRule(
            allowed_methods=[s3.HttpMethods[method] for method in CORS_METHODS],
            allowed_origins=list(rules.browser_origins),
            allowed_headers=["*"],
            exposed_headers=["ETag"],
            max_age=CORS_MAX_AGE_S,
        )
    ]

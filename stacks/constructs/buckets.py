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
from stacks.constructs.acknowledge import acknowledge, grant_pattern
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

CORS_METHODS = ("GET", "PUT", "POST", "HEAD", "DELETE")
CORS_MAX_AGE_S = 3600
#: Parts of an upload that was never finished cost as much as an object.
ABORT_UPLOAD_DAYS = 7
#: Buckets that a browser uploads to or plays from.
BROWSER_BUCKETS = ("video", "storage")
#: Kept for ever and written by programs: what one deletes or overwrites by mistake can be had back.
#: The other two hold uploads and exports that go within days, and results that can be made again.
VERSIONED_BUCKETS = ("video", "storage")
#: Days for which a deleted or overwritten object of a versioned bucket can be had back.
NONCURRENT_DAYS = 7

#: The API presigns uploads and playback, reads playlists, asks whether a file is there (HeadObject
#: needs GetObject), and lists for its health check.
API_ACTIONS = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")
#: It uploads rosters too (in parts, and aborts those of a failed upload), and finds and deletes
#: those that no worker will; of exports it presigns the address.
API_ROSTER_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:ListBucket",
    "s3:PutObject",
)
API_EXPORT_ACTIONS = ("s3:GetObject", "s3:ListBucket")
#: A worker downloads, uploads in parts (and aborts those of a failed upload), and deletes the
#: stale. Nobody may delete a version.
WORKER_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)
#: One that encodes tags the originals that it has finished, too.
VIDEO_ACTIONS = (*WORKER_ACTIONS, "s3:PutObjectTagging")
#: One that exports writes what it made, and never reads or deletes an export.
EXPORT_ACTIONS = ("s3:AbortMultipartUpload", "s3:PutObject")
#: One that makes subtitles hears the lecture, and lays them beside its rendition.
SUBTITLES_ACTIONS = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
#: Granted on the bucket; every other action is granted on its objects.
_ON_BUCKET = frozenset({"s3:ListBucket"})


@dataclass(frozen=True)
class BucketRules:
    """Browser origins allowed by CORS, and days until originals and exports go."""

    browser_origins: Sequence[str]
    original_days: int
    export_days: int


class ObjectStorage(Protocol):
    """Names of the buckets by role (`ai`, `video`, `excel`, `storage`) and access to them."""

    names: dict[str, str]

    def grant(
        self, grantee: iam.IGrantable, role: str, prefix: str, actions: Sequence[str]
    ) -> None:
        """Grant actions of S3 on objects below a prefix (`tenants/`) of a bucket."""


class S3Storage(Construct):
    """Private, encrypted, TLS-only buckets; those of VERSIONED_BUCKETS keep versions for a week.

    Originals of finished videos carry the tag that the lifecycle rule looks for; no rule ends HLS;
    Excel exports go by their prefix. Excel uploads are the worker's to delete.
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
        # Each, whoever uses it now: a fleet of the release before may still import it.
        for bucket in self.buckets.values():
            cdk.Stack.of(self).export_value(bucket.bucket_arn)

    def _bucket(self, role: str, name: str, rules: BucketRules, place: Place) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            role.title(),
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            # Absent, not suspended, where a bucket has never had versions.
            versioned=role in VERSIONED_BUCKETS or None,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=_lifecycle(role, rules),
            cors=_cors(role, rules),
        )
        declare_stateful(bucket, place=place, holds=f"objects of the {role} bucket")
        acknowledge(
            bucket,
            "S1",
            "Nobody reads it by himself: the API signs each address and logs who asked; a line for "
            "each segment of each pupil would cost more than the bucket",
        )
        return bucket

    def grant(
        self, grantee: iam.IGrantable, role: str, prefix: str, actions: Sequence[str]
    ) -> None:
        """Grant exactly the actions, those of the bucket itself on the bucket.

        A raw statement: CDK's own grants come as `s3:GetObject*` and its like, which also reads
        versions and ACLs. With ListBucket a missing object is a 404 instead of a 403.
        """
        bucket = self.buckets[role]
        if on_bucket := [action for action in actions if action in _ON_BUCKET]:
            iam.Grant.add_to_principal(
                grantee=grantee, actions=on_bucket, resource_arns=[bucket.bucket_arn]
            )
        # The export that a reference would make anyway: cdk-nag's finding is named after it.
        arn = cdk.Stack.of(self).export_value(bucket.bucket_arn)
        grant_pattern(
            grantee,
            actions=[action for action in actions if action not in _ON_BUCKET],
            arns=[f"{arn}/{prefix}*"],
            reason=f"Objects of one bucket below '{prefix}': their keys are made from jobs' ids",
        )

    def grant_distributions_read(self, role: str, pattern: str) -> None:
        """Let this account's CloudFront distributions read objects of a pattern, and nothing else.

        A raw statement: the distribution is in another region's stack, so no grant of CDK's knows
        it; the account stands in its stead.
        """
        bucket, stack = self.buckets[role], cdk.Stack.of(self)
        distributions = stack.format_arn(
            service="cloudfront", region="", resource="distribution", resource_name="*"
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(pattern)],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": distributions},
                },
            )
        )


def _lifecycle(role: str, rules: BucketRules) -> list[s3.LifecycleRule]:
    found = [
        s3.LifecycleRule(
            id="abort-unfinished-uploads",
            abort_incomplete_multipart_upload_after=cdk.Duration.days(ABORT_UPLOAD_DAYS),
        )
    ]
    if role in VERSIONED_BUCKETS:
        found.append(
            s3.LifecycleRule(
                id="expire-old-versions",
                noncurrent_version_expiration=cdk.Duration.days(NONCURRENT_DAYS),
                # What is left of a deleted object once its versions are gone.
                expired_object_delete_marker=True,
            )
        )
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

"""Where releases are recorded: written once, read for a rollback, deleted by nobody."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.acknowledge import acknowledge, grant_pattern
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

#: Days that an overwritten record can still be brought back.
OVERWRITTEN_DAYS = 90
ABORT_UPLOAD_DAYS = 1


class ReleaseBucket(Construct):
    """A private, encrypted, versioned bucket that only TLS reaches.

    Where data is kept, its policy denies every deletion to everybody, administrators included:
    whoever must delete has to change the policy first, which CloudTrail shows.
    """

    def __init__(self, scope: Construct, identifier: str, *, place: Place) -> None:
        super().__init__(scope, identifier)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget-overwritten-records",
                    noncurrent_version_expiration=cdk.Duration.days(OVERWRITTEN_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(ABORT_UPLOAD_DAYS),
                )
            ],
        )
        declare_stateful(self.bucket, place=place, holds="recorded releases")
        acknowledge(
            self.bucket,
            "S1",
            "Each record says who wrote it and when; versions keep what was there",
        )
        if place.keep_data:
            self._deny_deletion()

    def grant_record(self, grantee: iam.IGrantable) -> None:
        """Grant reading and adding records: CDK's own grants carry wildcards, such as Abort*."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["s3:ListBucket"], resource_arns=[self.bucket.bucket_arn]
        )
        grant_pattern(
            grantee,
            actions=["s3:GetObject", "s3:PutObject"],
            arns=[self.bucket.arn_for_objects("*")],
            reason="A release's files are named by its time and content; nothing may be deleted",
        )

    def _deny_deletion(self) -> None:
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NobodyDeletes",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:DeleteBucket", "s3:DeleteObject", "s3:DeleteObjectVersion"],
                resources=[self.bucket.bucket_arn, self.bucket.arn_for_objects("*")],
            )
        )

"""What delivery needs in the account: recorded releases, image repositories, GitHub's roles."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config import models
from config.contracts.edges import EDGE_REGION
from config.contracts.parameters import RELEASE_BUCKET, found_path
from config.settings import environments
from stacks.constructs.github_roles import Delivered, GitHubRoles, identity_provider, images_role
from stacks.constructs.image_repositories import ImageRepositories
from stacks.constructs.platform_stack import Place, PlatformStack
from stacks.constructs.release_bucket import ReleaseBucket


class DeliveryStack(PlatformStack):
    """The release bucket, found by its parameter; the roles; what the account holds once. Stateful.

    With `creates_shared` also the image repositories, GitHub's identity provider and the role that
    pushes images. Other environments of the account use these by their names.
    """

    def __init__(self, scope: Construct, *, place: Place, delivery: models.Delivery) -> None:
        super().__init__(scope, "delivery", place, stateful=True)
        releases = ReleaseBucket(self, "Releases", place=place)
        ssm.StringParameter(
            self,
            "ReleaseBucketName",
            parameter_name=found_path(place.environment, RELEASE_BUCKET),
            string_value=releases.bucket.bucket_name,
            description="Bucket of the recorded releases",
        )
        repositories = self._repositories(place) if delivery.creates_shared else []
        if delivery.github:
            delivered = Delivered(
                environment=place.environment,
                repository=delivery.github.repository,
                account=cdk.Aws.ACCOUNT_ID,
                regions=(place.region, EDGE_REGION),
            )
            roles = GitHubRoles(self, "GitHub", delivered=delivered, releases=releases)
            if delivery.creates_shared:
                provider = identity_provider(self, "GitHubIdentity")
                roles.node.add_dependency(provider)
                images_role(self, "ImagesPush", delivered=delivered, repositories=repositories)

    def _repositories(self, place: Place) -> list[ecr.Repository]:
        """Every environment of the account runs from them; local has an account of its own."""
        local = place.environment == "local"
        # In the order of what must be kept: ECR lets the first rule that matches an image decide.
        shared = sorted(environments(), key=lambda name: (name != "prod", name != "staging", name))
        sharing = ["local"] if local else [name for name in shared if name != "local"]
        return ImageRepositories(self, "Images", place=place, environments=sharing).repositories

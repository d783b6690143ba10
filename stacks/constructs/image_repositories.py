"""Where the images lie."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from config.contracts.names import IMAGES, released_tag_prefix
from stacks.constructs.platform_stack import Place
from stacks.constructs.stateful import declare_stateful

KEPT = 10
#: An image's own tag, and cosign's tag of its signature.
TAGS_EACH = 2


class ImageRepositories(Construct):
    """A repository for each documented image: immutable tags, scanned, the last 10 kept.

    What an environment released is kept apart from what was merely built, 10 each: ten builds
    that nobody deployed must not take the image away that prod runs. Only tagged images are
    counted, since an image of two platforms is three, two of them without a tag.
    """

    def __init__(
        self, scope: Construct, identifier: str, *, place: Place, environments: Sequence[str]
    ) -> None:
        super().__init__(scope, identifier)
        self.repositories = [
            self._repository(kind, name, place, environments) for kind, name in IMAGES.items()
        ]

    def _repository(
        self, kind: str, name: str, place: Place, environments: Sequence[str]
    ) -> ecr.Repository:
        repository = ecr.Repository(
            self,
            kind.title(),
            # The name that instances and operators' commands know.
            repository_name=name,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            lifecycle_rules=_rules(environments),
        )
        declare_stateful(repository, place=place, holds="images that run and can be rolled back to")
        return repository


def _rules(environments: Sequence[str]) -> list[ecr.LifecycleRule]:
    """Return the rules in their order; an image that one rule has matched is no other's."""
    released = [
        ecr.LifecycleRule(
            rule_priority=number,
            description=f"The last {KEPT} that {environment} released",
            tag_status=ecr.TagStatus.TAGGED,
            tag_prefix_list=[released_tag_prefix(environment)],
            max_image_count=KEPT,
        )
        for number, environment in enumerate(environments, start=1)
    ]
    built = ecr.LifecycleRule(
        rule_priority=len(environments) + 1,
        description=f"The last {KEPT} that were built, with their signatures",
        tag_status=ecr.TagStatus.TAGGED,
        tag_pattern_list=["*"],
        max_image_count=KEPT * TAGS_EACH,
    )
    # The parts of an image for several machines carry no tag; they stay when their index goes.
    parts = ecr.LifecycleRule(
        rule_priority=len(environments) + 2,
        description="Parts of images that are gone",
        tag_status=ecr.TagStatus.UNTAGGED,
        max_image_age=cdk.Duration.days(7),
    )
    return [*released, built, parts]

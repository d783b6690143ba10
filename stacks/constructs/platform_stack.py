"""The base of every stack: its name, place, tags, and how its data outlives it."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from config.contracts.names import PREFIX


@dataclass(frozen=True)
class Place:
    """Where a stack goes, which images it runs, and how it treats what it holds.

    `account` is None for the account of whoever deploys. `image_tag` is the commit, or locally the
    content hash, that the images were built from. `keep_data` keeps stateful resources when their
    stack is deleted, and protects them from deletion.
    """

    environment: str
    account: str | None
    region: str
    image_tag: str
    keep_data: bool
    log_retention_days: int


class PlatformStack(cdk.Stack):
    """`academy-<environment>-<role>`; `stateful` stacks are protected where data is kept."""

    def __init__(
        self, scope: Construct, role: str, place: Place, *, stateful: bool = False
    ) -> None:
        super().__init__(
            scope,
            f"{PREFIX}-{place.environment}-{role}",
            env=cdk.Environment(account=place.account, region=place.region),
            termination_protection=stateful and place.keep_data,
            tags={"platform": PREFIX, "environment": place.environment},
        )
        self.place = place


def removal_policy(place: Place) -> cdk.RemovalPolicy:
    """Return RETAIN where data is kept, else DESTROY."""
    return cdk.RemovalPolicy.RETAIN if place.keep_data else cdk.RemovalPolicy.DESTROY

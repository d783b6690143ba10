"""The base of every stack: its name, place, tags, and how its data outlives it."""

from __future__ import annotations

from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from config.contracts.names import PREFIX


@dataclass(frozen=True)
class Alarms:
    """The topic that alarms tell, the runbook that they point to, and every alarm made so far."""

    topic: sns.ITopic
    runbook_url: str
    made: list[cloudwatch.Alarm] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where a stack goes, which images it runs, and how it treats what it holds.

    `account` is None for the account of whoever deploys. `image_tag` is the commit, or locally the
    content hash, that the images were built from. `keep_data` keeps stateful resources when their
    stack is deleted, and protects them from deletion. `alarms` says whom an alarm tells; only the
    stack that makes the topic has none.
    """

    environment: str
    account: str | None
    region: str
    image_tag: str
    keep_data: bool
    log_retention_days: int
    alarms: Alarms | None = None

    @property
    def topic(self) -> sns.ITopic:
        """Return whom alarms tell. Raises: ValueError where the topic is not made yet."""
        if self.alarms is None:
            raise ValueError("only what comes after the notifications' stack knows their topic")
        return self.alarms.topic


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

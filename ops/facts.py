"""Facts about the line, asked from AWS: queues, the published backlog, fleets, stacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from config.contracts import metrics
from config.contracts.names import worker_group_name
from config.contracts.queues import QUEUES, Queue
from config.settings import Settings
from ops import aws, places

#: How far back the backlog is looked for; the function publishes several times a minute.
BACKLOG_WINDOW_S = 180


@dataclass(frozen=True)
class QueueFacts:
    """A queue's messages: waiting, received and not deleted yet, and dead."""

    name: str
    visible: int
    in_flight: int
    dead: int


@dataclass(frozen=True)
class FleetFacts:
    """An Auto Scaling group; `instances` maps ids to lifecycle states."""

    name: str
    desired: int
    minimum: int
    maximum: int
    instances: dict[str, str]

    @property
    def is_at_rest(self) -> bool:
        """Whether it is as small as it may be, with nobody left over."""
        return self.desired <= self.minimum and len(self.instances) <= self.minimum


@dataclass(frozen=True)
class BacklogFact:
    """The backlog published last: when (epoch seconds) and how much."""

    at_s: float
    value: float


@dataclass(frozen=True)
class StackFacts:
    """A CloudFormation stack."""

    name: str
    status: str
    updated: str


def queue(settings: Settings, contract: Queue) -> QueueFacts:
    """Return a queue's counts. Raises: botocore's errors."""
    environment = settings.environment
    name = contract.physical(environment)
    visible, in_flight = _counts(settings, name)
    dead, _ = _counts(settings, contract.dead_letter(environment))
    return QueueFacts(name, visible, in_flight, dead)


def queues(settings: Settings) -> list[QueueFacts]:
    """Return the counts of every queue that the environment configures."""
    return [queue(settings, each) for each in QUEUES if each.key in settings.queues]


def fleet(settings: Settings, kind: str) -> FleetFacts | None:
    """Return a worker fleet, None when there is no such group. Raises: botocore's errors."""
    name = worker_group_name(settings.environment, kind)
    found = aws.client("autoscaling", settings.aws.region).describe_auto_scaling_groups(
        AutoScalingGroupNames=[name]
    )
    for group in found["AutoScalingGroups"]:
        instances = {each["InstanceId"]: each["LifecycleState"] for each in group["Instances"]}
        sizes = (group["DesiredCapacity"], group["MinSize"], group["MaxSize"])
        return FleetFacts(name, *sizes, instances)
    return None


def backlog(settings: Settings, now: datetime | None = None) -> BacklogFact | None:
    """Return the last published BacklogCount, None when there is none of late."""
    end = now or datetime.now(UTC)
    dimensions = metrics.backlog_dimension_sets(settings.environment)[0]
    answer = aws.client("cloudwatch", settings.aws.region).get_metric_statistics(
        Namespace=metrics.VIDEO_NAMESPACE,
        MetricName=metrics.BACKLOG_COUNT,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=end - timedelta(seconds=BACKLOG_WINDOW_S),
        EndTime=end + timedelta(seconds=1),
        Period=1,
        Statistics=["Maximum"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    if not points:
        return None
    return BacklogFact(points[-1]["Timestamp"].timestamp(), points[-1]["Maximum"])


def stacks_named(settings: Settings, names: Iterable[str]) -> list[StackFacts]:
    """Return stacks by their names, sorted; one that does not exist is left out.

    A deploy's role may ask for its own stacks, by name, and may not list an account's.
    """
    found = []
    for name in sorted(set(names)):
        try:
            found += aws.cloudformation(settings, name).describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
    return [_stack(each) for each in found]


def stacks(settings: Settings) -> list[StackFacts]:
    """Return the environment's stacks, sorted by name."""
    prefix = places.stack_prefix(settings.environment)
    found = []
    for region in aws.regions(settings):
        pages = aws.client("cloudformation", region).get_paginator("describe_stacks")
        found += [stack for page in pages.paginate() for stack in page["Stacks"]]
    return sorted(
        (_stack(each) for each in found if each["StackName"].startswith(prefix)),
        key=lambda stack: stack.name,
    )


def _stack(found: dict[str, Any]) -> StackFacts:
    moment = found.get("LastUpdatedTime") or found["CreationTime"]
    return StackFacts(found["StackName"], found["StackStatus"], f"{moment:%Y-%m-%d %H:%M:%S}")


def _counts(settings: Settings, name: str) -> tuple[int, int]:
    """Return visible and in-flight messages; (0, 0) while the queue does not exist."""
    sqs = aws.client("sqs", settings.aws.region)
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if "NonExistentQueue" in error.response["Error"]["Code"]:
            return 0, 0
        raise
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])

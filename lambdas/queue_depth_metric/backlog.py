"""A fleet's backlog: the API's count first, the queues' second, and None when both fail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.contracts.fleet_rules import FleetRules
from config.contracts.metrics import FETCH_FAILED_LINE
from lambdas.queue_depth_metric.api import FetchFailed

#: The kind whose jobs the API counts in its database.
COUNTED_BY_API = "video"
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """Jobs that wait or run, and messages visible or in flight; None is unknown."""

    backlog: int | None
    depth: int | None


def measure(
    fleet: FleetRules, api: Callable[[], int], depth: Callable[[FleetRules], int]
) -> Measured:
    """Return what is known of a fleet; a failed source is logged with its hop.

    Args: `api` raises FetchFailed; `depth` raises botocore's errors.
    """
    counted = _from_api(api) if fleet.kind == COUNTED_BY_API else None
    queued = _from_queues(fleet, depth)
    return Measured(backlog=queued if counted is None else counted, depth=queued)


def queue_depth(sqs: Any, fleet: FleetRules) -> int:
    """Return visible plus in-flight messages of a fleet's queues. Raises: botocore's errors."""
    total = 0
    for queue in fleet.queues:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        total += sum(int(found[name]) for name in _COUNTS)
    return total


def _from_api(api: Callable[[], int]) -> int | None:
    try:
        return api()
    except FetchFailed as error:
        log.warning("%s | %s", FETCH_FAILED_LINE, error)
        return None


def _from_queues(fleet: FleetRules, depth: Callable[[FleetRules], int]) -> int | None:
    try:
        return depth(fleet)
    except (BotoCoreError, ClientError) as error:
        log.warning("SQS counts failed | queues=%s | %s", ",".join(fleet.queues), error)
        return None

"""A fleet's jobs: the API's count first, the queues' second, and None when both fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.contracts.fleet_facts import FleetFact
from config.contracts.fleet_rules import FleetRules
from lambdas.queue_depth_metric.budget import Budget
from lambdas.queue_depth_metric.sizing import Work

#: SQS's counts may be wrong for so long.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
SETTLED_S = 60.0
_VISIBLE, _IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@dataclass(frozen=True)
class Queued:
    """Messages of a fleet's queues that lie there and that workers hold."""

    visible: int
    in_flight: int

    @property
    def depth(self) -> int:
        return self.visible + self.in_flight


@dataclass(frozen=True)
class Measured:
    """Jobs that wait or run, and messages visible or in flight; None is unknown."""

    backlog: int | None
    depth: int | None


class Queues:
    """The queues of a fleet. Their URLs are asked for once: they follow from the names."""

    def __init__(self, sqs: Any, names: tuple[str, ...]) -> None:
        self._sqs = sqs
        self._names = names
        self._urls: dict[str, str] = {}

    def count(self, budget: Budget) -> Queued:
        """Return the messages of all of them. Raises: botocore's errors, OutOfTime."""
        visible = in_flight = 0
        for name in self._names:
            if name not in self._urls:
                budget.take(before_raise=True)
                self._urls[name] = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            budget.take(before_raise=True)
            found = self._sqs.get_queue_attributes(
                QueueUrl=self._urls[name], AttributeNames=[_VISIBLE, _IN_FLIGHT]
            )["Attributes"]
            visible += int(found[_VISIBLE])
            in_flight += int(found[_IN_FLIGHT])
        return Queued(visible, in_flight)


def is_lone(fact: FleetFact | None, queued: Queued | None) -> bool:
    """Say whether a message lies there without a waiting row, as orders to delete a video do."""
    return fact is not None and queued is not None and fact.waiting == 0 and queued.visible > 0


def work_of(fact: FleetFact | None, queued: Queued | None, *, lone_s: float) -> Work | None:
    """Return the jobs of a fleet, None when nobody knows them.

    A message that has been lone for `lone_s` seconds is one waiting job: at once when nothing runs,
    otherwise when it cannot be the shadow of a message that was just received.
    """
    if fact is None:
        return None if queued is None else Work(queued.visible, queued.in_flight)
    counts = is_lone(fact, queued) and (fact.running == 0 or lone_s >= SETTLED_S)
    return Work(fact.waiting + counts, fact.running, fact.mean_job_s)


def is_overdue(fact: FleetFact | None, settled_s: float, rules: FleetRules) -> bool:
    """Say whether a job waits longer than it should with all workers there.

    For `settled_s` seconds no worker has been booting.
    """
    oldest_s = fact.oldest_s if fact else None
    return min(oldest_s or 0.0, settled_s) > rules.start_within_s

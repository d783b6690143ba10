"""The service: operations by name, and the gauges that CloudWatch shows of a queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from local.clock import Clock
from local.services.sqs import errors
from local.services.sqs.batches import BatchOperations
from local.services.sqs.delivery import MessageOperations
from local.services.sqs.message import State
from local.services.sqs.moves import MoveOperations
from local.services.sqs.queues import QueueOperations
from local.services.sqs.store import Store


@dataclass(frozen=True)
class Gauge:
    """A queue at one moment; `sent`, `received` and `deleted` count from its creation."""

    name: str
    visible: int
    not_visible: int
    delayed: int
    oldest_age_s: float
    sent: int
    received: int
    deleted: int


class SqsService:
    """SQS of one account and region, standard queues only.

    `base_url` gives `http://host:port` of the queue URLs. FIFO queues, AddPermission and
    RemovePermission are refused. Policies and encryption settings are stored, not enforced.
    """

    name = "sqs"

    def __init__(
        self, clock: Clock, *, account: str, region: str, base_url: Callable[[], str]
    ) -> None:
        self._store = Store(account, region)
        self._clock = clock
        messages = MessageOperations(self._store, clock)
        self._moves = MoveOperations(self._store, clock)
        self._parts = (
            QueueOperations(self._store, clock, base_url),
            messages,
            BatchOperations(self._store, messages),
            self._moves,
        )

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer one operation.

        Raises: ServiceError.
        """
        method = xform_name(operation)
        for part in self._parts:
            if act := getattr(part, method, None):
                with self._store.lock:
                    answer: dict[str, Any] = act(params)
                    return answer
        raise errors.refused(f"The embedded SQS does not play {operation}")

    def tick(self, now: float) -> None:
        """Advance the message move tasks; the control loop calls it."""
        with self._store.lock:
            self._moves.tick(now)

    def gauges(self) -> list[Gauge]:
        """Return every queue as it stands."""
        with self._store.lock:
            return [self._gauge(record.name) for record in self._store]

    def _gauge(self, name: str) -> Gauge:
        record = self._store.at(name)
        messages = record.messages
        age_s = messages.oldest_age_s(self._clock.now())
        return Gauge(
            name=name,
            visible=messages.count(State.READY),
            not_visible=messages.count(State.IN_FLIGHT),
            delayed=messages.count(State.DELAYED),
            oldest_age_s=age_s,
            sent=record.produced,
            received=messages.received,
            deleted=messages.deleted,
        )

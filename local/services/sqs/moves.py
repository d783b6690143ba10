"""Message move tasks: a dead-letter queue's messages go back to where they came from."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.clock import Clock
from local.protocol import ServiceError
from local.services.sqs import errors
from local.services.sqs.message import State
from local.services.sqs.store import QueueRecord, Store

#: Moved a second without a limit of its own.
#: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
MAX_RATE = 500

Params = Mapping[str, Any]


@dataclass
class MoveTask:
    """One task. `status` is RUNNING, COMPLETED, CANCELLED or FAILED."""

    source: QueueRecord
    destination: QueueRecord | None
    rate: int | None
    to_move: int
    started_at: float
    moved_until: float
    status: str = "RUNNING"
    moved: int = 0
    failure: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def handle(self) -> str:
        """The opaque handle by which the task is cancelled."""
        fields = {"taskId": self.id, "sourceArn": self.source.arn}
        return base64.b64encode(json.dumps(fields).encode()).decode()


class MoveOperations:
    """The three operations, and `tick`, which does the moving; all under the store's lock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks: list[MoveTask] = []

    def start_message_move_task(self, params: Params) -> dict[str, Any]:
        """Start moving all messages of a dead-letter queue."""
        source = self._of_arn(params.get("SourceArn"))
        if not self._store.sources_of(source):
            raise errors.invalid_value("Source queue must be configured as a Dead Letter Queue.")
        if any(task.status == "RUNNING" for task in self._of(source)):
            raise errors.refused(
                "There is already a task running. Only one active task is allowed."
            )
        rate = params.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= rate <= MAX_RATE:
            raise errors.invalid_value(
                f"Value {rate} for parameter MaxNumberOfMessagesPerSecond is invalid. "
                f"Reason: Must be between 1 and {MAX_RATE}."
            )
        arn = params.get("DestinationArn")
        destination = self._of_arn(arn) if arn else None
        now = self._clock.now()
        source.messages.advance(now)
        to_move = source.messages.count(State.READY)
        task = MoveTask(source, destination, rate, to_move, started_at=now, moved_until=now - 1)
        self._tasks.append(task)
        return {"TaskHandle": task.handle}

    def list_message_move_tasks(self, params: Params) -> dict[str, Any]:
        """Return the latest tasks of a source queue, newest first."""
        tasks = self._of(self._of_arn(params.get("SourceArn")))
        limit = params.get("MaxResults") or 1
        return {"Results": [_described(task) for task in reversed(tasks[-limit:])]}

    def cancel_message_move_task(self, params: Params) -> dict[str, Any]:
        """Stop a running task; what is moved stays moved."""
        for task in self._tasks:
            if task.handle == params.get("TaskHandle") and task.status == "RUNNING":
                task.status = "CANCELLED"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
        raise ServiceError("ResourceNotFoundException", "Task does not exist.", 404)

    def tick(self, now: float) -> None:
        """Move what each running task may move by now."""
        for task in self._tasks:
            if task.status == "RUNNING":
                self._advance(task, now)

    def _advance(self, task: MoveTask, now: float) -> None:
        budget = int((task.rate or MAX_RATE) * (now - task.moved_until))
        for _ in range(budget):
            message = task.source.messages.take_out(now)
            if message is None:
                task.status = "COMPLETED"
                return
            target = task.destination or self._store.of_arn(message.source_arn or "")
            if target is None or target.deleted:
                task.source.messages.send(message.taken_up(message.source_arn), now)
                task.status, task.failure = "FAILED", "CouldNotDetermineMessageSource"
                return
            self._store.put(target, message.sent_anew(now), now)
            task.moved += 1
        if budget:
            task.moved_until = now

    def _of(self, source: QueueRecord) -> list[MoveTask]:
        return [task for task in self._tasks if task.source is source]

    def _of_arn(self, arn: str | None) -> QueueRecord:
        if not arn:
            raise errors.missing("SourceArn")
        record = self._store.of_arn(arn)
        if record is None:
            raise ServiceError(
                "ResourceNotFoundException",
                "The resource that you specified for the SourceArn parameter doesn't exist.",
                404,
            )
        return record


def _described(task: MoveTask) -> dict[str, Any]:
    answer = {
        "Status": task.status,
        "SourceArn": task.source.arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": int(task.started_at * 1000),
    }
    if task.status == "RUNNING":
        answer["TaskHandle"] = task.handle
    if task.destination:
        answer["DestinationArn"] = task.destination.arn
    if task.rate:
        answer["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.failure:
        answer["FailureReason"] = task.failure
    return answer

"""The queue as a worker sees it, and its SQS adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from config.contracts.queues import MAX_IN_FLIGHT_S

#: SQS's own limit of messages in one call.
BATCH = 10


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery. `sent_at` is in seconds since the epoch; `receive_count` starts at 1.

    `queue` is the key of the queue that it came from, see config.contracts.queues.
    """

    body: str
    receipt: str
    message_id: str
    receive_count: int
    sent_at: float
    queue: str


class Queue(Protocol):
    """What a consumer needs of a queue, or of several as one."""

    def receive(self, wait_s: int, limit: int = 1) -> list[Message]:
        """Wait for at most `wait_s` seconds (0 to 20) for 1 to `limit` messages (at most 10)."""
        ...

    def end_receives(self) -> None:
        """Return when no receive is under way that may still bring a message."""
        ...

    def hide(self, messages: Sequence[Message], seconds: float) -> list[Message]:
        """Make messages visible again `seconds` from now, 0 means at once; return the refused."""
        ...

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        """Remove messages for good: the last step of their work; return those that were not."""
        ...


class SqsQueue:
    """`Queue` over SQS, `client` being boto3's or worker_images.base.sqs_client's.

    Calls GetQueueUrl, ReceiveMessage, and ChangeMessageVisibility and DeleteMessage or their
    batches, which need the same permissions.
    """

    def __init__(self, client: Any, key: str, name: str, *, visibility_timeout_s: int) -> None:
        self._client = client
        self._key = key
        self._name = name
        self._visibility_timeout_s = visibility_timeout_s

    @cached_property
    def _url(self) -> str:
        """Asked for when it is first needed: a worker may start while SQS is away."""
        return str(self._client.get_queue_url(QueueName=self._name)["QueueUrl"])

    def receive(self, wait_s: int, limit: int = 1) -> list[Message]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=self._visibility_timeout_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [self._message(found) for found in answer.get("Messages", [])]

    def end_receives(self) -> None:
        """A receive is under way only while its caller waits."""

    def hide(self, messages: Sequence[Message], seconds: float) -> list[Message]:
        timeout_s = min(round(seconds), MAX_IN_FLIGHT_S)
        if len(messages) == 1:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=messages[0].receipt, VisibilityTimeout=timeout_s
            )
            return []
        refused: list[Message] = []
        for batch, entries in _batches(messages):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[{**entry, "VisibilityTimeout": timeout_s} for entry in entries],
            )
            refused += _refused(batch, answer)
        return refused

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        if len(messages) == 1:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=messages[0].receipt)
            return []
        refused: list[Message] = []
        for batch, entries in _batches(messages):
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            refused += _refused(batch, answer)
        return refused

    def _message(self, found: dict[str, Any]) -> Message:
        attributes = found["Attributes"]
        return Message(
            found["Body"],
            found["ReceiptHandle"],
            found["MessageId"],
            int(attributes["ApproximateReceiveCount"]),
            int(attributes["SentTimestamp"]) / 1000,
            self._key,
        )


def _batches(
    messages: Sequence[Message],
) -> Iterator[tuple[Sequence[Message], list[dict[str, Any]]]]:
    for first in range(0, len(messages), BATCH):
        batch = messages[first : first + BATCH]
        yield (
            batch,
            [{"Id": str(at), "ReceiptHandle": each.receipt} for at, each in enumerate(batch)],
        )


def _refused(batch: Sequence[Message], answer: dict[str, Any]) -> list[Message]:
    return [batch[int(failure["Id"])] for failure in answer.get("Failed", [])]

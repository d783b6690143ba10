"""The queue as a worker sees it, and its SQS adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from config.contracts.queues import MAX_IN_FLIGHT_S


@dataclass(frozen=True)
class Message:
    """One delivery. `sent_at` is in seconds since the epoch; `receive_count` starts at 1."""

    body: str
    receipt: str
    message_id: str
    receive_count: int
    sent_at: float


class Queue(Protocol):
    """What a consumer needs of a queue."""

    def receive(self, wait_s: int) -> Message | None:
        """Wait for at most `wait_s` seconds (0 to 20) for one message."""
        ...

    def hide(self, message: Message, seconds: float) -> None:
        """Make the message visible again `seconds` from now; 0 means at once."""
        ...

    def delete(self, message: Message) -> None:
        """Remove the message for good: the last step of its work."""
        ...


class SqsQueue:
    """`Queue` over SQS.

    Calls GetQueueUrl, ReceiveMessage, ChangeMessageVisibility and DeleteMessage.
    """

    def __init__(self, client: Any, name: str, *, visibility_timeout_s: int) -> None:
        self._client = client
        self._url: str = client.get_queue_url(QueueName=name)["QueueUrl"]
        self._visibility_timeout_s = visibility_timeout_s

    def receive(self, wait_s: int) -> Message | None:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=self._visibility_timeout_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        for found in answer.get("Messages", []):
            attributes = found["Attributes"]
            return Message(
                body=found["Body"],
                receipt=found["ReceiptHandle"],
                message_id=found["MessageId"],
                receive_count=int(attributes["ApproximateReceiveCount"]),
                sent_at=int(attributes["SentTimestamp"]) / 1000,
            )
        return None

    def hide(self, message: Message, seconds: float) -> None:
        self._client.change_message_visibility(
            QueueUrl=self._url,
            ReceiptHandle=message.receipt,
            VisibilityTimeout=min(round(seconds), MAX_IN_FLIGHT_S),
        )

    def delete(self, message: Message) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

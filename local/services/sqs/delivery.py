"""Operations on messages: send, receive, delete, change visibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.clock import Clock
from local.services.sqs import errors
from local.services.sqs.checks import check_body, check_message_attributes, whole_number
from local.services.sqs.message import Message, attributes_md5, body_md5, size_of
from local.services.sqs.queue import BeyondCeilingError, NotInFlightError, UnknownReceiptError
from local.services.sqs.store import QueueRecord, Store

#: A waiting receiver looks at the clock at least this often (real seconds): a clock moved by
#: hand wakes nobody.
_LOOK_AGAIN_S = 1.0

Params = Mapping[str, Any]


class MessageOperations:
    """One method an operation; all run under the store's lock, which a long poll gives up."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def send_message(self, params: Params) -> dict[str, Any]:
        """Add one message."""
        record = self._store.at(params.get("QueueUrl"))
        return self.send(record, params)

    def receive_message(self, params: Params) -> dict[str, Any]:
        """Return up to MaxNumberOfMessages messages, waiting up to WaitTimeSeconds for a first."""
        record = self._store.at(params.get("QueueUrl"))
        limit = whole_number(params, "MaxNumberOfMessages", 1, 1, 10)
        default_wait_s = record.seconds("ReceiveMessageWaitTimeSeconds")
        wait_s = whole_number(params, "WaitTimeSeconds", default_wait_s, 0, 20)
        visible_in_s = whole_number(
            params, "VisibilityTimeout", record.seconds("VisibilityTimeout"), 0, 43_200
        )
        deadline = self._clock.now() + wait_s
        while not (taken := self._take(record, limit, visible_in_s)):
            now = self._clock.now()
            if now >= deadline:
                return {}
            wake_at = min(deadline, record.messages.next_change() or deadline)
            record.arrived.wait(min(max(wake_at - now, 0.0), _LOOK_AGAIN_S))
            if record.deleted:
                raise errors.no_such_queue()
        return {
            "Messages": [self._received(message, receipt, params) for message, receipt in taken]
        }

    def delete_message(self, params: Params) -> dict[str, Any]:
        """Delete the message of a receipt handle."""
        self.delete(self._store.at(params.get("QueueUrl")), params)
        return {}

    def change_message_visibility(self, params: Params) -> dict[str, Any]:
        """Show a message in flight at another time than planned."""
        self.change_visibility(self._store.at(params.get("QueueUrl")), params)
        return {}

    def send(self, record: QueueRecord, params: Params) -> dict[str, Any]:
        """Add a message given as the parameters of SendMessage or of one batch entry."""
        attributes = params.get("MessageAttributes") or {}
        system = params.get("MessageSystemAttributes") or {}
        body = check_body(params.get("MessageBody"))
        check_message_attributes(attributes)
        limit = record.seconds("MaximumMessageSize")
        if size_of(body, attributes) > limit:
            raise errors.invalid_value(
                "One or more parameters are invalid. "
                f"Reason: Message must be shorter than {limit} bytes."
            )
        delay_s = whole_number(params, "DelaySeconds", record.seconds("DelaySeconds"), 0, 900)
        now = self._clock.now()
        message = Message(body, attributes, now, system)
        self._store.put(record, message, now, delay_s)
        record.produced += 1
        answer = {"MessageId": message.id, "MD5OfMessageBody": body_md5(body)}
        if attributes:
            answer["MD5OfMessageAttributes"] = str(attributes_md5(attributes))
        if system:
            answer["MD5OfMessageSystemAttributes"] = str(attributes_md5(system))
        return answer

    def delete(self, record: QueueRecord, params: Params) -> None:
        """Delete a message given as the parameters of DeleteMessage or of one batch entry."""
        receipt = _receipt(params)
        try:
            record.messages.delete(receipt, self._clock.now())
        except UnknownReceiptError:
            raise errors.invalid_receipt(receipt) from None

    def change_visibility(self, record: QueueRecord, params: Params) -> None:
        """Hide or show the message of a receipt handle."""
        receipt = _receipt(params)
        if params.get("VisibilityTimeout") is None:
            raise errors.missing("VisibilityTimeout")
        visible_in_s = whole_number(params, "VisibilityTimeout", 0, 0, 43_200)
        try:
            record.messages.change_visibility(receipt, visible_in_s, self._clock.now())
        except UnknownReceiptError:
            raise errors.invalid_receipt(receipt) from None
        except NotInFlightError:
            raise errors.invalid_value(
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does "
                "not exist or is not available for visibility timeout change."
            ) from None
        except BeyondCeilingError:
            raise errors.invalid_value(
                f"Value {visible_in_s} for parameter VisibilityTimeout is invalid. Reason: Total "
                "VisibilityTimeout for the message is beyond the limit [43200 seconds]"
            ) from None
        if visible_in_s == 0:
            record.arrived.notify()

    def _take(
        self, record: QueueRecord, limit: int, visible_in_s: int
    ) -> list[tuple[Message, str]]:
        now = self._clock.now()
        dead = self._store.dead_letters(record)
        if dead is None:
            return record.messages.receive(now, visibility_s=visible_in_s, limit=limit)
        redrive, target = dead
        return record.messages.receive(
            now,
            visibility_s=visible_in_s,
            limit=limit,
            max_receives=redrive.max_receives,
            bury=lambda m: self._store.put(target, m.taken_up(record.arn), now),
        )

    def _received(self, message: Message, receipt: str, params: Params) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "MessageId": message.id,
            "ReceiptHandle": receipt,
            "MD5OfBody": body_md5(message.body),
            "Body": message.body,
        }
        asked = [
            *(params.get("AttributeNames") or []),
            *(params.get("MessageSystemAttributeNames") or []),
        ]
        if asked and (system := self._system(message, asked)):
            answer["Attributes"] = system
        wanted = params.get("MessageAttributeNames") or []
        attributes = {n: v for n, v in message.attributes.items() if _matches(n, wanted)}
        if attributes:
            answer["MessageAttributes"] = attributes
            answer["MD5OfMessageAttributes"] = attributes_md5(attributes)
        return answer

    def _system(self, message: Message, asked: list[str]) -> dict[str, str]:
        values = {
            "SenderId": self._store.account,
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "ApproximateReceiveCount": str(message.receives),
            "ApproximateFirstReceiveTimestamp": str(int((message.first_received_at or 0) * 1000)),
            **{name: value["StringValue"] for name, value in message.system_attributes.items()},
        }
        if message.source_arn:
            values["DeadLetterQueueSourceArn"] = message.source_arn
        return values if "All" in asked else {n: v for n, v in values.items() if n in asked}


def _matches(name: str, wanted: list[str]) -> bool:
    return any(
        pattern in {"All", ".*", name} or (pattern.endswith(".*") and name.startswith(pattern[:-2]))
        for pattern in wanted
    )


def _receipt(params: Params) -> str:
    receipt = params.get("ReceiptHandle")
    if not receipt:
        raise errors.missing("ReceiptHandle")
    return str(receipt)

"""One message: its body, what AWS reports of it, its checksums and its size."""

from __future__ import annotations

import base64
import hashlib
import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class State(Enum):
    """Where a live message stands; GONE is deleted, expired or moved away."""

    READY = "ready"
    IN_FLIGHT = "in flight"
    DELAYED = "delayed"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Message:
    """A message and its place in the queue's life. Times are epoch seconds.

    `sent_at` stays the original send when a message moves to a dead-letter queue, as on AWS.
    `version` names the latest hiding, so that an older entry of the timetable is ignored.
    """

    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    sent_at: float
    system_attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    source_arn: str | None = None
    receives: int = 0
    first_received_at: float | None = None
    received_at: float = 0.0
    state: State = State.READY
    version: int = 0
    receipt: str | None = None

    def take(self, now: float) -> str:
        """Count one more receive and return the receipt handle that it gives."""
        self.receives += 1
        self.received_at = now
        if self.first_received_at is None:
            self.first_received_at = now
        self.receipt = base64.urlsafe_b64encode(f"{self.id} {self.receives}".encode()).decode()
        return self.receipt

    def taken_up(self, source_arn: str | None) -> Message:
        """Return the message as another queue takes it up, its history kept.

        `source_arn` is the queue it died in, which the dead-letter queue remembers.
        """
        return Message(
            body=self.body,
            attributes=self.attributes,
            sent_at=self.sent_at,
            system_attributes=self.system_attributes,
            id=self.id,
            source_arn=source_arn,
            receives=self.receives,
            first_received_at=self.first_received_at,
        )

    def sent_anew(self, now: float) -> Message:
        """Return the message as a move task sends it: new id, new send time, no receives.

        Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
        sqs-configure-dead-letter-queue-redrive.html
        """
        return Message(self.body, self.attributes, now, self.system_attributes)


def message_id_of(receipt: str) -> str | None:
    """Return the message id inside a receipt handle, None when no queue ever gave it."""
    try:
        identifier, _, count = base64.urlsafe_b64decode(receipt).decode().partition(" ")
        uuid.UUID(identifier)
    except (ValueError, UnicodeError):
        return None
    return identifier if count.isdecimal() else None


def body_md5(body: str) -> str:
    """Return the hex MD5 of a body, MD5OfMessageBody."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the hex MD5 over message attributes, None without any.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
    sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
    """
    if not attributes:
        return None
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        kind = str(attribute["DataType"])
        binary = kind.split(".", maxsplit=1)[0] == "Binary"
        value = attribute["BinaryValue"] if binary else attribute["StringValue"].encode()
        for part in (name.encode(), kind.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(b"\x02" if binary else b"\x01")
        digest.update(struct.pack(">I", len(value)) + value)
    return digest.hexdigest()


def size_of(body: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the bytes that count against the size limit: body, attribute names, types, values."""
    total = len(body.encode())
    for name, attribute in attributes.items():
        text = attribute.get("StringValue")
        value = text.encode() if isinstance(text, str) else attribute.get("BinaryValue") or b""
        total += len(name.encode()) + len(str(attribute["DataType"]).encode()) + len(value)
    return total

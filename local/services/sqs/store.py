"""The queues of one account and region, and the lock that guards them all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from local.services.sqs import errors
from local.services.sqs.attributes import Redrive, redrive_of
from local.services.sqs.message import Message
from local.services.sqs.queue import MessageQueue


@dataclass(eq=False)
class QueueRecord:
    """One queue. `produced` counts sends by producers: moves to a dead-letter queue are none."""

    name: str
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    created_at: float
    modified_at: float
    messages: MessageQueue
    arrived: threading.Condition
    purged_at: float | None = None
    produced: int = 0
    deleted: bool = False

    def seconds(self, attribute: str) -> int:
        """Return a numeric attribute."""
        return int(self.attributes[attribute])


@dataclass
class Store:
    """All queues. Every access to a queue happens under `lock`: operations take microseconds."""

    account: str
    region: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    _by_name: dict[str, QueueRecord] = field(default_factory=dict)

    def __iter__(self) -> Iterator[QueueRecord]:
        return iter(sorted(self._by_name.values(), key=lambda record: record.name))

    def add(self, name: str, attributes: dict[str, str], now: float) -> QueueRecord:
        """Add a new queue."""
        record = QueueRecord(
            name=name,
            arn=f"arn:aws:sqs:{self.region}:{self.account}:{name}",
            attributes=attributes,
            tags={},
            created_at=now,
            modified_at=now,
            messages=MessageQueue(int(attributes["MessageRetentionPeriod"])),
            arrived=threading.Condition(self.lock),
        )
        self._by_name[name] = record
        return record

    def remove(self, record: QueueRecord) -> None:
        """Forget a queue and wake whoever waits for its messages."""
        record.deleted = True
        del self._by_name[record.name]
        record.arrived.notify_all()

    def named(self, name: str) -> QueueRecord | None:
        """Return the queue of a name, None when there is none."""
        return self._by_name.get(name)

    def at(self, url: str | None) -> QueueRecord:
        """Return the queue of a URL; any host and port will do.

        Raises: ServiceError when there is none.
        """
        if not url:
            raise errors.missing("QueueUrl")
        record = self._by_name.get(url.rstrip("/").rsplit("/", 1)[-1])
        if record is None:
            raise errors.no_such_queue()
        return record

    def of_arn(self, arn: str) -> QueueRecord | None:
        """Return the queue of an ARN, None when there is none here."""
        record = self._by_name.get(arn.rsplit(":", 1)[-1])
        return record if record is not None and record.arn == arn else None

    def dead_letters(self, record: QueueRecord) -> tuple[Redrive, QueueRecord] | None:
        """Return a queue's redrive policy and the queue it points at, None when either lacks."""
        redrive = redrive_of(record.attributes)
        target = self.of_arn(redrive.target_arn) if redrive else None
        return (redrive, target) if redrive and target else None

    def sources_of(self, record: QueueRecord) -> list[QueueRecord]:
        """Return the queues whose dead-letter queue this is."""
        redrives = ((source, redrive_of(source.attributes)) for source in self)
        return [
            source for source, redrive in redrives if redrive and redrive.target_arn == record.arn
        ]

    def put(self, record: QueueRecord, message: Message, now: float, delay_s: float = 0) -> None:
        """Add a message to a queue and wake one receiver."""
        record.messages.send(message, now, delay_s)
        record.arrived.notify()

"""Fakes that behave like what they stand for, so that a handler is tested in three lines:

storage = MemoryStorage({"a.mp4": data})
result = handler(job, context())
assert "out/master.m3u8" in storage.objects
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from worker_images.base.cancellation import Cancellation
from worker_images.base.queue import Message
from worker_images.base.storage import ObjectFacts, ObjectNotFoundError, check_prefix
from worker_images.base.work import Context


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds


def context(cancellation: Cancellation | None = None) -> Context:
    """Return a context whose reports go nowhere."""
    return Context(cancellation or Cancellation(), lambda percent, step, seconds_left: None)


@dataclass
class _Entry:
    body: str
    message_id: str
    sent_at: float
    visible_at: float
    receive_count: int = 0

    @property
    def receipt(self) -> str:
        return f"{self.message_id}#{self.receive_count}"


@dataclass
class MemoryQueue:
    """`Queue` in memory; waiting moves the clock. `dead` holds what was received too often."""

    clock: ManualClock
    visibility_timeout_s: float = 30
    max_receive_count: int = 10
    entries: list[_Entry] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    _sent: int = 0

    def send(self, body: str) -> None:
        """Put a message in."""
        self._sent += 1
        now = self.clock.now()
        self.entries.append(_Entry(body, f"message-{self._sent}", now, now))

    @property
    def bodies(self) -> list[str]:
        """The bodies that are in the queue, visible or in flight."""
        return [entry.body for entry in self.entries]

    def receive(self, wait_s: int) -> Message | None:
        found = self._visible()
        if found is None:
            self.clock.advance(wait_s)
            found = self._visible()
        if found is None:
            return None
        found.receive_count += 1
        found.visible_at = self.clock.now() + self.visibility_timeout_s
        return Message(
            found.body, found.receipt, found.message_id, found.receive_count, found.sent_at
        )

    def hide(self, message: Message, seconds: float) -> None:
        for entry in self.entries:
            if entry.receipt == message.receipt:
                entry.visible_at = self.clock.now() + seconds

    def delete(self, message: Message) -> None:
        self.entries = [entry for entry in self.entries if entry.receipt != message.receipt]

    def _visible(self) -> _Entry | None:
        for entry in list(self.entries):
            if entry.visible_at > self.clock.now():
                continue
            if entry.receive_count < self.max_receive_count:
                return entry
            self.entries.remove(entry)
            self.dead.append(entry.body)
        return None


@dataclass
class StoredObject:
    """What a `MemoryStorage` keeps of an object."""

    data: bytes
    content_type: str = ""
    cache_control: str = ""
    tags: dict[str, str] = field(default_factory=dict)


class MemoryStorage:
    """`Storage` in memory. `writes` lists the keys in the order in which they were put."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = {key: StoredObject(data) for key, data in (objects or {}).items()}
        self.writes: list[str] = []

    def put_file(self, key: str, path: Path, *, content_type: str, cache_control: str) -> None:
        self.objects[key] = StoredObject(path.read_bytes(), content_type, cache_control)
        self.writes.append(key)

    def get_file(self, key: str, path: Path) -> None:
        path.write_bytes(self.get(key))

    def get(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        if key not in self.objects:
            raise ObjectNotFoundError(key)
        return self.objects[key].data[start:end]

    def head(self, key: str) -> ObjectFacts | None:
        found = self.objects.get(key)
        if found is None:
            return None
        return ObjectFacts(len(found.data), found.content_type, f"{hash(found.data):x}")

    def list_keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def delete_prefix(self, prefix: str) -> int:
        check_prefix(prefix)
        keys = list(self.list_keys(prefix))
        for key in keys:
            del self.objects[key]
        return len(keys)

    def presign_get(self, key: str, *, expires_s: int) -> str:
        return f"memory://{key}?method=GET&expires={expires_s}"

    def presign_put(self, key: str, *, content_type: str, expires_s: int) -> str:
        return f"memory://{key}?method=PUT&type={content_type}&expires={expires_s}"

    def tag(self, key: str, tags: dict[str, str]) -> bool:
        if key not in self.objects:
            raise ObjectNotFoundError(key)
        self.objects[key].tags = dict(tags)
        return True

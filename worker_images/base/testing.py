"""Fakes that behave like what they stand for, so that a handler is tested in three lines:

storage = MemoryStorage({"a.mp4": data})
outcome = run_job(Encode(storage), job)
assert outcome.state == "SUCCEEDED" and "out/master.m3u8" in storage.objects
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker_images.base.cancellation import Cancellation
from worker_images.base.queue import Message
from worker_images.base.storage import ObjectFacts, ObjectNotFoundError, check_prefix
from worker_images.base.work import Claim, Context, Report


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds


def context(
    cancellation: Cancellation | None = None,
    *,
    report: Report = lambda percent, step, seconds_left: None,
    job_id: str = "00000000-0000-4000-8000-000000000000",
    transactions: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Context:
    """Return the context of a first attempt; by default its reports go nowhere.

    `transactions` opens what `context.transaction()` yields, a cursor of a real database say.
    """
    claim = Claim(job_id, tenant_id=1, token=1, attempts_used=1, waited_s=0.0)
    return Context(cancellation or Cancellation(), report, claim, transactions)


@dataclass
class _Entry:
    body: str
    message_id: str
    sent_at: float
    visible_at: float
    receive_count: int = 0
    working: bool = False

    @property
    def receipt(self) -> str:
        return f"{self.message_id}#{self.receive_count}"


@dataclass
class MemoryQueue:
    """`Queue` in memory. `dead` holds what was received too often.

    Waiting moves the clock, unless somebody works on a message: that takes no time.
    `refuse` names the receipts that the next batch call refuses.
    """

    clock: ManualClock
    visibility_timeout_s: float = 30
    max_receive_count: int = 10
    key: str = "video"
    entries: list[_Entry] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    _sent: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def send(self, body: str) -> None:
        """Put a message in."""
        with self._lock:
            self._sent += 1
            now = self.clock.now()
            self.entries.append(_Entry(body, f"message-{self._sent}", now, now))

    @property
    def bodies(self) -> list[str]:
        """The bodies that are in the queue, visible or in flight."""
        return [entry.body for entry in self.entries]

    def receive(self, wait_s: int, limit: int = 1) -> list[Message]:
        with self._lock:
            found = self._visible(limit)
            working = any(entry.working for entry in self.entries)
            if not found and not working:
                self.clock.advance(wait_s)
                found = self._visible(limit)
            received = [self._received(entry) for entry in found]
        if wait_s and not received:
            time.sleep(0.001)
        return received

    def end_receives(self) -> None:
        """A receive is under way only while its caller waits."""

    def hide(self, messages: Sequence[Message], seconds: float) -> list[Message]:
        with self._lock:
            taken, refused = self._split(messages)
            for entry in self.entries:
                if entry.receipt in taken:
                    entry.visible_at = self.clock.now() + seconds
                    entry.working = False
            return refused

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        with self._lock:
            taken, refused = self._split(messages)
            self.entries = [entry for entry in self.entries if entry.receipt not in taken]
            return refused

    def _split(self, messages: Sequence[Message]) -> tuple[set[str], list[Message]]:
        refused = [message for message in messages if message.receipt in self.refuse]
        self.refuse -= {message.receipt for message in refused}
        return {each.receipt for each in messages if each not in refused}, refused

    def _received(self, entry: _Entry) -> Message:
        entry.receive_count += 1
        entry.working = True
        entry.visible_at = self.clock.now() + self.visibility_timeout_s
        return Message(
            entry.body,
            entry.receipt,
            entry.message_id,
            entry.receive_count,
            entry.sent_at,
            self.key,
        )

    def _visible(self, limit: int) -> list[_Entry]:
        found: list[_Entry] = []
        for entry in list(self.entries):
            if entry.visible_at > self.clock.now() or len(found) == limit:
                continue
            if entry.receive_count < self.max_receive_count:
                found.append(entry)
                continue
            self.entries.remove(entry)
            self.dead.append(entry.body)
        return found


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

"""The threads that work on what was received, and how much more may be received."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass, field

from worker_images.base.queue import BATCH
from worker_images.base.work import Delivery


@dataclass
class Crew:
    """`size` threads that call `work` on deliveries.

    A crew takes no more than it has idle threads, since another worker may be free. With `ahead`,
    for work so short that nobody else would be quicker, it takes up to ten as soon as every
    received one has a thread, so that receives come in batches and nobody waits for them.
    """

    size: int
    ahead: bool
    work: Callable[[Delivery], None]
    _waiting: deque[Delivery] = field(default_factory=deque)
    _running: set[Delivery] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    def start(self) -> None:
        """Start the threads; they end with the process, stuck or not."""
        for number in range(self.size):
            run = copy_context().run
            threading.Thread(
                target=run, args=(self._loop,), name=f"work-{number}", daemon=True
            ).start()

    @property
    def room(self) -> int:
        """How many messages may be received now."""
        with self._changed:
            return self._room()

    @property
    def load(self) -> int:
        """How many deliveries wait or run."""
        with self._changed:
            return len(self._waiting) + len(self._running)

    @property
    def busy(self) -> bool:
        """Whether anything waits or runs."""
        return self.load > 0

    def put(self, deliveries: Iterable[Delivery]) -> None:
        """Hand received deliveries to the threads."""
        with self._changed:
            self._waiting.extend(deliveries)
            self._changed.notify_all()

    def await_room(self, timeout_s: float) -> int:
        """Wait for room, at most `timeout_s` seconds; return how much there is."""
        with self._changed:
            self._changed.wait_for(self._room, timeout_s)
            return self._room()

    def running(self) -> list[Delivery]:
        """Return what the threads work on."""
        with self._changed:
            return [*self._running]

    def withdraw(self) -> list[Delivery]:
        """Take back what no thread has begun with."""
        with self._changed:
            withdrawn = [*self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
            return withdrawn

    def write_off(self, delivery: Delivery) -> None:
        """A delivery whose thread is lost is nobody's business any more."""
        with self._changed:
            self._running.discard(delivery)
            self._changed.notify_all()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing waits or runs; False when it still does after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._running), timeout_s)

    def close(self) -> None:
        """Let the idle threads end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _room(self) -> int:
        if self.ahead:
            return 0 if self._waiting else BATCH
        idle = self.size - len(self._waiting) - len(self._running)
        return max(0, min(BATCH, idle))

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                delivery = self._waiting.popleft()
                self._running.add(delivery)
            try:
                self.work(delivery)
            finally:
                with self._changed:
                    self._running.discard(delivery)
                    self._changed.notify_all()

"""Several queues as one: the more urgent first, none starved, and one wait for all of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from worker_images.base.logging import logger
from worker_images.base.queue import Message, Queue

_log = logger("priority")


@dataclass
class Turns:
    """Whose turn it is, by smooth weighted round robin: each queue half the next one's share.

    Of three queues with work, the first gets 4 turns of 7, the second 2 and the last 1.
    """

    size: int
    _credit: list[int] = field(default_factory=list)

    def next(self) -> list[int]:
        """Return the order in which to ask: the queue whose turn it is, then by urgency."""
        weights = [2 ** (self.size - 1 - at) for at in range(self.size)]
        gained = zip(self._credit or [0] * self.size, weights, strict=True)
        self._credit = [credit + weight for credit, weight in gained]
        first = max(range(self.size), key=lambda at: (self._credit[at], -at))
        self._credit[first] -= sum(weights)
        return [first, *(at for at in range(self.size) if at != first)]


class PriorityQueues:
    """`Queue` over several, the most urgent first.

    It first asks each queue without waiting, then waits at all of them at once, so that no
    message waits for another queue's long poll. What the slower ones bring after a message was
    found is made visible again at once: this worker is busy, another one may not be.
    """

    def __init__(self, queues: Sequence[tuple[str, Queue]]) -> None:
        self._queues = dict(queues)
        self._order = [queue for _, queue in queues]
        self._turns = Turns(len(self._order))
        self._changed = threading.Condition()
        self._polling: set[int] = set()
        self._found: list[Message] = []
        self._wanted = False

    def receive(self, wait_s: int, limit: int = 1) -> list[Message]:
        for at in self._turns.next():
            found = self._order[at].receive(0, limit)
            if found:
                return found
        return self._await_any(wait_s, limit) if wait_s else []

    def end_receives(self) -> None:
        """The slower polls last for up to the wait that they were given."""
        with self._changed:
            self._changed.wait_for(lambda: not self._polling)

    def hide(self, messages: Sequence[Message], seconds: float) -> list[Message]:
        return [
            refused for queue, own in self._apart(messages) for refused in queue.hide(own, seconds)
        ]

    def delete(self, messages: Sequence[Message]) -> list[Message]:
        return [refused for queue, own in self._apart(messages) for refused in queue.delete(own)]

    def _apart(self, messages: Sequence[Message]) -> list[tuple[Queue, list[Message]]]:
        keys = {message.queue for message in messages}
        return [
            (self._queues[key], [message for message in messages if message.queue == key])
            for key in sorted(keys)
        ]

    def _await_any(self, wait_s: int, limit: int) -> list[Message]:
        with self._changed:
            self._wanted = True
            for at in range(len(self._order)):
                if at not in self._polling:
                    self._polling.add(at)
                    # Not a daemon: the process does not end while a poll may bring a message.
                    threading.Thread(
                        target=self._poll, args=(at, wait_s, limit), name=f"poll-{at}"
                    ).start()
            self._changed.wait_for(lambda: self._found or not self._polling)
            self._wanted = False
            found, self._found = self._found, []
            return found

    def _poll(self, at: int, wait_s: int, limit: int) -> None:
        queue, messages = self._order[at], []
        try:
            messages = queue.receive(wait_s, limit)
        except Exception as error:
            _log.error("receive failed", error=repr(error))
        with self._changed:
            if messages and self._wanted and not self._found:
                self._found, messages = messages, []
                self._changed.notify_all()
        if messages:
            with suppress(Exception):
                queue.hide(messages, 0)
        with self._changed:
            self._polling.discard(at)
            self._changed.notify_all()

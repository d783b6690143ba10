"""Deletes and hides what is done with, in batches where there is enough of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from worker_images.base.logging import logger
from worker_images.base.queue import BATCH, Message, Queue
from worker_images.base.work import Delivery, Disposition

_log = logger("settler")
#: How long a finished message may wait for others of its batch. Its job has long been noted.
LINGER_S = 0.05
#: Tries of a delete or a hide; the message comes back after them, and its job is known as done.
TRIES = 3


@dataclass
class Settler:
    """One thread that settles up to ten deliveries in a call, while `more` are about to end.

    `settled` is told of each, whatever came of it.
    """

    queue: Queue
    more: Callable[[], bool]
    settled: Callable[[Delivery], None]
    _done: list[tuple[Delivery, Disposition]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _settling: bool = False
    _closed: bool = False

    def start(self) -> None:
        """Settle in a thread of its own."""
        threading.Thread(target=self._loop, name="settle", daemon=True).start()

    def put(self, delivery: Delivery, disposition: Disposition) -> None:
        """Settle a delivery soon."""
        with self._changed:
            self._done.append((delivery, disposition))
            self._changed.notify_all()

    def join(self) -> None:
        """Return when all is settled."""
        with self._changed:
            self._changed.wait_for(lambda: not self._done and not self._settling)

    def close(self) -> None:
        """Settle what is left, then end; returns when all is settled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.join()

    @property
    def busy(self) -> bool:
        """Whether anything is unsettled."""
        with self._changed:
            return bool(self._done) or self._settling

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._done or self._closed)
                if not self._done:
                    return
                if not self._closed and self.more():
                    self._changed.wait_for(self._worth_a_call, LINGER_S)
                batch, self._done = self._done[:BATCH], self._done[BATCH:]
                self._settling = True
            try:
                self.settle(batch)
            finally:
                with self._changed:
                    self._settling = False
                    self._changed.notify_all()

    def _worth_a_call(self) -> bool:
        return self._closed or len(self._done) >= BATCH or not self.more()

    def settle(self, batch: Sequence[tuple[Delivery, Disposition]]) -> None:
        """Settle a batch now: what is to be deleted in one call, the rest by its delay."""
        deleted: list[Message] = []
        hidden: dict[float, list[Message]] = {}
        for delivery, disposition in batch:
            self.settled(delivery)
            if disposition.delete:
                deleted.append(delivery.message)
            elif disposition.visible_in_s is not None:
                hidden.setdefault(disposition.visible_in_s, []).append(delivery.message)
        for delay_s, messages in hidden.items():
            self._call("hide", partial(self.queue.hide, seconds=delay_s), messages)
        if deleted:
            self._call("delete", self.queue.delete, deleted)

    def _call(
        self, what: str, call: Callable[[list[Message]], list[Message]], messages: list[Message]
    ) -> None:
        """Make a call for messages, again for those that it refused."""
        error = "refused"
        for _ in range(TRIES):
            try:
                messages = call(messages)
            except Exception as raised:
                error = repr(raised)
                continue
            if not messages:
                return
        ids = [message.message_id for message in messages]
        _log.error(f"not settled: {what}", error=error, message_ids=ids)

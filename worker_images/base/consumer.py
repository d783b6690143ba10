"""The loop: receive, decode, run, and only then say what becomes of the message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.contracts.fields import Undecodable
from config.contracts.queues import RECEIVE_WAIT_S
from worker_images.base.cancellation import Cancellation
from worker_images.base.clock import Clock
from worker_images.base.errors import HandedBack
from worker_images.base.lifecycle import Lifecycle
from worker_images.base.logging import bound, logger
from worker_images.base.queue import Message, Queue
from worker_images.base.work import Delivery, Disposition, Runner

_log = logger("consumer")
#: Pause after a failed receive.
RECEIVE_RETRY_S = 5.0


@dataclass
class Consumer:
    """Takes one message after the other until it is drained or its instance ends itself.

    A body that `decode` refuses can never succeed and is never deleted here: it is made visible
    at once, until the redrive policy moves it to the dead-letter queue, which an operator alone
    empties. `marker` starts the lines that the runbook greps for.
    """

    queue: Queue
    decode: Callable[[str], Any]
    runners: Mapping[type, Runner]
    lifecycle: Lifecycle
    clock: Clock
    idle_s: float
    marker: str
    alive: Callable[[], None]
    _draining: threading.Event = field(default_factory=threading.Event)
    _running: Cancellation | None = None

    def run(self) -> None:
        """Work until `drain` is called, or until the lifecycle lets an idle worker go."""
        _log.info(f"{self.marker} polling")
        idle_since = self.clock.now()
        while not self._draining.is_set():
            self.alive()
            try:
                message = self.queue.receive(self._wait_s(idle_since))
            except Exception as error:
                _log.error(f"{self.marker} receive failed", error=repr(error))
                self._draining.wait(RECEIVE_RETRY_S)
                continue
            if message is not None:
                self._handle(message)
                idle_since = self.clock.now()
            elif self.clock.now() - idle_since >= self.idle_s:
                if self.lifecycle.leave():
                    return
                idle_since = self.clock.now()
        _log.info("drained")

    def drain(self) -> None:
        """Take no new message and stop the running job, which goes back to the queue.

        Called from a thread of its own: a signal handler must not touch locks.
        """
        self._draining.set()
        running = self._running
        if running is not None:
            running.cancel(HandedBack("DRAINED", "the worker was told to stop"))

    def _wait_s(self, idle_since: float) -> int:
        left_s = self.idle_s - (self.clock.now() - idle_since)
        return max(1, min(RECEIVE_WAIT_S, round(left_s)))

    def _handle(self, message: Message) -> None:
        with bound(message_id=message.message_id, receive_count=message.receive_count):
            _log.info(f"{self.marker} message received")
            try:
                self._settle(message, self._dispose(message))
            except Exception as error:
                _log.error("message not settled", exc_info=True, error=repr(error))

    def _dispose(self, message: Message) -> Disposition:
        cancellation = Cancellation()
        self._running = cancellation
        try:
            if self._draining.is_set():
                return Disposition("HANDED_BACK", visible_in_s=0)
            work = self.decode(message.body)
            delivery = Delivery(message, work, cancellation, self.clock.now())
            return self.runners[type(work)](delivery)
        except Undecodable as error:
            _log.error("undecodable body: left for the dead-letter queue", reason=str(error))
            return Disposition("UNDECODABLE", visible_in_s=0)
        finally:
            self._running = None

    def _settle(self, message: Message, disposition: Disposition) -> None:
        if disposition.delete:
            self.queue.delete(message)
        elif disposition.visible_in_s is not None:
            self.queue.hide(message, disposition.visible_in_s)

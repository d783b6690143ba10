"""The loop: receive, decode, run, and only then say what becomes of the message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.contracts.fields import Undecodable
from config.contracts.queues import RECEIVE_WAIT_S
from worker_images.base.clock import Clock
from worker_images.base.crew import Crew
from worker_images.base.errors import HandedBack
from worker_images.base.gate import Gate
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.lifecycle import Lifecycle
from worker_images.base.logging import bound, logger
from worker_images.base.queue import Queue
from worker_images.base.settler import Settler
from worker_images.base.work import Delivery, Disposition, Runner

_log = logger("consumer")
#: Pause after a failed receive.
RECEIVE_RETRY_S = 5.0
#: How long the loop may stand still while its threads work.
_TURN_S = 1.0


@dataclass
class Consumer:
    """Takes messages until it is drained, its instance ends itself, or a handler is stuck.

    `concurrency` jobs run at once; `short` ones are received ahead, by the ten. `marker` starts
    the lines that the runbook greps for.

    A body that `decode` refuses can never succeed and is never deleted here: it is made visible
    at once, until the redrive policy moves it to the dead-letter queue, which an operator alone
    empties.
    """

    queue: Queue
    decode: Callable[[str], Any]
    runners: Mapping[type, Runner]
    heartbeat: Heartbeat
    lifecycle: Lifecycle
    gate: Gate
    clock: Clock
    idle_s: float
    concurrency: int
    short: bool
    marker: str
    _draining: threading.Event = field(default_factory=threading.Event)
    _stuck: bool = False

    def __post_init__(self) -> None:
        self.crew = Crew(self.concurrency, self.short, self._work)
        self.settler = Settler(self.queue, lambda: self.crew.busy, self.heartbeat.let_go)
        self.heartbeat.stuck = self._abandon

    def run(self) -> bool:
        """Work until there is a reason to stop; False when a handler is stuck in this process."""
        _log.info(f"{self.marker} polling")
        self.heartbeat.start()
        self.crew.start()
        self.settler.start()
        self.lifecycle.watch(self.drain)
        while not self._draining.is_set():
            if self._until_idle() and self.lifecycle.leave():
                break
        self.crew.join()
        self.crew.close()
        self.settler.close()
        self.heartbeat.stop()
        _log.info("drained")
        self.lifecycle.give_way()
        return not self._stuck

    def drain(self, reason: str) -> None:
        """Take no new message and stop the running work, which goes back to the queue.

        Called from a thread of its own: a signal handler must not touch locks.
        """
        if not self._draining.is_set():
            _log.info("draining", reason=reason)
        self._draining.set()
        self._hand_back_waiting()
        for delivery in self.crew.running():
            delivery.cancellation.cancel(HandedBack("DRAINED", reason))

    def _until_idle(self) -> bool:
        """Take messages; True when there was nothing to do for `idle_s`, False when draining."""
        idle_since = self.clock.monotonic()
        while not self._draining.is_set():
            self.heartbeat.alive()
            pause_s = self.gate.pause_s()
            room = 0 if pause_s else self.crew.await_room(_TURN_S)
            if self._draining.is_set():
                return False
            if pause_s:
                self._draining.wait(pause_s)
            elif room and self._receive(idle_since, room):
                idle_since = self.clock.monotonic()
            if pause_s or not room or self.crew.busy or self.settler.busy:
                idle_since = self.clock.monotonic()
            elif self.clock.monotonic() - idle_since >= self.idle_s:
                return True
        return False

    def _receive(self, idle_since: float, room: int) -> bool:
        """Hand received messages to the crew; False when there were none."""
        left_s = self.idle_s - (self.clock.monotonic() - idle_since)
        try:
            messages = self.queue.receive(max(1, min(RECEIVE_WAIT_S, round(left_s))), room)
        except Exception as error:
            _log.error(f"{self.marker} receive failed", error=repr(error))
            self._draining.wait(RECEIVE_RETRY_S)
            return False
        now = self.clock.monotonic()
        deliveries = [Delivery(message, now) for message in messages]
        self.heartbeat.keep(deliveries)
        self.crew.put(deliveries)
        if self._draining.is_set():
            self._hand_back_waiting()
        return bool(messages)

    def _hand_back_waiting(self) -> None:
        """Nobody may be left to begin with what waits: each thread may be stuck."""
        for delivery in self.crew.withdraw():
            self.settler.put(delivery, Disposition("HANDED_BACK", visible_in_s=0))

    def _work(self, delivery: Delivery) -> None:
        """Run one delivery on a thread of the crew, and have it settled."""
        message = delivery.message
        with bound(message_id=message.message_id, receive_count=message.receive_count):
            _log.info(f"{self.marker} message received")
            try:
                disposition = self.dispose(delivery)
            except Exception as error:
                _log.error("message not settled", exc_info=True, error=repr(error))
                disposition = Disposition("RAISED")
        if self.concurrency == 1:
            self.settler.settle([(delivery, disposition)])
        else:
            self.settler.put(delivery, disposition)

    def dispose(self, delivery: Delivery) -> Disposition:
        """Decode a delivery and run it; return what becomes of its message."""
        if self._draining.is_set():
            return Disposition("HANDED_BACK", visible_in_s=0)
        try:
            delivery.work = self.decode(delivery.message.body)
            runner = self.runners[type(delivery.work)]
        except Undecodable as error:
            _log.error("undecodable body: left for the dead-letter queue", reason=str(error))
            return Disposition("UNDECODABLE", visible_in_s=0)
        return runner(delivery)

    def _abandon(self, delivery: Delivery) -> None:
        """A handler no longer listens: its job goes back, and this process has to end.

        Called by the heartbeat, once a delivery; the others in hand still need its beats.
        """
        _log.error("handler is stuck: the process ends", message_id=delivery.message.message_id)
        self._stuck = True
        self.drain("a handler of this process is stuck")
        threading.Thread(target=self._give_up, args=(delivery,), name="abandon").start()

    def _give_up(self, delivery: Delivery) -> None:
        try:
            if delivery.abandon is not None:
                self.settler.put(delivery, delivery.abandon())
        finally:
            self.crew.write_off(delivery)

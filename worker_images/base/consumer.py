"""The loop: receive, decode, run, and only then say what becomes of the message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.contracts.fields import Undecodable
from config.contracts.queues import RECEIVE_WAIT_S
from worker_images.base.clock import Clock
from worker_images.base.crew import Crew
from worker_images.base.departure import Departure
from worker_images.base.errors import HandedBack
from worker_images.base.gate import Gate
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.leaving import Event, Phase
from worker_images.base.lifecycle import Lifecycle
from worker_images.base.logging import bound, logger
from worker_images.base.presence import Presence, Sign, state_of
from worker_images.base.queue import Queue
from worker_images.base.settler import Settler
from worker_images.base.work import Delivery, Disposition, Runner

_log = logger("consumer")
#: Pause after a failed receive.
RECEIVE_RETRY_S = 5.0
#: How long the loop may stand still while its threads work.
_TURN_S = 1.0
#: In these nothing is begun any more.
_OVER = frozenset({Phase.HANDING_BACK, Phase.TERMINATING, Phase.ENDED})


@dataclass
class Consumer:
    """Takes messages while its instance is protected, until it has ended that or is told to stop.

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
    presence: Presence
    gate: Gate
    clock: Clock
    idle_s: float
    concurrency: int
    short: bool
    marker: str
    #: Called before each look into the queue.
    polled: Callable[[], object] = lambda: None
    _noticing: threading.Lock = field(default_factory=threading.Lock)
    _lost: bool = False
    _stuck: bool = False

    def __post_init__(self) -> None:
        self.departure = Departure(self.lifecycle)
        self.crew = Crew(self.concurrency, self.short, self._work)
        self.settler = Settler(self.queue, lambda: self.crew.busy, self.heartbeat.let_go)
        self.heartbeat.stuck = self._abandon

    def run(self) -> bool:
        """Work until there is a reason to stop; False when a handler is stuck in this process."""
        self.heartbeat.start()
        self.crew.start()
        self.settler.start()
        self.presence.start(self.sign)
        self.lifecycle.watch(self.notice)
        while (phase := self.departure.leave.phase) is not Phase.ENDED:
            if phase is Phase.POLLING:
                self._poll()
            elif phase in (Phase.FINISHING, Phase.HANDING_BACK):
                self._empty_hands()
            else:
                self.departure.call()
        self.crew.close()
        self.settler.close()
        self.heartbeat.stop()
        self.presence.end()
        _log.info("drained")
        return not self._stuck

    def drain(self, reason: str) -> None:
        """Take no new message and hand back the running work: the process is to stop.

        Called from a thread of its own: a signal handler must not touch locks.
        """
        self.notice(Event.TOLD, reason)

    def notice(self, event: Event, reason: str) -> None:
        """Take no new message; hand back the running work, unless there is time to finish it."""
        _log.info("draining", cause=event, reason=reason)
        with self._noticing:
            self.departure.tell(event)
            if event is Event.INTERRUPTION or self.departure.leave.cause is Event.REBALANCE:
                self._lost = True
            if self.departure.leave.phase not in _OVER:
                return
            # Nobody may be left to begin with what waits: each thread may be stuck.
            self._hand_back(self.crew.withdraw())
            for delivery in self.crew.running():
                delivery.cancellation.cancel(HandedBack("DRAINED", reason))

    def sign(self) -> Sign:
        """Return what this worker says of itself."""
        jobs = self.crew.load
        state = state_of(self.departure.leave, jobs)
        return Sign(state, jobs, self.lifecycle.version(), self._lost)

    def _poll(self) -> None:
        """Take messages until there was nothing to do for `idle_s`, or there is reason to leave."""
        _log.info(f"{self.marker} polling")
        idle_since = self.clock.monotonic()
        while self.departure.polling:
            self.heartbeat.alive()
            pause_s = self.gate.pause_s()
            room = 0 if pause_s else self.crew.await_room(_TURN_S)
            if room or pause_s:
                self.departure.look()
            if not self.departure.polling:
                return
            if pause_s:
                self.departure.pause(pause_s)
            elif room and self._receive(idle_since, room):
                idle_since = self.clock.monotonic()
            if pause_s or not room or self.crew.busy or self.settler.busy:
                idle_since = self.clock.monotonic()
            elif self.clock.monotonic() - idle_since >= self.idle_s:
                self.departure.tell(Event.IDLE)

    def _empty_hands(self) -> None:
        """Wait for what is in hand, and for the receives that may still bring more."""
        self.crew.join()
        self.queue.end_receives()
        with self._noticing:
            self.settler.join()
        self.departure.tell(Event.EMPTY)

    def _receive(self, idle_since: float, room: int) -> bool:
        """Hand received messages to the crew; False when there were none."""
        left_s = self.idle_s - (self.clock.monotonic() - idle_since)
        self.polled()
        try:
            messages = self.queue.receive(max(1, min(RECEIVE_WAIT_S, round(left_s))), room)
        except Exception as error:
            _log.error(f"{self.marker} receive failed", error=repr(error))
            self.departure.pause(RECEIVE_RETRY_S)
            return False
        now = self.clock.monotonic()
        deliveries = [Delivery(message, now) for message in messages]
        self.heartbeat.keep(deliveries)
        if self.departure.polling:
            self.crew.put(deliveries)
        else:
            self._hand_back(deliveries)
        if self.departure.leave.phase in _OVER:
            self._hand_back(self.crew.withdraw())
        return bool(messages)

    def _hand_back(self, deliveries: Iterable[Delivery]) -> None:
        """Make what nobody has begun with visible again."""
        for delivery in deliveries:
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
        if self.departure.leave.phase in _OVER:
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

"""Keeps the deliveries in hand ours, and ends what runs too long or stands still."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from config.contracts.queues import MAX_IN_FLIGHT_S
from worker_images.base.clock import Clock
from worker_images.base.errors import LostClaim
from worker_images.base.limits import Limits
from worker_images.base.logging import bound, logger
from worker_images.base.queue import Message, Queue
from worker_images.base.work import Delivery

_log = logger("heartbeat")
#: SQS counts its ceiling from its own receive; stay this much below it.
_CEILING_MARGIN_S = 60


@dataclass
class Heartbeat:
    """One thread that beats for every delivery in hand, at a third of the visibility timeout.

    Each beat renews the leases first, so that a message that came back finds the lease of a dead
    worker ended, and then the visibility of all in one call, never past SQS's ceiling of 12
    hours. Between beats it looks at the limits. A delivery whose handler does not end within its
    grace after it was told to is `stuck`: it is kept no longer, and that is said once.
    `alive` tells the container's health check that the process still turns.
    """

    queue: Queue
    clock: Clock
    limits: Limits
    alive: Callable[[], None]
    stuck: Callable[[Delivery], None] = lambda delivery: None
    _kept: dict[Delivery, float] = field(default_factory=dict)
    _cancelled: dict[Delivery, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Beat in a thread of its own until `stop`."""
        threading.Thread(target=self._loop, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Beat no more."""
        self._stop.set()

    def keep(self, deliveries: list[Delivery]) -> None:
        """Keep deliveries from now on, which were received just now."""
        with self._lock:
            for delivery in deliveries:
                self._kept[delivery] = delivery.received_at

    def let_go(self, delivery: Delivery) -> None:
        """Keep a delivery no longer."""
        with self._lock:
            self._kept.pop(delivery, None)
            self._cancelled.pop(delivery, None)

    def beat(self) -> None:
        """Look at the limits, and renew what is due. A failed call is tried again next time."""
        self.alive()
        now = self.clock.monotonic()
        with self._lock:
            kept = list(self._kept.items())
        for delivery, _ in kept:
            self._watch(delivery, now)
        late = self.limits.visibility_timeout_s / 3 - self.limits.tick_s
        due = [delivery for delivery, renewed_at in kept if now - renewed_at >= late]
        due = [delivery for delivery in due if delivery in self._kept and self._leased(delivery)]
        self._hide(due, now)

    def _loop(self) -> None:
        while not self._stop.wait(self.limits.tick_s):
            try:
                self.beat()
            except Exception as error:
                _log.error("heartbeat raised", exc_info=True, error=repr(error))

    def _watch(self, delivery: Delivery, now: float) -> None:
        reason = self.limits.exceeded(delivery, now)
        if reason is not None:
            delivery.cancellation.cancel(reason)
        if delivery.started_at is None or not delivery.cancellation.cancelled:
            return
        told_at = self._cancelled.setdefault(delivery, now)
        if now - told_at >= self.limits.grace_s:
            self.let_go(delivery)
            self.stuck(delivery)

    def _leased(self, delivery: Delivery) -> bool:
        """Whether the delivery is to be kept: its lease was renewed, or it has none."""
        renew = delivery.renew_lease
        try:
            if renew is None or renew():
                return True
        except Exception as error:
            _log.warning("lease not renewed", error=repr(error))
            return True
        delivery.cancellation.cancel(LostClaim("LOST_CLAIM", "another worker holds the job"))
        return False

    def _hide(self, deliveries: list[Delivery], now: float) -> None:
        """Hide messages for another visibility timeout, together where they are as old."""
        by_seconds: dict[float, list[Delivery]] = {}
        for delivery in deliveries:
            left_s = MAX_IN_FLIGHT_S - _CEILING_MARGIN_S - (now - delivery.received_at)
            if left_s > 0:
                seconds = min(self.limits.visibility_timeout_s, left_s)
                by_seconds.setdefault(seconds, []).append(delivery)
        for seconds, alike in by_seconds.items():
            try:
                self._refused(self.queue.hide([each.message for each in alike], seconds))
            except Exception as error:
                _log.warning("visibility not renewed", error=repr(error))
                continue
            with self._lock:
                self._kept.update({each: now for each in alike if each in self._kept})

    @staticmethod
    def _refused(messages: list[Message]) -> None:
        for message in messages:
            with bound(message_id=message.message_id):
                _log.warning("visibility not renewed: the receipt is no longer valid")

"""Keeps a running delivery ours: the lease, the message's visibility, and the time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass

from config.contracts.queues import MAX_IN_FLIGHT_S
from worker_images.base.clock import Clock
from worker_images.base.errors import LostClaim, TimedOut
from worker_images.base.logging import logger
from worker_images.base.queue import Queue
from worker_images.base.work import Delivery

_log = logger("heartbeat")
#: SQS counts its ceiling from its own receive; stay this much below it.
_CEILING_MARGIN_S = 60


@dataclass(frozen=True)
class Heartbeat:
    """Beats at a third of the visibility timeout while a handler runs.

    `alive` tells the container's health check that the process still turns.

    Each beat renews the lease first, so that a message that came back finds the lease of a dead
    worker ended, and then the visibility, never past SQS's ceiling of 12 hours.
    """

    queue: Queue
    clock: Clock
    visibility_timeout_s: float
    time_limit_s: float
    alive: Callable[[], None]

    @contextmanager
    def around(
        self, delivery: Delivery, renew_lease: Callable[[], bool] | None = None
    ) -> Iterator[None]:
        """Beat in a thread until the block ends; `renew_lease` returns False when it is lost."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(self.visibility_timeout_s / 3):
                self.beat(delivery, renew_lease)

        thread = threading.Thread(
            target=copy_context().run, args=(loop,), name="heartbeat", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def beat(self, delivery: Delivery, renew_lease: Callable[[], bool] | None = None) -> None:
        """Renew everything once. A failed call is logged, and the next beat tries again."""
        self.alive()
        age_s = self.clock.now() - delivery.received_at
        if age_s > self.time_limit_s:
            message = f"longer than {self.time_limit_s:.0f} s"
            delivery.cancellation.cancel(TimedOut("TIME_LIMIT", message))
        try:
            if renew_lease is not None and not renew_lease():
                lost = LostClaim("LOST_CLAIM", "another worker holds the job")
                delivery.cancellation.cancel(lost)
                return
            left_s = MAX_IN_FLIGHT_S - _CEILING_MARGIN_S - age_s
            if left_s > 0:
                self.queue.hide(delivery.message, min(self.visibility_timeout_s, left_s))
        except Exception as error:
            _log.warning("heartbeat failed", error=repr(error))

"""Calls the handler: its context, its reports, its transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from worker_images.base.clock import Clock
from worker_images.base.errors import LostClaim
from worker_images.base.logging import logger
from worker_images.base.status import Status
from worker_images.base.work import Claim, Context, Delivery, Handler, Result

_log = logger("handling")
REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Handling:
    """The work of a claimed job: `handler` in its context, under the limits."""

    handler: Handler
    status: Status
    clock: Clock
    lease_s: float

    def __call__(self, delivery: Delivery) -> Result:
        claim = delivery.claim
        if claim is None:
            raise ValueError("a handler needs its job's claim")
        held = _Held(self.status, self.clock, delivery, claim, self.lease_s)
        context = Context(delivery.cancellation, held.report, claim, held.transaction)
        renew, delivery.renew_lease = delivery.renew_lease, held.renew
        delivery.begin(self.clock.monotonic())
        try:
            return self.handler(delivery.work, context)
        finally:
            delivery.finish()
            delivery.renew_lease = renew


class _Held:
    """What a handler may do to its job while it runs.

    A transaction of the handler locks the job's row, for this process too: meanwhile nobody can
    claim the job, the lease is neither renewed nor needed, and progress is not recorded.
    """

    def __init__(
        self, status: Status, clock: Clock, delivery: Delivery, claim: Claim, lease_s: float
    ) -> None:
        self._status = status
        self._clock = clock
        self._delivery = delivery
        self._claim = claim
        self._lease_s = lease_s
        self._recorded: tuple[float, str] = (float("-inf"), "")
        self._seen: tuple[float, str] | None = None
        self._row = threading.Lock()

    def report(self, percent: float, step: str, seconds_left: float | None) -> None:
        """Note progress, and record it at most once a second; an outage of that costs no work."""
        now = self._clock.monotonic()
        if (percent, step) != self._seen:
            self._seen = (percent, step)
            self._delivery.progressed_at = now
        at, last_step = self._recorded
        if step == last_step and now - at < REPORT_EVERY_S:
            return
        if not self._row.acquire(blocking=False):
            return
        self._recorded = (now, step)
        try:
            self._record(percent, step, seconds_left)
        finally:
            self._row.release()

    def renew(self) -> bool:
        """Renew the lease; False when it is lost."""
        if not self._row.acquire(blocking=False):
            return True
        try:
            return self._status.heartbeat(self._claim.job_id, self._claim.token, self._lease_s)
        finally:
            self._row.release()

    def _record(self, percent: float, step: str, seconds_left: float | None) -> None:
        claim = self._claim
        try:
            held = self._status.progress(claim.job_id, claim.token, percent, step, seconds_left)
        except Exception as error:
            _log.warning("progress not recorded", error=repr(error))
            return
        if not held:
            lost = LostClaim("LOST_CLAIM", "progress was refused")
            self._delivery.cancellation.cancel(lost)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Open `Context.transaction`."""
        claim = self._claim
        with (
            self._row,
            self._status.transaction(claim.job_id, claim.token, self._lease_s) as cursor,
        ):
            yield cursor

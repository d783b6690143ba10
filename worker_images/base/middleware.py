"""One concern each around the work of a delivery; `through` puts them around one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker_images.base.clock import Clock
from worker_images.base.logging import bound, logger
from worker_images.base.metrics import JobMetrics, Metrics
from worker_images.base.queue import Message
from worker_images.base.work import Delivery, Disposition, Runner

_log = logger("middleware")

#: `(delivery, next) -> disposition`
Middleware = Callable[[Delivery, Runner], Disposition]


def through(middlewares: Sequence[Middleware], last: Runner) -> Runner:
    """Return `last` with the middlewares around it, the first one outermost."""
    step = last
    for middleware in reversed(middlewares):
        step = _around(middleware, step)
    return step


def _around(middleware: Middleware, inner: Runner) -> Runner:
    return lambda delivery: middleware(delivery, inner)


def log_job(delivery: Delivery, inner: Runner) -> Disposition:
    """Put the job's id on every line that its work logs."""
    with bound(job_id=delivery.work.job_id):
        return inner(delivery)


@dataclass(frozen=True)
class Measured:
    """Publishes how long a claimed job waited and took, and how it ended."""

    metrics: Metrics
    clock: Clock

    def __call__(self, delivery: Delivery, inner: Runner) -> Disposition:
        began, began_at = self.clock.monotonic(), self.clock.now()
        disposition = inner(delivery)
        if delivery.claim is not None:
            ended = JobMetrics(
                outcome=disposition.outcome,
                queue_age_s=max(0.0, began_at - delivery.message.sent_at),
                time_to_start_s=delivery.claim.waited_s,
                duration_s=self.clock.monotonic() - began,
            )
            self.metrics.job_ended(ended)
        return disposition


@dataclass(frozen=True)
class FreshCopies:
    """Replaces a message that was received almost too often by a fresh one in the outbox.

    Receives say nothing about the work: they are spent on drains, duplicates and outages too, and
    one more would move a healthy job to the dead-letter queue. The attempts are counted in the
    database. `write` stores a copy; the message itself is deleted only after that.
    See docs/adr/0016-receives-are-no-attempts.md.
    """

    write: Callable[[Message, str | None], None]
    limit: int
    outcomes: frozenset[str]

    def __call__(self, delivery: Delivery, inner: Runner) -> Disposition:
        disposition = inner(delivery)
        spent = delivery.message.receive_count >= self.limit
        if not spent or disposition.delete or disposition.outcome not in self.outcomes:
            return disposition
        try:
            self.write(delivery.message, getattr(delivery.work, "job_id", None))
        except Exception as error:
            _log.warning("no fresh copy of the message", error=repr(error))
            return disposition
        _log.info("message replaced by a fresh copy", receives=delivery.message.receive_count)
        return Disposition(disposition.outcome, delete=True)

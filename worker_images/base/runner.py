"""The runner of messages that stand for a job row, and that of those that do not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from worker_images.base.claims import Claimed
from worker_images.base.clock import Clock
from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.handling import Handling
from worker_images.base.job_kinds import JobKind
from worker_images.base.logging import logger
from worker_images.base.metrics import Metrics
from worker_images.base.middleware import FreshCopies, Measured, log_job, through
from worker_images.base.outcomes import Outcomes
from worker_images.base.queue import Message
from worker_images.base.retry import backoff_s
from worker_images.base.status import Status
from worker_images.base.work import Delivery, Disposition, Handler, Runner

_log = logger("runner")
#: What comes back for no fault of the work's, or is counted in the database.
_COPIED = frozenset({"HANDED_BACK", "BUSY", "DATABASE_AWAY", "RETRY_WAIT"})


@dataclass(frozen=True)
class Surroundings:
    """What every runner of a process shares.

    `copy_message` writes a fresh copy of a message to the outbox; a message gets one when it was
    received `copy_after` times. `away` is told that the database did not answer.
    """

    clock: Clock
    metrics: Metrics
    worker_id: str
    attempts: int
    lease_s: float
    copy_message: Callable[[Message, str | None], None]
    copy_after: int
    away: Callable[[], None] = lambda: None
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep


def job_runner(kind: JobKind, status: Status, handler: Handler, around: Surroundings) -> Runner:
    """Return the runner of the jobs of a table."""
    outcomes = Outcomes(
        status=status,
        handle=Handling(handler, status, around.clock, around.lease_s),
        attempts=around.attempts,
        once=kind.lost is not None,
        jitter=around.jitter,
        sleep=around.sleep,
    )
    middlewares = (
        log_job,
        Measured(around.metrics, around.clock),
        FreshCopies(around.copy_message, around.copy_after, _COPIED),
        Claimed(status, around.worker_id, around.lease_s, around.away, around.jitter),
    )
    return through(middlewares, outcomes)


def task_runner(task: Callable[..., None], around: Surroundings) -> Runner:
    """Return the runner of work that has no job row, such as a deletion.

    What keeps failing ends in the dead-letter queue, where an operator finds it.
    """
    copies = FreshCopies(around.copy_message, around.copy_after, frozenset({"HANDED_BACK"}))
    return through((copies,), _Task(task, around))


@dataclass(frozen=True)
class _Task:
    task: Callable[..., None]
    around: Surroundings

    def __call__(self, delivery: Delivery) -> Disposition:
        delivery.begin(self.around.clock.monotonic())
        try:
            self.task(delivery.work, delivery.cancellation)
        except HandedBack as reason:
            return Disposition("HANDED_BACK", visible_in_s=reason.delay_s)
        except Permanent as error:
            _log.error("left for the dead-letter queue", code=error.code, reason=error.message)
            return Disposition("FAILED", visible_in_s=0)
        except Exception as error:
            delay_s = backoff_s(delivery.message.receive_count, self.around.jitter())
            _log.warning("task will be retried", error=repr(error), delay_s=round(delay_s))
            return Disposition("RETRY_WAIT", visible_in_s=delay_s)
        finally:
            delivery.finish()
        return Disposition("SUCCEEDED", delete=True)

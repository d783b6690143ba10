"""Runs work that has no job row, such as a deletion."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.heartbeat import Heartbeat
from worker_images.base.logging import logger
from worker_images.base.retry import backoff_s
from worker_images.base.work import Delivery, Disposition

_log = logger("tasks")


@dataclass(frozen=True)
class TaskRunner:
    """The `Runner` of such messages. What keeps failing ends in the dead-letter queue."""

    task: Callable[..., None]
    heartbeat: Heartbeat
    jitter: Callable[[], float] = random.random

    def __call__(self, delivery: Delivery) -> Disposition:
        try:
            with self.heartbeat.around(delivery):
                self.task(delivery.work, delivery.cancellation)
        except HandedBack:
            return Disposition("HANDED_BACK", visible_in_s=0)
        except Permanent as error:
            _log.error("left for the dead-letter queue", code=error.code, reason=error.message)
            return Disposition("FAILED", visible_in_s=0)
        except Exception as error:
            delay_s = backoff_s(delivery.message.receive_count, self.jitter())
            _log.warning("task will be retried", error=repr(error), delay_s=round(delay_s))
            return Disposition("RETRY_WAIT", visible_in_s=delay_s)
        return Disposition("SUCCEEDED", delete=True)

"""Where texts wait while their provider is down: in the database, without a message."""

from __future__ import annotations

from dataclasses import dataclass

from worker_images.base.logging import bound, logger
from worker_images.base.work import Delivery, Disposition, Runner
from worker_images.messaging.rows import TextRows

_log = logger("texts")


@dataclass(frozen=True)
class Parked:
    """Parks a text that was handed back for later, and deletes its message.

    A hidden message would count as backlog, and keep instances up that can do nothing; the API's
    scheduler queues the text when its time has come. See docs/adr/0020-a-doubt-is-never-resent.md.
    """

    rows: TextRows

    def __call__(self, delivery: Delivery, inner: Runner) -> Disposition:
        disposition = inner(delivery)
        if disposition.outcome != "HANDED_BACK" or not disposition.visible_in_s:
            return disposition
        with bound(job_id=delivery.work.job_id):
            try:
                parked = self.rows.park(delivery.work.job_id, disposition.visible_in_s)
            except Exception as error:
                _log.warning("not parked: the message itself returns", error=repr(error))
                return disposition
            if not parked:
                return disposition
            _log.info("text waits for its provider", delay_s=round(disposition.visible_in_s))
        return Disposition("PARKED", delete=True)

"""What surrounds the runner of texts: rows for old messages, and a place to wait."""

from __future__ import annotations

from dataclasses import dataclass, fields

from config.contracts.fields import Undecodable, body_fields
from config.contracts.phone_numbers import mask_all
from config.contracts.text_messages import TextJob, decode_text_job
from worker_images.base.logging import bound, logger
from worker_images.base.work import Delivery, Disposition, Runner
from worker_images.messaging.rows import TextRows

_log = logger("texts")


@dataclass(frozen=True)
class OldText(TextJob):
    """A text of the application before, whose message is all that there is of it."""


def decode(body: str) -> TextJob:
    """Return the text that a body holds. Raises: Undecodable, with no number in its message."""
    try:
        job = decode_text_job(body)
    except Undecodable as error:
        raise Undecodable(mask_all(str(error))) from None
    if "job_id" in body_fields(body):
        return job
    return OldText(**{each.name: getattr(job, each.name) for each in fields(job)})


@dataclass(frozen=True)
class TextRunner:
    """The `Runner` of texts around the one that claims their rows.

    A text that has to wait for its provider does so in the database, and its message is deleted:
    each return to the queue would count towards the dead-letter threshold, and keep instances up
    that can do nothing.
    """

    runner: Runner
    rows: TextRows

    def __call__(self, delivery: Delivery) -> Disposition:
        if isinstance(delivery.work, OldText):
            self.rows.adopt(delivery.work)
        disposition = self.runner(delivery)
        if disposition.outcome == "HANDED_BACK" and disposition.visible_in_s:
            return self._park(delivery.work.job_id, disposition)
        return disposition

    def _park(self, job_id: str, disposition: Disposition) -> Disposition:
        with bound(job_id=job_id):
            try:
                parked = self.rows.park(job_id, disposition.visible_in_s or 0)
            except Exception as error:
                _log.warning("not parked: the message itself returns", error=repr(error))
                return disposition
            if not parked:
                return disposition
            _log.info("text waits for its provider", delay_s=round(disposition.visible_in_s or 0))
            return Disposition("PARKED", delete=True, waited_s=disposition.waited_s)

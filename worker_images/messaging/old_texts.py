"""Texts of the application before, whose message is all that there is of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from config.contracts.fields import Undecodable, body_fields
from config.contracts.phone_numbers import mask_all
from config.contracts.text_messages import TextJob, decode_text_job
from worker_images.base.logging import logger
from worker_images.base.work import Delivery, Disposition, Runner
from worker_images.messaging.rows import TextRows

_log = logger("texts")
_DATABASE_AWAY_S = 30.0


@dataclass(frozen=True)
class OldText(TextJob):
    """A text without a row; `job_id` is made of its message, see `decode_text_job`."""


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
class Adopted:
    """Gives such a text its row at first sight; from then on it is a text like any other."""

    rows: TextRows

    def __call__(self, delivery: Delivery, inner: Runner) -> Disposition:
        if isinstance(delivery.work, OldText):
            try:
                self.rows.adopt(delivery.work)
            except Exception as error:
                _log.warning("no row for an old text yet", error=repr(error))
                return Disposition("DATABASE_AWAY", visible_in_s=_DATABASE_AWAY_S)
        return inner(delivery)

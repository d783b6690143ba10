"""Uploaded rosters that no worker will delete: their job gave up, or was never written.

A worker deletes a roster once it has read it. What is left behind here holds names and telephone
numbers, and the bucket's rule must spare rosters whose job still waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from django.db import DatabaseError, connection

from config.contracts.states import OPEN_AI_JOB_STATES
from config.contracts.storage_keys import EXCEL_UPLOADS_PREFIX
from worker_images.api.models import AiJob
from worker_images.base.logging import logger
from worker_images.base.storage import Storage

_log = logger("rosters")
#: An upload is there before its row is; an hour later it is no longer on its way.
LOOK_EVERY_S = 3600.0


class Rosters:
    """Deletes a roster that two looks in a row found without an open job."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._found: set[str] = set()

    def look(self) -> int:
        """Look once and return how many were deleted."""
        idle = set(_without_open_job(self._storage.list_keys(EXCEL_UPLOADS_PREFIX)))
        deleted = idle & self._found
        for key in deleted:
            self._storage.delete(key)
        self._found = idle - deleted
        if deleted:
            _log.info("left rosters deleted", count=len(deleted))
        return len(deleted)

    def look_until(self, stop: Event) -> None:
        """Look every hour until told to stop; what fails is looked at again."""
        while not stop.wait(LOOK_EVERY_S):
            try:
                self.look()
            except (BotoCoreError, ClientError, DatabaseError) as error:
                _log.warning("rosters not looked at", error=str(error))
            finally:
                connection.close()


def _without_open_job(keys: Iterable[str]) -> Iterable[str]:
    by_job = {_job_id(key): key for key in keys}
    ids = [job_id for job_id in by_job if job_id is not None]
    open_jobs = AiJob.objects.filter(pk__in=ids, state__in=OPEN_AI_JOB_STATES)
    waiting = set(open_jobs.values_list("pk", flat=True))
    return (key for job_id, key in by_job.items() if job_id is not None and job_id not in waiting)


def _job_id(key: str) -> UUID | None:
    """Return the job that a key is named after; the application before named them otherwise."""
    name = key.rsplit("/", 1)[-1].removesuffix(".xlsx")
    try:
        return UUID(hex=name)
    except ValueError:
        return None

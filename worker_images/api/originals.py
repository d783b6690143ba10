"""Deletes the originals of finished videos, where the store has no rule that could.

R2 knows no object tags, and no prefix tells a finished video's original from one that a worker
still needs. The database does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from config.contracts.states import OPEN_JOB_STATES, VideoState
from worker_images.api.models import Video, VideoJob
from worker_images.base.logging import logger

_log = logger("originals")
EVERY_S = 3600.0


def expire_next(delete: Callable[[str], None], days: int) -> bool:
    """Delete one original that is due; False when none is.

    Due is that of a READY video without an open job, whose last job ended `days` days ago. The
    row is locked as a retry locks it, so that no job of the video begins meanwhile; a video that
    somebody else holds is left to them. `delete` may be called again for the same key.

    Raises: what `delete` raises; the original then stays due.
    """
    jobs = VideoJob.objects.filter(video=OuterRef("pk"))
    recent = jobs.filter(finished_at__gt=Now() - timedelta(days=days))
    with transaction.atomic():
        video = (
            Video.objects.select_for_update(skip_locked=True)
            .filter(Exists(jobs.filter(finished_at__isnull=False)))
            .filter(~Exists(recent), ~Exists(jobs.filter(state__in=OPEN_JOB_STATES)))
            .filter(state=VideoState.READY, original_deleted_at=None)
            .order_by("pk")
            .first()
        )
        if video is None:
            return False
        delete(video.file_key)
        Video.objects.filter(pk=video.pk).update(original_deleted_at=Now())
    _log.info("original of a finished video deleted", video_id=video.pk, file_key=video.file_key)
    return True


def expire_until(stop: Event, expire: Callable[[], bool]) -> None:
    """Call `expire` until it finds none, and again each hour until `stop` is set."""
    while not stop.is_set():
        try:
            if expire():
                continue
        except DatabaseError as error:
            connection.close()
            _log.error("originals not looked for", reason=str(error))
        except Exception as error:
            _log.error("original not deleted", error=repr(error))
        stop.wait(EVERY_S)

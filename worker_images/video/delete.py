"""The task of a delete message: a video's original and its rendition, exactly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from config.contracts.messages import DeleteVideo
from config.contracts.storage_keys import hls_prefix
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import HandedBack, Permanent
from worker_images.base.logging import logger
from worker_images.base.status import Status
from worker_images.base.storage import Storage

_log = logger("delete")
#: When a deletion is tried again while a job of its video runs: it may take hours.
JOB_RUNNING_S = 300.0
_OTHERS = """
SELECT id FROM videos
WHERE (id = %(video_id)s AND (tenant_id <> %(tenant_id)s OR file_key <> %(file_key)s))
   OR (id <> %(video_id)s AND file_key = %(file_key)s)
LIMIT 1
"""

#: Whether the rows of videos forbid what a message asks for. A video without a row forbids nothing.
Contradicts = Callable[[DeleteVideo], bool]


@dataclass(frozen=True)
class DeleteVideoFiles:
    """Deletes what the message names, if it is that video's and no job of it runs."""

    storage: Storage
    status: Status
    contradicts: Contradicts

    def __call__(self, message: DeleteVideo, cancellation: Cancellation) -> None:
        """Raises: Permanent for keys of another video; HandedBack while a job of it runs."""
        expected = hls_prefix(message.tenant_id, message.video_id)
        raw = f"tenants/{message.tenant_id}/video/raw/"
        if message.hls_prefix != expected or not message.file_key.startswith(raw):
            raise Permanent(
                "FOREIGN_KEYS",
                f"video {message.video_id} of tenant {message.tenant_id} owns {expected} and one "
                f"key below {raw}, not {message.hls_prefix} and {message.file_key}",
            )
        if self.contradicts(message):
            raise Permanent(
                "FOREIGN_KEYS",
                f"{message.file_key} is not what video {message.video_id} of tenant "
                f"{message.tenant_id} was made from, or it is another video's too",
            )
        if self.status.has_live_job(message.video_id):
            reason = f"a job of video {message.video_id} runs"
            raise HandedBack("JOB_RUNNING", reason, delay_s=JOB_RUNNING_S)
        cancellation.check()
        deleted = self.storage.delete_prefix(expected)
        self.storage.delete(message.file_key)
        _log.info("video deleted", video_id=message.video_id, objects=deleted + 1)


def contradicted_by(cursor: Callable[[], AbstractContextManager[Any]]) -> Contradicts:
    """Return the question to the table of videos. `cursor` is a database's."""

    def contradicts(message: DeleteVideo) -> bool:
        with cursor() as opened:
            opened.execute(
                _OTHERS,
                {
                    "video_id": message.video_id,
                    "tenant_id": message.tenant_id,
                    "file_key": message.file_key,
                },
            )
            return opened.fetchone() is not None

    return contradicts

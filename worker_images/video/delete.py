"""The task of a delete message: a video's original and its rendition, exactly."""

from __future__ import annotations

from dataclasses import dataclass

from config.contracts.messages import DeleteVideo
from config.contracts.storage_keys import hls_prefix
from worker_images.base.cancellation import Cancellation
from worker_images.base.errors import Permanent, Retryable
from worker_images.base.logging import logger
from worker_images.base.status import Status
from worker_images.base.storage import Storage

_log = logger("delete")


@dataclass(frozen=True)
class DeleteVideoFiles:
    """Deletes what the message names, if it is that video's and no job of it runs."""

    storage: Storage
    status: Status

    def __call__(self, message: DeleteVideo, cancellation: Cancellation) -> None:
        """Raises: Permanent for keys of another video; Retryable while a job of it runs."""
        expected = hls_prefix(message.tenant_id, message.video_id)
        raw = f"tenants/{message.tenant_id}/video/raw/"
        if message.hls_prefix != expected or not message.file_key.startswith(raw):
            raise Permanent(
                "FOREIGN_KEYS",
                f"video {message.video_id} of tenant {message.tenant_id} owns {expected} and one "
                f"key below {raw}, not {message.hls_prefix} and {message.file_key}",
            )
        if self.status.has_live_job(message.video_id):
            raise Retryable("JOB_RUNNING", f"a job of video {message.video_id} runs")
        cancellation.check()
        deleted = self.storage.delete_prefix(expected)
        self.storage.delete(message.file_key)
        _log.info("video deleted", video_id=message.video_id, objects=deleted + 1)

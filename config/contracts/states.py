"""States of videos and jobs, as the database and the API spell them."""

from __future__ import annotations

from enum import StrEnum


class VideoState(StrEnum):
    """A lecture video's state."""

    PENDING = "PENDING"
    UPLOADED = "UPLOADED"
    PROCESSING = "PROCESSING"
    READY = "READY"
    FAILED = "FAILED"


class VideoJobState(StrEnum):
    """A video job's state."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    RETRY_WAIT = "RETRY_WAIT"
    DEAD = "DEAD"
    CANCELLED = "CANCELLED"


#: A job in one of these still counts as backlog: it waits or runs.
OPEN_JOB_STATES = (VideoJobState.QUEUED, VideoJobState.RETRY_WAIT, VideoJobState.RUNNING)

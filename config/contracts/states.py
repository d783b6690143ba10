"""States of videos, jobs and texts, as the database and the API spell them."""

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


class AiJobState(StrEnum):
    """The state of a job of the AI fleet, Excel included."""

    PENDING = "PENDING"
    VALIDATING = "VALIDATING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    RETRYING = "RETRYING"
    REJECTED_BAD_INPUT = "REJECTED_BAD_INPUT"
    REVIEW_REQUIRED = "REVIEW_REQUIRED"


OPEN_AI_JOB_STATES = (
    AiJobState.PENDING,
    AiJobState.VALIDATING,
    AiJobState.RUNNING,
    AiJobState.RETRYING,
)


class TextState(StrEnum):
    """The state of a text message. UNKNOWN: handed over, no clear answer, never sent again."""

    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    CANCELLED = "CANCELLED"


OPEN_TEXT_STATES = (TextState.SCHEDULED, TextState.QUEUED, TextState.SENDING)

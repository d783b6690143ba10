"""The tables of jobs: what their states are called, and what ends where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from config.contracts.states import (
    OPEN_AI_JOB_STATES,
    OPEN_JOB_STATES,
    OPEN_TEXT_STATES,
    AiJobState,
    TextState,
    VideoJobState,
)


class Ending(StrEnum):
    """How a job ends that was not done."""

    FAILED = "FAILED"
    REJECTED = "REJECTED"
    AMBIGUOUS = "AMBIGUOUS"
    DEAD = "DEAD"


@dataclass(frozen=True)
class JobKind:
    """A table of jobs. Each field is a state, unless it says otherwise.

    `waiting` may be claimed, `running` is held, `queued` follows a hand-back and `retry` a
    passing failure. `lost` is set where a running job whose worker vanished may not run again.
    `columns` takes `(column, type)` from the result's values; `result` keeps all of them.
    `video` tells the job's video how it stands.
    """

    table: str
    open: tuple[str, ...]
    waiting: tuple[str, ...]
    running: str
    queued: str
    retry: str
    done: str
    review: str
    failed: str
    rejected: str
    ambiguous: str
    dead: str
    lost: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    result: bool = False
    video: bool = False

    def ended_as(self, ending: Ending) -> str:
        """Return the state of a job that ended so."""
        return {
            Ending.FAILED: self.failed,
            Ending.REJECTED: self.rejected,
            Ending.AMBIGUOUS: self.ambiguous,
            Ending.DEAD: self.dead,
        }[ending]


#: `values["duration_s"]` goes to the video.
VIDEO_JOBS = JobKind(
    table="video_jobs",
    open=OPEN_JOB_STATES,
    waiting=(VideoJobState.QUEUED, VideoJobState.RETRY_WAIT),
    running=VideoJobState.RUNNING,
    queued=VideoJobState.QUEUED,
    retry=VideoJobState.RETRY_WAIT,
    done=VideoJobState.SUCCEEDED,
    review=VideoJobState.SUCCEEDED,
    failed=VideoJobState.FAILED,
    rejected=VideoJobState.FAILED,
    ambiguous=VideoJobState.FAILED,
    dead=VideoJobState.DEAD,
    video=True,
)
#: All values go to `result`.
AI_JOBS = JobKind(
    table="ai_jobs",
    open=OPEN_AI_JOB_STATES,
    waiting=(AiJobState.PENDING, AiJobState.VALIDATING, AiJobState.RETRYING),
    running=AiJobState.RUNNING,
    queued=AiJobState.PENDING,
    retry=AiJobState.RETRYING,
    done=AiJobState.DONE,
    review=AiJobState.REVIEW_REQUIRED,
    failed=AiJobState.FAILED,
    rejected=AiJobState.REJECTED_BAD_INPUT,
    ambiguous=AiJobState.FAILED,
    dead=AiJobState.FAILED,
    result=True,
)
#: Handed to a provider at most once: whoever dies while it is SENDING leaves it UNKNOWN for ever.
TEXTS = JobKind(
    table="text_messages",
    open=OPEN_TEXT_STATES,
    waiting=(TextState.QUEUED,),
    running=TextState.SENDING,
    queued=TextState.QUEUED,
    retry=TextState.QUEUED,
    done=TextState.SENT,
    review=TextState.SENT,
    failed=TextState.FAILED,
    rejected=TextState.FAILED,
    ambiguous=TextState.UNKNOWN,
    dead=TextState.FAILED,
    lost=TextState.UNKNOWN,
    columns=(("channel", "text"), ("provider", "text"), ("provider_reference", "text")),
)

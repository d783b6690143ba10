"""A video's jobs: one open job a video, written together with the message that starts it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from config.contracts.states import OPEN_JOB_STATES, VideoState
from worker_images.api import answers, lost_messages, outbox
from worker_images.api.errors import Conflict, QueueRefused
from worker_images.api.models import OutboxEntry, Video, VideoJob
from worker_images.base.job_kinds import VIDEO_JOBS

#: Whether the video bucket holds a key.
Exists = Callable[[str], bool]

_FINISHED_STATES = (VideoState.READY, VideoState.FAILED)
_MISSING = "업로드된 파일이 없습니다. 파일을 업로드한 뒤 다시 시도하세요."
_FINISHED = "이미 처리가 끝난 영상입니다({state}). 다시 처리하려면 재처리를 요청하세요."
_NOT_UPLOADED = "아직 업로드가 완료되지 않은 영상입니다. 업로드 완료를 먼저 호출하세요."
_OPEN = "이미 처리 중인 작업이 있습니다({state}). 작업이 끝난 뒤 다시 요청하세요."
_ORIGINAL_GONE = "원본 파일이 더 이상 저장되어 있지 않아 다시 처리할 수 없습니다."


def complete_upload(video: Video, exists: Exists, send: outbox.Send) -> VideoJob:
    """Mark an upload complete and hand it to the workers; calling it again changes nothing more.

    A repetition may come after the job has ended: its first answer was lost, or the relay was
    quicker than the caller. It is answered with that job.

    Raises: Conflict when the object is missing, or the video is READY or FAILED and never had a
    job; QueueRefused when the queue is down, with job and message kept for the relay or for the
    next call.
    """
    job = _open_job(video) or _ended_job(video)
    if job is None:
        _refuse_finished(video)
        if not exists(video.file_key):
            raise Conflict("OBJECT_MISSING", _MISSING)
        job = _job_of_upload(video.pk)
    _deliver(job, send)
    return job


def retry(video: Video, exists: Exists, send: outbox.Send) -> VideoJob:
    """Process a video once more.

    After a refusal by the queue the same call sends the same job, and so does a call for a job that
    has waited so quietly that its message may be lost.

    Raises: Conflict before upload/complete, while a sent job is open, or without the original;
    QueueRefused as in complete_upload.
    """
    if video.state == VideoState.PENDING:
        raise Conflict("NOT_UPLOADED", _NOT_UPLOADED)
    job = _open_job(video)
    if job is None:
        if not exists(video.file_key):
            raise Conflict("ORIGINAL_GONE", _ORIGINAL_GONE)
        job = _job_of_retry(video.pk)
    elif not _has_message_to_send(job):
        raise Conflict("JOB_OPEN", _OPEN.format(state=job.state))
    _deliver(job, send)
    return job


def latest_job(video: Video) -> VideoJob | None:
    """Return the video's newest job."""
    return video.jobs.order_by("-created_at").first()


def first_sent_at(job_id: UUID) -> object:
    """Return when a job's first message was sent, None when none was."""
    entries = OutboxEntry.objects.filter(job_id=job_id).order_by("id")
    return entries.values_list("sent_at", flat=True).first()


@transaction.atomic
def _job_of_upload(video_id: int) -> VideoJob:
    video = Video.objects.select_for_update().get(pk=video_id)
    job = _open_job(video) or _ended_job(video)
    if job is not None:
        return job
    _refuse_finished(video)
    return _new_job(video)


@transaction.atomic
def _job_of_retry(video_id: int) -> VideoJob:
    video = Video.objects.select_for_update().get(pk=video_id)
    job = _open_job(video)
    if job is not None:
        raise Conflict("JOB_OPEN", _OPEN.format(state=job.state))
    if video.original_deleted_at is not None:
        raise Conflict("ORIGINAL_GONE", _ORIGINAL_GONE)
    return _new_job(video)


def _new_job(video: Video) -> VideoJob:
    """UPLOADED, QUEUED, and the message: all or nothing, under the video's row lock."""
    Video.objects.filter(pk=video.pk).update(
        state=VideoState.UPLOADED, error_code="", error_message="", updated_at=Now()
    )
    job = VideoJob.objects.create(video=video, tenant_id=video.tenant_id)
    job.refresh_from_db()
    outbox.write_video(job, video.file_key)
    transaction.on_commit(partial(answers.forget_video, video.tenant_id, video.pk))
    return job


def _open_job(video: Video) -> VideoJob | None:
    return video.jobs.filter(state__in=OPEN_JOB_STATES).first()


def _ended_job(video: Video) -> VideoJob | None:
    """The newest job of a video that was done with."""
    return latest_job(video) if video.state in _FINISHED_STATES else None


def _has_message_to_send(job: VideoJob) -> bool:
    unsent = OutboxEntry.objects.filter(job_id=job.pk, sent_at=None)
    return unsent.exists() or lost_messages.write_again(VIDEO_JOBS, job.pk)


def _refuse_finished(video: Video) -> None:
    if video.state in _FINISHED_STATES:
        raise Conflict("WRONG_STATE", _FINISHED.format(state=video.state))


def _deliver(job: VideoJob, send: outbox.Send) -> None:
    try:
        outbox.deliver_job(job.pk, send)
    except outbox.QueueUnavailable as error:
        raise QueueRefused from error

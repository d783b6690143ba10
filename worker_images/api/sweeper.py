"""Jobs whose worker is gone: put back, or given up. The operator's means, on purpose only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from config.contracts.states import VideoJobState
from worker_images.api import outbox
from worker_images.api.errors import Conflict
from worker_images.api.models import VideoJob
from worker_images.base.logging import logger
from worker_images.base.status import PostgresStatus

_log = logger("sweeper")
_BATCH = 500
_ATTEMPTS_USED = "처리 서버가 반복해서 중단되어 작업을 종료했습니다. 재처리를 요청해 주세요."
_MARKED = "운영자가 작업을 종료했습니다. 재처리를 요청해 주세요."
_RUNNING = "실행 중인 작업은 종료할 수 없습니다."


@dataclass(frozen=True)
class Scan:
    """How many stuck jobs were put back, and how many given up."""

    recovered: int
    dead: int


def scan_stuck(threshold_s: float, attempts: int, send: outbox.Send) -> Scan:
    """Put back RUNNING jobs whose lease ended `threshold_s` ago; DEAD once `attempts` are used.

    A queue that refuses leaves the message to the relay: the job is put back all the same.
    """
    limit = Now() - timedelta(seconds=threshold_s)
    stuck = VideoJob.objects.filter(state=VideoJobState.RUNNING, lease_expires_at__lte=limit)
    recovered = dead = 0
    for job_id in stuck.order_by("lease_expires_at").values_list("pk", flat=True)[:_BATCH]:
        outcome = _settle(job_id, threshold_s, attempts)
        recovered += outcome == VideoJobState.QUEUED
        dead += outcome == VideoJobState.DEAD
        if outcome is not None:
            _log.warning("stuck job settled", job_id=str(job_id), state=outcome.value)
        if outcome == VideoJobState.QUEUED:
            _send(job_id, send)
    return Scan(recovered, dead)


def mark_dead(job: VideoJob) -> bool:
    """Mark an open job DEAD and its video FAILED; False when the job had ended before.

    Raises: Conflict while a worker runs it.
    """
    status = PostgresStatus(connection.cursor)
    if status.mark_dead(str(job.pk), "MARKED_DEAD", _MARKED):
        _log.warning("job marked dead", job_id=str(job.pk))
        return True
    facts = status.facts(str(job.pk))
    if facts is not None and facts.open:
        raise Conflict("JOB_RUNNING", _RUNNING)
    return False


@transaction.atomic
def _settle(job_id: UUID, threshold_s: float, attempts: int) -> VideoJobState | None:
    status = PostgresStatus(connection.cursor)
    facts = status.facts(str(job_id))
    if facts is None or facts.state != VideoJobState.RUNNING:
        return None
    if facts.attempts_used >= attempts:
        ended = status.mark_dead(str(job_id), "ATTEMPTS_USED", _ATTEMPTS_USED)
        return VideoJobState.DEAD if ended else None
    if not status.requeue_expired(str(job_id), threshold_s):
        return None
    job = VideoJob.objects.select_related("video").get(pk=job_id)
    outbox.write_video(job, job.video.file_key)
    return VideoJobState.QUEUED


def _send(job_id: UUID, send: outbox.Send) -> None:
    try:
        outbox.deliver_job(job_id, send)
    except outbox.QueueUnavailable as error:
        _log.warning("queue refused, left to the relay", job_id=str(job_id), error=str(error))

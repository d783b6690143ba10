"""Messages that are written with their cause, in one transaction, and sent afterwards.

A row is sent by whoever locks it first: the request that wrote it, a repeated request, or the
relay. A crash between sending and marking sends it twice; a job's claim makes that harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from config.contracts.messages import VideoJob as VideoJobMessage
from config.contracts.messages import encode
from worker_images.api.models import OutboxEntry, VideoJob
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS

#: Takes a queue key and a body; raises QueueUnavailable.
Send = Callable[[str, str], None]
VIDEO_QUEUE = "video"
#: A sent message is of use while its job is open, and tells a while longer when it was sent.
KEPT_DAYS = 30
_FORGET_BATCH = 1000
_NOT_OPEN = " AND ".join(
    f"NOT EXISTS (SELECT FROM {kind.table} j WHERE j.id = m.job_id AND j.state IN"
    f" ({', '.join(repr(str(state)) for state in kind.open)}))"
    for kind in (VIDEO_JOBS, AI_JOBS, TEXTS)
)
#: The oldest have the lowest ids.
_FORGET = f"""
DELETE FROM outbox WHERE id = ANY(ARRAY(
    SELECT m.id FROM outbox m
    WHERE m.sent_at < now() - make_interval(days => %(days)s) AND {_NOT_OPEN}
    ORDER BY m.id LIMIT %(batch)s
))
"""  # noqa: S608 - built from constants
_ERROR_CHARACTERS = 500


class QueueUnavailable(Exception):  # noqa: N818 - a state of the queue, not of the caller
    """The queue took no message; the text says why."""


def write(queue: str, body: str, job_id: UUID) -> OutboxEntry:
    """Write the message that hands a job to a worker. Call it in the job's own transaction."""
    return OutboxEntry.objects.create(queue=queue, body=body, job_id=job_id)


def write_video(job: VideoJob, file_key: str) -> OutboxEntry:
    """Write the message of a video job, as `write` does."""
    message = VideoJobMessage(
        job_id=str(job.pk), video_id=job.video_id, tenant_id=job.tenant_id, file_key=file_key
    )
    return write(VIDEO_QUEUE, encode(message), job.pk)


def write_again(job_id: UUID) -> bool:
    """Write a job's newest message once more; False when it never had one."""
    newest = OutboxEntry.objects.filter(job_id=job_id).order_by("-id").first()
    if newest is None:
        return False
    write(newest.queue, newest.body, job_id)
    return True


def deliver_job(job_id: UUID, send: Send) -> None:
    """Send what is still unsent for a job; waits while another process is sending it.

    Raises: QueueUnavailable; the rows stay.
    """
    pending = OutboxEntry.objects.filter(job_id=job_id, sent_at=None).order_by("id")
    while _deliver_one(pending.select_for_update(), send):
        pass


def deliver_next(send: Send) -> bool:
    """Send one pending message that nobody else is sending; False when there is none.

    Messages that were refused come after those that were not, so that one the queue never takes
    does not hold up the rest.

    Raises: QueueUnavailable; the row stays, with the error and one more attempt on it.
    """
    pending = OutboxEntry.objects.filter(sent_at=None).order_by("attempts", "id")
    return _deliver_one(pending.select_for_update(skip_locked=True), send)


def forget_sent(days: int = KEPT_DAYS) -> int:
    """Delete messages sent `days` days ago, but for those of open jobs; return how many."""
    total, deleted = 0, _FORGET_BATCH
    while deleted == _FORGET_BATCH:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, {"days": days, "batch": _FORGET_BATCH})
            deleted = cursor.rowcount
        total += deleted
    return total


def _deliver_one(locked: QuerySet[OutboxEntry], send: Send) -> bool:
    refusal: QueueUnavailable | None = None
    with transaction.atomic():
        entry = locked.first()
        if entry is None:
            return False
        row = OutboxEntry.objects.filter(pk=entry.pk)
        try:
            send(entry.queue, entry.body)
        except QueueUnavailable as error:
            refusal = error
            row.update(attempts=F("attempts") + 1, last_error=str(error)[:_ERROR_CHARACTERS])
        else:
            row.update(attempts=F("attempts") + 1, last_error="", sent_at=Now())
    if refusal is not None:
        raise refusal
    return True

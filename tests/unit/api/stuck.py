"""Jobs of every kind as the API writes them, and made as old as a test wants."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from config.contracts.ai_jobs import OCR, Tier
from worker_images.api import ai_jobs, outbox, texts
from worker_images.api.models import AiJob, OutboxEntry, TextMessage, Video, VideoJob
from worker_images.base.job_kinds import AI_JOBS, TEXTS, VIDEO_JOBS, JobKind

MODELS: dict[str, Any] = {"video_jobs": VideoJob, "ai_jobs": AiJob, "text_messages": TextMessage}
KINDS = (VIDEO_JOBS, AI_JOBS, TEXTS)


def add(kind: JobKind, **columns: object) -> Any:
    """A job of this kind whose message has been sent; `columns` are set on its row."""
    job = {"video_jobs": _video, "ai_jobs": _ai, "text_messages": _text}[kind.table]()
    OutboxEntry.objects.filter(job_id=job.pk).update(sent_at=Now())
    if columns:
        type(job).objects.filter(pk=job.pk).update(**columns)
    job.refresh_from_db()
    return job


def age(job: Any, seconds: float) -> None:
    """Let everything of a job have happened so much earlier."""
    earlier = timedelta(seconds=seconds)
    for table, column in ((job._meta.db_table, "id"), ("outbox", "job_id")):
        names = ("created_at", "updated_at", "started_at", "lease_expires_at", "sent_at")
        present = {field.column for field in _model(table)._meta.fields}
        changes = ", ".join(f"{name} = {name} - %(earlier)s" for name in names if name in present)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {changes} WHERE {column} = %(id)s",  # noqa: S608 - ours
                {"earlier": earlier, "id": job.pk},
            )


def lease(seconds: float) -> dict[str, object]:
    """The column of a lease that ends in so many seconds."""
    return {"lease_expires_at": timezone.now() + timedelta(seconds=seconds)}


def messages(job: Any) -> int:
    """How many messages a job has had."""
    return OutboxEntry.objects.filter(job_id=job.pk).count()


def _model(table: str) -> Any:
    return OutboxEntry if table == "outbox" else MODELS[table]


def _video() -> VideoJob:
    video = Video.objects.create(tenant_id=1, file_key=uuid.uuid4().hex, state="PROCESSING")
    job = VideoJob.objects.create(video=video, tenant_id=1)
    job.refresh_from_db()
    outbox.write_video(job, video.file_key)
    return job


def _ai() -> AiJob:
    return ai_jobs.create(ai_jobs.Submission(tenant_id=1, job_type=OCR, tier=Tier.LITE, payload={}))


def _text() -> TextMessage:
    text = TextMessage.objects.create(
        tenant_id=1, recipient="01012345678", sender="0212345678", text="안녕", mode="sms"
    )
    text.refresh_from_db()
    texts.write_messages([text])
    return text

"""Jobs of the AI fleet: a row and its message in one transaction, and how a job is shown.

    job = ai_jobs.submit(Submission(tenant_id=1, job_type=OCR, tier=Tier.LITE, payload={...}), send)

A submission with a `dedupe_key` is idempotent: the same call answers the job that it made, and
after a 503 it sends the message that the queue refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import QuerySet

from config.contracts.ai_jobs import TIER_QUEUES, Tier, encode_ai_job
from config.contracts.ai_jobs import AiJob as AiJobMessage
from config.contracts.states import OPEN_AI_JOB_STATES, AiJobState
from worker_images.api import outbox
from worker_images.api.errors import QueueRefused
from worker_images.api.models import AiJob

_FAILED = (AiJobState.FAILED, AiJobState.REJECTED_BAD_INPUT)


class JobQueueRefused(QueueRefused):
    """503: the job and its message are kept, and the same call sends it once more."""

    default_detail = "작업 큐 등록 실패(SQS). 같은 요청을 다시 보내면 이어서 처리됩니다."


@dataclass(frozen=True)
class Submission:
    """What a caller wants done.

    `dedupe_key` makes calls the same call; "" makes every call its own. A finished job is answered
    again, unless `repeatable`: then a call after the job's end is a new job. Failed jobs are never
    answered again.
    """

    tenant_id: int
    job_type: str
    tier: Tier
    payload: Mapping[str, Any]
    source_domain: str = ""
    source_id: str = ""
    dedupe_key: str = ""
    repeatable: bool = False
    job_id: UUID = field(default_factory=uuid4)


def submit(submission: Submission, send: outbox.Send) -> AiJob:
    """Return the job of a submission, its message sent.

    Raises: JobQueueRefused when the queue is down, with job and message kept.
    """
    job = create(submission)
    deliver(job, send)
    return job


def current(tenant_id: int, dedupe_key: str, *, repeatable: bool) -> AiJob | None:
    """Return the job that a call with this key is answered with, None when it makes its own."""
    jobs = _same(tenant_id, dedupe_key).exclude(state__in=_FAILED)
    return (jobs.filter(state__in=OPEN_AI_JOB_STATES) if repeatable else jobs).first()


@transaction.atomic
def create(submission: Submission) -> AiJob:
    """Return the current job of the key, or write a new one with its message.

    Calls with one key wait for each other, so that one of them writes.
    """
    if submission.dedupe_key:
        _lock(submission)
        found = current(
            submission.tenant_id, submission.dedupe_key, repeatable=submission.repeatable
        )
        if found is not None:
            return found
        # The key passes on to the new job; failed jobs keep theirs.
        _same(submission.tenant_id, submission.dedupe_key).exclude(state__in=_FAILED).update(
            dedupe_key=""
        )
    return _write(submission)


def deliver(job: AiJob, send: outbox.Send) -> None:
    """Send what is unsent of a job. Raises: JobQueueRefused."""
    try:
        outbox.deliver_job(job.pk, send)
    except outbox.QueueUnavailable as error:
        raise JobQueueRefused from error


def describe(job: AiJob) -> dict[str, object]:
    """Return a job as the API shows it; its payload is nobody's to read."""
    return {
        "job_id": str(job.pk),
        "job_type": job.job_type,
        "status": job.state,
        "result": job.result,
        "error_message": job.error_message,
        "progress": {
            "percent": job.percent,
            "step": job.step,
            "seconds_left": job.seconds_left,
        },
    }


def _same(tenant_id: int, dedupe_key: str) -> QuerySet[AiJob]:
    return AiJob.objects.filter(tenant_id=tenant_id, dedupe_key=dedupe_key)


def _lock(submission: Submission) -> None:
    """Hold the key until the transaction ends.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    name = f"ai_jobs:{submission.tenant_id}:{submission.dedupe_key}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _write(submission: Submission) -> AiJob:
    job = AiJob.objects.create(
        id=submission.job_id,
        tenant_id=submission.tenant_id,
        job_type=submission.job_type,
        tier=submission.tier.value,
        payload=dict(submission.payload),
        source_domain=submission.source_domain,
        source_id=submission.source_id,
        dedupe_key=submission.dedupe_key,
    )
    job.refresh_from_db()
    message = AiJobMessage(
        job_id=str(job.pk),
        job_type=job.job_type,
        tier=job.tier,
        payload=job.payload,
        tenant_id=job.tenant_id,
        source_domain=job.source_domain,
        source_id=job.source_id,
        created_at=job.created_at.isoformat(),
    )
    outbox.write(TIER_QUEUES[submission.tier], encode_ai_job(message), job.pk)
    return job

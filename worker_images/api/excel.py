"""Rosters that are enrolled, and exports, as jobs of the AI fleet."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from config.contracts import spreadsheets
from config.contracts.ai_jobs import (
    ATTENDANCE_EXCEL_EXPORT,
    EXCEL_PARSING,
    STAFF_EXCEL_EXPORT,
    Tier,
)
from config.contracts.excel_jobs import (
    AttendanceExportPayload,
    EnrolmentPayload,
    OnError,
    StaffExportPayload,
    encode_payload,
)
from config.contracts.states import AiJobState
from config.contracts.storage_keys import NO_CACHE, excel_upload_key
from worker_images.api import ai_jobs, outbox
from worker_images.api.ai_jobs import Submission
from worker_images.api.models import AiJob, Lecture
from worker_images.base.storage import Storage

JOB_TYPES = (EXCEL_PARSING, ATTENDANCE_EXCEL_EXPORT, STAFF_EXCEL_EXPORT)
_EXPORTS = (ATTENDANCE_EXCEL_EXPORT, STAFF_EXCEL_EXPORT)
#: An export's link; the bucket's rule deletes the file after a day.
DOWNLOAD_MAX_AGE_S = 3600
EXPORT_KEPT = timedelta(days=1)
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Roster:
    """What a teacher uploads. `password` is the one that new students get."""

    lecture: Lecture
    session_id: int | None
    password: str
    on_error: OnError
    file: BinaryIO


def enrol(roster: Roster, storage: Storage, send: outbox.Send) -> AiJob:
    """Return the job that enrols a roster, its file uploaded and its message sent.

    The same file for the same lecture, session and choice is the same call: while its job is open
    it is answered with that job. After the job's end it is a job of its own, which creates nothing
    that is there already, and brings back what was deleted since.

    Raises: ai_jobs.JobQueueRefused when the queue is down: the same call then sends the same job.
    """
    tenant_id = roster.lecture.tenant_id
    key = _dedupe_key(roster)
    job = ai_jobs.current(tenant_id, key, repeatable=True)
    if job is None:
        job = _new_job(roster, key, storage)
    ai_jobs.deliver(job, send)
    return job


def export_attendance(lecture: Lecture, send: outbox.Send) -> AiJob:
    """Return the job that writes who attended a lecture. Raises: ai_jobs.JobQueueRefused."""
    payload = AttendanceExportPayload(lecture.tenant_id, lecture.pk)
    submission = Submission(
        tenant_id=lecture.tenant_id,
        job_type=ATTENDANCE_EXCEL_EXPORT,
        tier=Tier.BASIC,
        payload=encode_payload(payload),
        source_domain="lecture",
        source_id=str(lecture.pk),
        dedupe_key=f"{ATTENDANCE_EXCEL_EXPORT}:{lecture.pk}",
        repeatable=True,
    )
    return ai_jobs.submit(submission, send)


def export_staff(tenant_id: int, send: outbox.Send) -> AiJob:
    """Return the job that writes a tenant's staff. Raises: ai_jobs.JobQueueRefused."""
    submission = Submission(
        tenant_id=tenant_id,
        job_type=STAFF_EXCEL_EXPORT,
        tier=Tier.BASIC,
        payload=encode_payload(StaffExportPayload(tenant_id)),
        source_domain="tenant",
        source_id=str(tenant_id),
        dedupe_key=STAFF_EXCEL_EXPORT,
        repeatable=True,
    )
    return ai_jobs.submit(submission, send)


def describe(job: AiJob, storage: Storage) -> dict[str, object]:
    """Return a job as the API shows it; a finished export has a link while its file is kept."""
    shown = ai_jobs.describe(job)
    if job.job_type in _EXPORTS and job.state == AiJobState.DONE:
        shown["result"] = {**job.result, "download_url": _download_url(job, storage)}
    return shown


def _download_url(job: AiJob, storage: Storage) -> str | None:
    if timezone.now() >= job.finished_at + EXPORT_KEPT:
        return None
    return storage.presign_get(job.result["file_key"], expires_s=DOWNLOAD_MAX_AGE_S)


def _dedupe_key(roster: Roster) -> str:
    """The password is left out: a digest of a short one in the database would give it away."""
    digest = hashlib.sha256()
    roster.file.seek(0)
    while block := roster.file.read(_BLOCK_BYTES):
        digest.update(block)
    options = f"{roster.lecture.pk}:{roster.session_id or ''}:{roster.on_error}"
    return f"{EXCEL_PARSING}:{options}:{digest.hexdigest()}"


def _new_job(roster: Roster, dedupe_key: str, storage: Storage) -> AiJob:
    """Upload the file, then write the job; a call that its like overtook takes its file back.

    When the row cannot be written the file stays, since it may have been written: rosters.py.
    """
    job_id, tenant_id = uuid4(), roster.lecture.tenant_id
    payload = EnrolmentPayload(
        file_key=excel_upload_key(tenant_id, job_id.hex),
        bucket=settings.API.excel_bucket,
        tenant_id=tenant_id,
        lecture_id=roster.lecture.pk,
        initial_password=make_password(roster.password),
        session_id=roster.session_id,
        on_error=roster.on_error,
    )
    submission = Submission(
        job_id=job_id,
        tenant_id=tenant_id,
        job_type=EXCEL_PARSING,
        tier=Tier.BASIC,
        payload=encode_payload(payload),
        source_domain="lecture",
        source_id=str(roster.lecture.pk),
        dedupe_key=dedupe_key,
        repeatable=True,
    )
    _upload(roster.file, payload.file_key, storage)
    job = ai_jobs.create(submission)
    if job.pk != job_id:
        storage.delete(payload.file_key)
    return job


def _upload(file: BinaryIO, key: str, storage: Storage) -> None:
    file.seek(0)
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        storage.put_file(
            key, Path(copy.name), content_type=spreadsheets.CONTENT_TYPE, cache_control=NO_CACHE
        )

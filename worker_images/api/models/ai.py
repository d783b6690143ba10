"""Jobs of the AI fleet: recognition, grading, spreadsheets, subtitles."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from config.contracts.states import OPEN_AI_JOB_STATES, AiJobState
from worker_images.api.models.leased import LeasedJob


class AiJob(LeasedJob):
    """One job of the AI fleet. `payload` is what its message carries, `result` what it answered.

    `source_domain` and `source_id` name what the job is about, such as `lecture` and its id.
    Two open or finished jobs of a tenant never share a `dedupe_key`; an empty one is nobody's.
    """

    tenant_id = models.BigIntegerField()
    job_type = models.TextField()
    tier = models.TextField()
    payload = models.JSONField()
    source_domain = models.TextField(db_default="")
    source_id = models.TextField(db_default="")
    dedupe_key = models.TextField(db_default="")
    state = models.TextField(db_default=AiJobState.PENDING.value)
    result = models.JSONField(null=True)

    class Meta:
        db_table = "ai_jobs"
        indexes: ClassVar = [
            models.Index(
                fields=["state", "lease_expires_at"],
                condition=models.Q(state__in=[state.value for state in OPEN_AI_JOB_STATES]),
                name="ai_job_open",
            ),
            models.Index(
                fields=["-finished_at"],
                condition=models.Q(state=AiJobState.DONE.value, attempt=1),
                name="ai_job_first_try",
            ),
            models.Index(fields=["tenant_id", "-created_at"], name="ai_job_tenant"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant_id", "dedupe_key"],
                condition=~models.Q(dedupe_key="")
                & ~models.Q(
                    state__in=[AiJobState.FAILED.value, AiJobState.REJECTED_BAD_INPUT.value]
                ),
                name="ai_job_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in AiJobState]),
                name="ai_job_state_known",
            ),
        ]

"""Videos, their jobs, and the parts that a job has encoded."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from config.contracts.states import OPEN_JOB_STATES, VideoJobState, VideoState
from worker_images.api.models.leased import LeasedJob


class Video(models.Model):
    """A lecture video of one tenant. `file_key` is the original's key in the video bucket.

    `original_deleted_at` is set where the API deletes originals itself, see originals.py.
    """

    tenant_id = models.BigIntegerField()
    title = models.TextField(db_default="")
    file_key = models.TextField(unique=True)
    content_type = models.TextField(db_default="")
    state = models.TextField(db_default=VideoState.PENDING.value)
    error_code = models.TextField(db_default="")
    error_message = models.TextField(db_default="")
    duration_s = models.FloatField(null=True)
    original_deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "videos"
        indexes: ClassVar = [models.Index(fields=["tenant_id", "-created_at"], name="video_tenant")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in VideoState]),
                name="video_state_known",
            )
        ]


class VideoJob(LeasedJob):
    """One encoding of a video."""

    video = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="jobs")
    tenant_id = models.BigIntegerField()
    state = models.TextField(db_default=VideoJobState.QUEUED.value)

    class Meta:
        db_table = "video_jobs"
        indexes: ClassVar = [
            models.Index(
                fields=["state", "lease_expires_at"],
                condition=models.Q(state__in=[state.value for state in OPEN_JOB_STATES]),
                name="video_job_open",
            ),
            models.Index(
                fields=["-finished_at"],
                condition=models.Q(state=VideoJobState.SUCCEEDED.value, attempt=1),
                name="video_job_first_try",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["video"],
                condition=models.Q(state__in=[state.value for state in OPEN_JOB_STATES]),
                name="video_job_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in VideoJobState]),
                name="video_job_state_known",
            ),
        ]


class VideoPart(models.Model):
    """A part that a job has encoded and uploaded; the next worker of the job goes on behind it.

    `plan` is the digest of everything the part's bytes depend on; `facts` is what the playlists
    need of it, see worker_images.video.
    """

    job = models.ForeignKey(VideoJob, on_delete=models.CASCADE, related_name="parts")
    plan = models.TextField()
    part = models.IntegerField()
    facts = models.JSONField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "video_parts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "plan", "part"], name="video_part_once"),
        ]

"""The tables. Workers write them with the plain SQL of worker_images.base.status.

Every default is the database's own, so that a raw INSERT may leave a column out. Text columns are
never NULL: an empty string means none.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now

from config.contracts.states import OPEN_JOB_STATES, VideoJobState, VideoState


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


class VideoJob(models.Model):
    """One encoding of a video. `attempt` is the fencing token, see base.status."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID())
    video = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="jobs")
    tenant_id = models.BigIntegerField()
    state = models.TextField(db_default=VideoJobState.QUEUED.value)
    attempt = models.IntegerField(db_default=0)
    hand_backs = models.IntegerField(db_default=0)
    worker_id = models.TextField(db_default="")
    lease_expires_at = models.DateTimeField(null=True)
    percent = models.FloatField(db_default=0.0)
    step = models.TextField(db_default="")
    seconds_left = models.FloatField(null=True)
    error_code = models.TextField(db_default="")
    error_message = models.TextField(db_default="")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "video_jobs"
        indexes: ClassVar = [
            models.Index(
                fields=["state", "lease_expires_at"],
                condition=models.Q(state__in=[state.value for state in OPEN_JOB_STATES]),
                name="video_job_open",
            )
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


class OutboxEntry(models.Model):
    """A message that must reach a queue. `queue` is a key of config.contracts.queues."""

    queue = models.TextField()
    body = models.TextField()
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(db_default=0)
    last_error = models.TextField(db_default="")

    class Meta:
        db_table = "outbox"
        indexes: ClassVar = [
            models.Index(
                fields=["attempts", "id"],
                condition=models.Q(sent_at__isnull=True),
                name="outbox_pending",
            ),
            models.Index(fields=["job_id"], name="outbox_job"),
        ]


class Release(models.Model):
    """A release whose migrations have run, see management/commands/migrate_once."""

    tag = models.TextField(primary_key=True)
    migrated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "releases"

"""The columns of every table whose rows are jobs that workers claim."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now


class LeasedJob(models.Model):
    """A job that one worker at a time holds. `attempt` is the fencing token, see base.status."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID())
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
        abstract = True

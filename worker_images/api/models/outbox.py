"""Messages on their way to a queue."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


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

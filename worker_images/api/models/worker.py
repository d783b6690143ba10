"""The workers, as each of them says of itself."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from config.contracts.fleet_facts import WorkerState


class Worker(models.Model):
    """An instance that takes jobs of one kind: video, ai or messaging.

    The worker writes its row when it starts, when it changes, and every SIGN_EVERY_S seconds
    (`seen_at`). `jobs` run in it, `version` is its launch template's. `spot_notice_at` is when
    it was told that its Spot instance is taken back. A jobs row's `worker_id` begins with
    `instance_id`.
    """

    instance_id = models.TextField(primary_key=True)
    kind = models.TextField()
    state = models.TextField()
    jobs = models.IntegerField(db_default=0)
    version = models.TextField(db_default="")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    spot_notice_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "workers"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in WorkerState]),
                name="worker_state_known",
            ),
        ]

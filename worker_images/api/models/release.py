"""What was deployed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Release(models.Model):
    """A release whose migrations have run, see management/commands/migrate_once."""

    tag = models.TextField(primary_key=True)
    migrated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "releases"

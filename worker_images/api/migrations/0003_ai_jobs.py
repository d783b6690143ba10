import django.contrib.postgres.functions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0002_original_deleted_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="AiJob",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("attempt", models.IntegerField(db_default=0)),
                ("hand_backs", models.IntegerField(db_default=0)),
                ("worker_id", models.TextField(db_default="")),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("percent", models.FloatField(db_default=0.0)),
                ("step", models.TextField(db_default="")),
                ("seconds_left", models.FloatField(null=True)),
                ("error_code", models.TextField(db_default="")),
                ("error_message", models.TextField(db_default="")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("tenant_id", models.BigIntegerField()),
                ("job_type", models.TextField()),
                ("tier", models.TextField()),
                ("payload", models.JSONField()),
                ("source_domain", models.TextField(db_default="")),
                ("source_id", models.TextField(db_default="")),
                ("dedupe_key", models.TextField(db_default="")),
                ("state", models.TextField(db_default="PENDING")),
                ("result", models.JSONField(null=True)),
            ],
            options={
                "db_table": "ai_jobs",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("state__in", ["PENDING", "VALIDATING", "RUNNING", "RETRYING"])
                        ),
                        fields=["state", "lease_expires_at"],
                        name="ai_job_open",
                    ),
                    models.Index(fields=["tenant_id", "-created_at"], name="ai_job_tenant"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("dedupe_key", ""), _negated=True),
                            models.Q(
                                ("state__in", ["FAILED", "REJECTED_BAD_INPUT"]), _negated=True
                            ),
                        ),
                        fields=("tenant_id", "dedupe_key"),
                        name="ai_job_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "PENDING",
                                    "VALIDATING",
                                    "RUNNING",
                                    "DONE",
                                    "FAILED",
                                    "RETRYING",
                                    "REJECTED_BAD_INPUT",
                                    "REVIEW_REQUIRED",
                                ],
                            )
                        ),
                        name="ai_job_state_known",
                    ),
                ],
            },
        ),
    ]

import django.contrib.postgres.functions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0003_ai_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProviderCircuit",
            fields=[
                ("provider", models.TextField(primary_key=True, serialize=False)),
                ("failures", models.IntegerField(db_default=0)),
                ("open_until", models.DateTimeField(null=True)),
                ("alerted_at", models.DateTimeField(null=True)),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "provider_circuits",
            },
        ),
        migrations.CreateModel(
            name="TextMessage",
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
                ("idempotency_key", models.TextField(db_default="")),
                ("reservation_id", models.TextField(db_default="")),
                ("recipient", models.TextField()),
                ("sender", models.TextField()),
                ("text", models.TextField()),
                ("mode", models.TextField()),
                ("template_id", models.TextField(db_default="")),
                ("replacements", models.JSONField(db_default=models.Value({}, models.JSONField()))),
                ("send_at", models.DateTimeField(null=True)),
                ("state", models.TextField(db_default="QUEUED")),
                ("channel", models.TextField(db_default="")),
                ("provider", models.TextField(db_default="")),
                ("provider_reference", models.TextField(db_default="")),
            ],
            options={
                "db_table": "text_messages",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["SCHEDULED", "QUEUED"])),
                        fields=["send_at"],
                        name="text_timed",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["SCHEDULED", "QUEUED", "SENDING"])),
                        fields=["state", "lease_expires_at"],
                        name="text_open",
                    ),
                    models.Index(fields=["tenant_id", "reservation_id"], name="text_reservation"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("idempotency_key", ""), _negated=True),
                        fields=("tenant_id", "idempotency_key"),
                        name="text_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "SCHEDULED",
                                    "QUEUED",
                                    "SENDING",
                                    "SENT",
                                    "FAILED",
                                    "UNKNOWN",
                                    "CANCELLED",
                                ],
                            )
                        ),
                        name="text_state_known",
                    ),
                ],
            },
        ),
    ]

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    # Its table and its indexes are new: the code of the release before does not know them. An index
    # is built under a lock that lets reads through and holds writes up, some 0.4 s a million rows.
    forbids_rollback = False

    dependencies = [
        ("api", "0006_video_parts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("instance_id", models.TextField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("state", models.TextField()),
                ("jobs", models.IntegerField(db_default=0)),
                ("version", models.TextField(db_default="")),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("spot_notice_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "workers",
            },
        ),
        migrations.AddIndex(
            model_name="aijob",
            index=models.Index(
                condition=models.Q(("attempt", 1), ("state", "DONE")),
                fields=["-finished_at"],
                name="ai_job_first_try",
            ),
        ),
        migrations.AddIndex(
            model_name="textmessage",
            index=models.Index(
                condition=models.Q(("attempt", 1), ("state", "SENT")),
                fields=["-finished_at"],
                name="text_first_try",
            ),
        ),
        migrations.AddIndex(
            model_name="videojob",
            index=models.Index(
                condition=models.Q(("attempt", 1), ("state", "SUCCEEDED")),
                fields=["-finished_at"],
                name="video_job_first_try",
            ),
        ),
        migrations.AddConstraint(
            model_name="worker",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["idle", "busy", "draining", "leaving"])),
                name="worker_state_known",
            ),
        ),
    ]

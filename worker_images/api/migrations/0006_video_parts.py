import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    # Its tables are new: the code of the release before writes nothing there.
    forbids_rollback = False

    dependencies = [
        ("api", "0005_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="VideoPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("plan", models.TextField()),
                ("part", models.IntegerField()),
                ("facts", models.JSONField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="api.videojob",
                    ),
                ),
            ],
            options={
                "db_table": "video_parts",
            },
        ),
        migrations.AddConstraint(
            model_name="videopart",
            constraint=models.UniqueConstraint(
                fields=("job", "plan", "part"), name="video_part_once"
            ),
        ),
    ]

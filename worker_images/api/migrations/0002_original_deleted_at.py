from django.db import migrations, models


class Migration(migrations.Migration):
    """Additive: the release before this one neither reads nor writes the column."""

    dependencies = [("api", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="video",
            name="original_deleted_at",
            field=models.DateTimeField(null=True),
        ),
    ]

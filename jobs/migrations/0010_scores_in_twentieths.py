import jobs.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    # Of a wide range a hundredth of the scores were as many index ranges as made a page slow.
    dependencies = [("jobs", "0009_text_of_paths")]

    operations = [
        migrations.RemoveIndex(model_name="sample", name="sample_percent"),
        migrations.AddIndex(
            model_name="sample",
            index=models.Index(
                models.F("job"),
                jobs.expressions.Twentieth("top_score"),
                models.F("id"),
                condition=models.Q(("trashed_at__isnull", True), ("top_score__isnull", False)),
                name="sample_twentieth",
            ),
        ),
    ]

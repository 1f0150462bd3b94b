from django.db import migrations

from labelhub.migrations_sql import in_byte_order


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_trash_hard_examples_and_views")]

    operations = [in_byte_order("jobs_sample", "path")]

from django.db import migrations

from labelhub.migrations_sql import in_byte_order


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_storages_and_synchronization")]

    operations = [in_byte_order("datasets_image", "path")]

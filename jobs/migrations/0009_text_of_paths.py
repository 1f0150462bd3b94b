from django.db import migrations

from jobs import text_index


def create(apps, schema_editor) -> None:  # noqa: ARG001
    text_index.create(schema_editor.connection)


def drop(apps, schema_editor) -> None:  # noqa: ARG001
    text_index.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0008_filters_and_orders")]

    operations = [migrations.RunPython(create, drop)]

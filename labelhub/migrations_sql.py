"""Operations of migrations that are the same in several apps."""

from django.db import migrations


def in_byte_order(table: str, column: str) -> migrations.RunPython:
    """Has PostgreSQL compare a text column by its bytes, as SQLite does and as storages list.

    A synchronization walks rows and listing side by side, and an index answers what begins with
    a folder.
    """

    def alter(collation: str):
        def run(apps, schema_editor) -> None:  # noqa: ARG001
            if schema_editor.connection.vendor == "postgresql":
                sql = f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar(1024) {collation}"
                schema_editor.execute(sql)

        return run

    return migrations.RunPython(alter('COLLATE "C"'), alter('COLLATE "default"'))

"""The README tells every setting, as the code has it."""

from pathlib import Path

from labelhub.management.commands.settings_table import table

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_readme_holds_the_table_of_settings():
    rows = [row for row in table().splitlines() if "LABELHUB_" in row]
    assert len(rows) > 20

    text = README.read_text()

    assert [row for row in rows if row not in text] == []
    assert text.count("| `LABELHUB_") == len(rows)

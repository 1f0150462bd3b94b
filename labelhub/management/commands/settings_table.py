"""Writes the table of settings for the README, from the lines of labelhub/settings.py."""

from django.core.management.base import BaseCommand

from labelhub.env import SETTINGS


def table() -> str:
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for setting in SETTINGS.values():
        default = f"`{setting.default}`" if setting.default else ""
        rows.append(f"| `{setting.name}` | {default} | {setting.meaning} |")
    return "\n".join(rows)


class Command(BaseCommand):
    help = "Prints the table of settings, in Markdown."
    requires_system_checks: list[str] = []

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        self.stdout.write(table())

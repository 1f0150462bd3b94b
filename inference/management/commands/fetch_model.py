"""Installs the model that suggests labels; see inference/weights.py."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference import weights


class Command(BaseCommand):
    help = "Installs the model PPLCNetV2, from a file or folder or else by downloading it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source", nargs="?", type=Path, help="a wheel, tar, zip or folder that holds the model"
        )
        parser.add_argument(
            "--from", dest="given", type=Path, metavar="PATH", help="the same, by name"
        )

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        source = options["given"] or options["source"]
        try:
            weights.install(model_dir=settings.MODEL_DIR, source=source, report=self.stdout.write)
        except weights.WeightsError as error:
            raise CommandError(str(error)) from error

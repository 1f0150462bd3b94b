"""Runs the model server: the one process (with its children) that imports Paddle."""

import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from inference.server.main import serve


class Command(BaseCommand):
    help = "Runs the model server until it is told to stop."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        code = serve(
            model_dir=settings.MODEL_DIR,
            host=options["host"],
            port=settings.MODEL_SERVER_PORT,
            processes=settings.MODEL_PROCESSES,
            numeric_mode=settings.MODEL_NUMERIC_MODE,
            max_pixels=settings.MAX_IMAGE_PIXELS,
        )
        sys.exit(code)

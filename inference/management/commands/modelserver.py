"""Runs the model server: the one process (with its children) that imports Paddle."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from inference.server.main import serve

# Paddle needs GNU OpenMP, which a bare Debian lacks. It brings Intel's, which has the same entry
# points and serves under that name where there is no other.
GNU_OPENMP, INTEL_OPENMP = "libgomp.so.1", "libs/libiomp5.so"


class Command(BaseCommand):
    help = "Runs the model server until it is told to stop."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")

    def handle(self, *args, **options) -> None:  # noqa: ARG002
        if not has_gnu_openmp():
            start_again_with_intel_openmp()
        code = serve(
            model_dir=settings.MODEL_DIR,
            host=options["host"],
            port=settings.MODEL_SERVER_PORT,
            processes=settings.MODEL_PROCESSES,
            numeric_mode=settings.MODEL_NUMERIC_MODE,
            max_pixels=settings.MAX_IMAGE_PIXELS,
        )
        sys.exit(code)


def has_gnu_openmp() -> bool:
    try:
        ctypes.CDLL(GNU_OPENMP)
    except OSError:
        return False
    return True


def start_again_with_intel_openmp() -> None:
    """Replaces this process; does nothing where that would not help, and Paddle says why."""
    package = find_spec("paddle")
    intel = Path(package.origin).parent / INTEL_OPENMP if package and package.origin else None
    folder = settings.DATA_DIR / "lib"
    paths = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    if intel is None or not intel.exists() or str(folder) in paths:
        return
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / GNU_OPENMP
    link.unlink(missing_ok=True)
    link.symlink_to(intel)
    search = os.pathsep.join([str(folder), *filter(None, paths)])
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"LD_LIBRARY_PATH": search})

"""Gives a benchmark a database and a data folder of its own, thrown away at the end."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def start() -> Path:
    """Sets Django up on an empty SQLite file (or LABELHUB_BENCH_DATABASE_URL); the data folder."""
    folder = Path(tempfile.mkdtemp(prefix="labelhub-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["LABELHUB_DATA_DIR"] = str(folder / "data")
    os.environ["LABELHUB_IMAGE_ROOTS"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labelhub.settings")
    if url := os.environ.get("LABELHUB_BENCH_DATABASE_URL"):
        os.environ["LABELHUB_DATABASE_URL"] = url
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return folder


def machine() -> str:
    """The processor, for the line that figures need beside them."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "?")
    return f"{os.cpu_count()} × {model}"

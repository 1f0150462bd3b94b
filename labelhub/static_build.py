"""Collects the static files when, and only when, one of them changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

# Beside the collected files: what they were made from.
MARK = ".made-from"
# Pages of packages that LabelHub does not show: half of all bytes to compress.
NOT_SHOWN = ["redoc", "rest_framework"]


def build_if_changed() -> bool:
    """True when the files were collected anew."""
    mark = Path(settings.STATIC_ROOT) / MARK
    sources = _fingerprint()
    if mark.exists() and mark.read_text() == sources:
        return False
    call_command(
        "collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=NOT_SHOWN
    )
    mark.write_text(sources)
    return True


def _fingerprint() -> str:
    """Changes with the name, size or time of any source, and with the way they are stored."""
    found = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list(NOT_SHOWN):
            about = Path(storage.path(name)).stat()
            found.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return found.hexdigest()

"""Compiles the translations (`django.po` to `django.mo`) without GNU gettext."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings


def compile_all() -> list[Path]:
    """Writes every `.mo` that is older than its `.po`, all at once; those that were written."""
    written = []
    for folder in settings.LOCALE_PATHS:
        for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
                _compile(source, target)
                written.append(target)
    return written


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalog = read_po(file, locale=source.parts[-3], abort_invalid=True)
    # Another process may be reading the old one, or compiling too.
    building = target.with_name(f".{target.name}.{os.getpid()}")
    with building.open("wb") as file:
        write_mo(file, catalog)
    building.replace(target)

"""Pictures of a labeling description: drawn anew from what was uploaded, kept by their content."""

import hashlib
import re
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from datasets import problems
from datasets.pixels import BadImage, Limits, thumbnail
from jobs.models import Job
from labelhub.errors import DomainError

MOST_BYTES = 10_000_000
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1_600
MOST_PICTURES = 50
MEDIA_TYPE = "image/webp"
_NAME = re.compile(r"[0-9a-f]{16}\.webp")


def folder_of(job: Job) -> Path:
    return settings.MEDIA_ROOT / "jobs" / str(job.pk)


def names(job: Job) -> list[str]:
    """The pictures of the job, the newest first."""
    folder = folder_of(job)
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    found.sort(key=lambda path: (-path.stat().st_mtime_ns, path.name))
    return [path.name for path in found]


def keep(job: Job, file: UploadedFile) -> str:
    """Keeps an uploaded picture, upright, at most 1,600 pixels large and without anything else
    that was in the file; its name."""
    if len(names(job)) >= MOST_PICTURES:
        raise DomainError(
            _("A description has at most %(most)d pictures. Remove one first.")
            % {"most": MOST_PICTURES},
            code="too_many",
        )
    limits = Limits(max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS)
    try:
        content = thumbnail(file.read(MOST_BYTES + 1), side=LONGEST_SIDE, limits=limits)
    except BadImage as error:
        raise DomainError(problems.describe(error.code, error.params), code=error.code)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.webp"
    folder = folder_of(job)
    folder.mkdir(parents=True, exist_ok=True)
    # Under its name at once or not at all, whoever reads it meanwhile.
    unfinished = folder / f"{name}.part"
    unfinished.write_bytes(content)
    unfinished.replace(folder / name)
    return name


def read(job: Job, name: str) -> bytes | None:
    """The picture, if the job has it."""
    path = folder_of(job) / name
    return path.read_bytes() if _NAME.fullmatch(name) and path.is_file() else None


def remove(job: Job, name: str) -> None:
    if _NAME.fullmatch(name):
        (folder_of(job) / name).unlink(missing_ok=True)

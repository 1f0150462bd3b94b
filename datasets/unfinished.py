"""Uploads that come in parts and go on where they stopped.

What arrived of a file lies below `incoming/parts`, in a file whose length is the offset at which
the next part is wanted: nothing else has to be kept in step with it, and a process that is killed
leaves the beginning of the upload, whatever it was doing. A part that begins earlier is compared
with what is there, so that one can be sent twice. The meaning is that of tus (offset asked, 409
with the right one); its headers, its creation step and its addresses are not: an upload is known
by who sends which file, so that a page that was closed finds it again without remembering
anything, and a small file takes one request.

A request's body is on the disk before the view is called (see labelhub/asgi.py), so nothing here
waits for a slow connection while it holds a lock.
"""

import errno
import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from annotators.models import User
from datasets import uploads
from datasets.locks import alone
from datasets.models import Dataset
from datasets.names import is_archive, is_junk_key
from datasets.storages import StorageError
from datasets.uploads import ABOUT_THE_NAME, Stored
from labelhub.errors import Conflict, DomainError
from runs.clock import regularly

MOST_OF_A_PERSON = 100
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one file that somebody sends to a dataset; `modified` is the browser's word
    for the version, in milliseconds."""

    user: User
    dataset: Dataset
    path: str
    size: int
    modified: int

    @property
    def key(self) -> str:
        parts = (self.user.pk, self.dataset.pk, self.path, self.size, self.modified)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def folder(self) -> Path:
        return _all_parts() / str(self.user.pk)

    @property
    def part(self) -> Path:
        return self.folder / f"{self.key}.part"


@dataclass(frozen=True, slots=True)
class Progress:
    """So many bytes are there. An outcome says that the upload is over."""

    offset: int
    outcome: Stored | None = None


def _all_parts() -> Path:
    return uploads.incoming() / "parts"


def progress(user: User, dataset: Dataset, path: str, *, size: int, modified: int) -> Progress:
    """Where to go on; refused where the file would be."""
    upload = _admitted(user, dataset, path, size, modified)
    over = _outcome_so_far(upload)
    return over or Progress(_length(upload.part))


def take(
    user: User,
    dataset: Dataset,
    path: str,
    stream: BinaryIO,
    *,
    size: int,
    modified: int,
    offset: int,
    length: int,
) -> Progress:
    """Takes `length` bytes of the file from `offset` on; with the last ones it is stored.

    Where storing fails, the bytes stay: a part without any, sent at the end, tries it again.
    """
    upload = _admitted(user, dataset, path, size, modified)
    with alone("upload", upload.key):
        if over := _outcome_so_far(upload):
            return over
        there = _length(upload.part)
        if offset > there:
            raise _elsewhere(there)
        if offset + length > size:
            raise _incomplete(upload, offset + length)
        _require_place(upload)
        _append(upload, stream, skipped=there - offset, length=length)
        there = _length(upload.part)
        return Progress(there) if there < size else Progress(size, _finish(upload))


def forget(user: User, dataset: Dataset, path: str, *, size: int, modified: int) -> None:
    """Removes what arrived of an upload that is not wanted any more."""
    upload = Upload(user, dataset, uploads.checked_path(path), size, modified)
    with alone("upload", upload.key):
        upload.part.unlink(missing_ok=True)


@regularly
def remove_stale() -> None:
    """Removes parts that nothing was added to for a day, or as the setting says."""
    kept = timedelta(hours=settings.UNFINISHED_UPLOAD_HOURS)
    oldest = time.time() - kept.total_seconds()
    for part in _all_parts().glob("*/*.part"):
        # Gone by now: finished meanwhile, or removed by another process.
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < oldest:
                part.unlink()


def _admitted(user: User, dataset: Dataset, path: str, size: int, modified: int) -> Upload:
    path = uploads.admitted(dataset, path, size=size)
    return Upload(user, dataset, path, size, modified)


def _outcome_so_far(upload: Upload) -> Progress | None:
    """Known without any bytes: junk is not kept, and an archive waits under the upload's key."""
    if is_junk_key(upload.path):
        return Progress(upload.size, Stored.JUNK)
    waiting = uploads.archive_at(upload.dataset, upload.path, name=upload.key)
    if is_archive(upload.path) and waiting.exists():
        return Progress(upload.size, Stored.ARCHIVE)
    return None


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _elsewhere(there: int) -> Conflict:
    text = _("The upload goes on at byte %(offset)d.") % {"offset": there}
    return Conflict(text, code="offset", offset=there)


def _incomplete(upload: Upload, received: int) -> DomainError:
    return uploads.refusal("incomplete", upload.path, {"received": received, "size": upload.size})


def _require_place(upload: Upload) -> None:
    there = _length(upload.part)
    if there < upload.size:
        left = upload.size - there
        uploads.require_room(upload.dataset, upload.path, coming=left, size=upload.size)
    upload.folder.mkdir(parents=True, exist_ok=True)
    if upload.part.exists():
        return
    if sum(1 for _part in upload.folder.glob("*.part")) >= MOST_OF_A_PERSON:
        text = _(
            "%(most)d of your uploads are not finished. Finish one of them, or wait: what nothing "
            "is added to is removed after %(hours)d hours."
        ) % {"most": MOST_OF_A_PERSON, "hours": settings.UNFINISHED_UPLOAD_HOURS}
        raise DomainError(text, code="too_many_uploads")


def _append(upload: Upload, stream: BinaryIO, *, skipped: int, length: int) -> None:
    """Adds the part behind what is there. Refused, it leaves the file as it was."""
    upload.part.touch()
    there = _length(upload.part)
    try:
        with upload.part.open("r+b") as file:
            file.seek(there - skipped)
            for block in uploads.blocks(stream, size=length, path=upload.path):
                old = file.read(min(len(block), max(there - file.tell(), 0)))
                if old != block[: len(old)]:
                    raise _Changed
                file.write(block[len(old) :])
    except BaseException as error:
        # Closed by now: nothing that waited in memory comes behind this.
        os.truncate(upload.part, 0 if isinstance(error, _Changed) else there)
        if isinstance(error, _Changed):
            raise _elsewhere(0) from error
        if isinstance(error, OSError) and error.errno in _FULL:
            raise uploads.refusal("no-space", upload.path) from error
        raise


class _Changed(Exception):
    """Other bytes came than the first time: what is there belongs to another file."""


def _finish(upload: Upload) -> Stored:
    dataset, path = upload.dataset, upload.path
    if is_archive(path):
        uploads.keep_archive(dataset, path, upload.part, name=upload.key)
        return Stored.ARCHIVE
    try:
        outcome = uploads.store_file(dataset, path, upload.part)
    except StorageError as error:
        if error.code in ABOUT_THE_NAME:
            upload.part.unlink()
        raise uploads.storage_refusal(error, path)
    upload.part.unlink()
    return uploads.not_refused(outcome, path)

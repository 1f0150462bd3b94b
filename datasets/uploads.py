"""What people upload: each file lands in the dataset's own storage before a job hears of it.

Archives wait in a folder of their own until the import run unpacks them; what was unpacked is
stored like single files, so doing it twice stores nothing twice.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from datasets import problems
from datasets.archives import ArchiveLimits, BadArchive, Refused, extract_zip
from datasets.contents import digest_of, is_digest
from datasets.locks import alone
from datasets.models import Dataset
from datasets.names import is_archive, is_junk_key, readable
from datasets.storages import Entry, Missing, Storage, StorageError
from labelhub.errors import Conflict, DomainError, Unavailable
from runs.kinds import Hopeless
from runs.models import Problem

COPY_BYTES = 1_048_576
# Smaller files are compared in memory, larger ones through a temporary file.
SPOOL_BYTES = 8_388_608
# What the disk keeps free of uploads: the database writes to it too.
KEPT_FREE_BYTES = 100_000_000
LONGEST_NAME = 255  # bytes, of a file
# The same request can succeed a moment later.
PASSING = frozenset(
    {
        "connection-lost",
        "endpoint-unreachable",
        "storage-broken",
        "storage-busy",
        "storage-timeout",
    }
)
# What a storage says about one name; anything else would be said of every file.
ABOUT_THE_NAME = frozenset(
    {
        "key-not-a-path",
        "link-broken",
        "link-outside-root",
        "link-to-folder",
        "name-not-utf8",
        "name-taken",
        "name-too-long",
        "not-a-file",
        "outside-root",
    }
)


class Stored(StrEnum):
    STORED = "stored"
    ALREADY = "already"
    ARCHIVE = "archive"
    JUNK = "junk"


def receive(dataset: Dataset, path: str, stream: BinaryIO, *, size: int) -> Stored:
    """Keeps one uploaded file under its path in the dataset; a zip waits for the import."""
    path = admitted(dataset, path, size=size)
    if is_junk_key(path):
        return Stored.JUNK
    require_room(dataset, path, coming=size, size=size)
    if is_archive(path):
        part = incoming() / "parts" / "whole" / f"{uuid4().hex}.part"
        _copy_to(part, stream, path=path, size=size)
        keep_archive(dataset, path, part, name=uuid4().hex)
        return Stored.ARCHIVE
    with SpooledTemporaryFile(SPOOL_BYTES) as copy:
        for block in blocks(stream, size=size, path=path):
            copy.write(block)
        try:
            outcome = _store(dataset, path, copy)
        except StorageError as error:
            raise storage_refusal(error, path)
    return not_refused(outcome, path)


def admitted(dataset: Dataset, path: str, *, size: int) -> str:
    """The path that the file gets; refused before its bytes come where they would not be kept."""
    if not dataset.takes_uploads:
        raise Conflict(
            _("This job takes its images from a folder of the server: put the file there."),
            code="not_an_upload_job",
        )
    path = checked_path(path)
    most = settings.MAX_UPLOAD_BYTES if is_archive(path) else settings.MAX_IMAGE_BYTES
    if size > most and not is_junk_key(path):
        params = {"megabytes": problems.megabytes(size), "limit": problems.megabytes(most)}
        raise refusal("too-large-file", path, params)
    return path


def checked_path(raw: str) -> str:
    """The path with `/` as separator; one that leads out of the dataset is refused."""
    path = raw.replace("\\", "/").strip("/")
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or "\0" in path or len(path) > 1024:
        raise refusal("unsafe-name", raw or "?")
    return "/".join(parts)


def require_room(dataset: Dataset, path: str, *, coming: int, size: int) -> None:
    """Refuses where the disk has no room for the bytes that come, and for the file in its place."""
    stays_here = dataset.storage.is_upload_area and not is_archive(path)
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.DATA_DIR).free
    if coming + (size if stays_here else 0) + KEPT_FREE_BYTES > free:
        raise refusal("no-space", path)


def refusal(code: str, path: str, params: dict | None = None) -> DomainError:
    text = problems.describe(code, {"item": path, **(params or {})})
    kind = Unavailable if code in PASSING else DomainError
    return kind(text, code=code, path=readable(path))


def storage_refusal(error: StorageError, path: str) -> DomainError:
    return refusal(error.code, path, dict(error.params))


def not_refused(outcome: Stored | None, path: str) -> Stored:
    if outcome is None:
        raise refusal("name-taken-by-other", path)
    return outcome


def blocks(stream: BinaryIO, *, size: int, path: str) -> Iterator[bytes]:
    """So many bytes of the stream, in blocks; it is refused where it ends early or runs on."""
    received = 0
    while block := stream.read(min(COPY_BYTES, size + 1 - received)):
        received += len(block)
        if received > size:
            break
        yield block
    if received != size:
        raise refusal("incomplete", path, {"received": received, "size": size})


def _copy_to(part: Path, stream: BinaryIO, *, path: str, size: int) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("xb") as file:
            for block in blocks(stream, size=size, path=path):
                file.write(block)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def store(dataset: Dataset, path: str, stream: BinaryIO) -> Stored | None:
    """Stores the bytes; None when another file has the name already.

    The same bytes under the same name are there already: an upload or a run that is repeated
    changes nothing, and nobody's image is replaced by another.
    """
    with SpooledTemporaryFile(SPOOL_BYTES) as copy:
        shutil.copyfileobj(stream, copy, COPY_BYTES)
        return _store(dataset, path, copy)


def store_file(dataset: Dataset, path: str, file: Path) -> Stored | None:
    """Like `store`, for bytes that lie on the disk."""
    with file.open("rb") as stream:
        return _store(dataset, path, stream)


def _store(dataset: Dataset, path: str, copy: BinaryIO) -> Stored | None:
    driver, key = dataset.storage.driver(), dataset.key(path)
    size = copy.seek(0, os.SEEK_END)
    copy.seek(0)
    # Of two that store under one name at once, the second finds the first.
    with alone("store", f"{dataset.storage_id}/{key}"):
        there = _head(driver, key)
        if there is None:
            driver.put(key, copy, size=size)
            return Stored.STORED
        same = there.size == size and _digest_there(dataset, path, there) == digest_of(copy)
        return Stored.ALREADY if same else None


def _head(driver: Storage, key: str) -> Entry | None:
    # On its own: what fails while Missing is handled would be explained by it (s3_errors.py).
    try:
        return driver.head(key)
    except Missing:
        return None


def _digest_there(dataset: Dataset, path: str, there: Entry) -> str:
    """Of the bytes in the storage; they are not read where an import did so since they changed."""
    rows = dataset.images.filter(path=path, etag=there.etag)
    known = rows.values_list("content", flat=True).first() or ""
    if is_digest(known):
        return known
    with dataset.storage.driver().open(dataset.key(path)) as stream:
        return digest_of(stream)


def incoming() -> Path:
    """What arrives: `parts` of uploads that are not finished, and archives by their dataset."""
    return settings.DATA_DIR / "incoming"


def _archives_of(dataset: Dataset) -> Path:
    return incoming() / str(dataset.pk)


def archive_at(dataset: Dataset, path: str, *, name: str) -> Path:
    """Where an archive waits: under a name of its own, so that none replaces another that is
    being unpacked, and with its file name behind that, for people."""
    shown = PurePosixPath(path).name.encode()
    # The end is what tells archives apart, and holds the suffix.
    shown = shown[-(LONGEST_NAME - len(name) - 1) :]
    return _archives_of(dataset) / f"{name}-{shown.decode(errors='ignore')}"


def keep_archive(dataset: Dataset, path: str, part: Path, *, name: str) -> None:
    """Takes the file over: it waits for the next import."""
    target = archive_at(dataset, path, name=name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


def waiting_archives(dataset: Dataset) -> list[str]:
    """Names of the uploaded archives that no import has unpacked yet."""
    folder = _archives_of(dataset)
    return sorted(path.name for path in folder.glob("*-*")) if folder.exists() else []


def unpack_archives(dataset: Dataset, names: Iterable[str]) -> Iterator[Problem]:
    """Stores the files of these archives; yields what was refused."""
    for name in names:
        archive = _archives_of(dataset) / name
        if archive.exists():
            yield from _unpack(dataset, archive, shown=name.partition("-")[2])


def remove_archives(dataset: Dataset, names: Iterable[str]) -> None:
    for name in names:
        (_archives_of(dataset) / name).unlink(missing_ok=True)


def _unpack(dataset: Dataset, archive: Path, *, shown: str) -> Iterator[Problem]:
    limits = ArchiveLimits(
        max_members=settings.MAX_UPLOAD_FILES,
        max_member_bytes=settings.MAX_IMAGE_BYTES,
        # A zip of photos hardly packs them: what unpacks to far more is not photos.
        max_total_bytes=5 * settings.MAX_UPLOAD_BYTES,
    )
    taken: list[str] = []

    def put(name: str, stream: BinaryIO) -> None:
        try:
            outcome = store(dataset, name, stream)
        except StorageError as error:
            raise _stop(error, f"{shown}/{readable(name)}") from error
        if outcome is None:
            taken.append(name)

    try:
        with archive.open("rb") as file:
            members = extract_zip(file, put=put, limits=limits)
            for member in members:
                if isinstance(member, Refused):
                    item = f"{shown}/{readable(member.name)}"
                    yield Problem(item=item, code=member.code, params=member.params)
                while taken:
                    item = f"{shown}/{readable(taken.pop())}"
                    yield Problem(item=item, code="name-taken-by-other")
            if members.junk:
                yield Problem(item=shown, code="junk-left-out", params={"number": members.junk})
    except BadArchive as error:
        yield Problem(item=shown, code=error.code, params=error.params)


def _stop(error: StorageError, item: str) -> Exception:
    """What ends the unpacking, so that the archive stays and nothing of it is lost: the run is
    tried again where that can help, and says why where not. A bad name costs its file alone."""
    # Some systems answer so to a name that they cannot take.
    if error.code in ABOUT_THE_NAME or error.code == "storage-failed":
        return error
    if error.code in PASSING:
        return storage_refusal(error, item)
    return Hopeless(Problem(item=item, code=error.code, params=dict(error.params)))

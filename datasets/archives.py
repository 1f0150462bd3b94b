"""Unpacks zip archives that nobody vouches for.

Every name, size and promise in an archive is its maker's word: a member is streamed out under a
checked name, within limits that are counted while it is read.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from datasets.archive_names import decoded_names
from datasets.names import is_archive, is_junk_key, readable
from datasets.problems import megabytes
from datasets.storages import StorageError

_ENCRYPTED_FLAG = 0x1
# The table of contents is read whole: 46 bytes for a member besides its name and its extras.
_CONTENTS_BYTES_PER_MEMBER = 500
# A small file may pack as well as it likes: an image of one colour does.
_RATIO_MATTERS_FROM = 1_000_000
# What every tool writes for pictures. Others cost memory that the archive decides on.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# The signature and the version of zip that a member needs, at most 6.3.
_FIRST_MEMBER = re.compile(rb"PK\x03\x04[\x00-\x3f]\x00", re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    max_members: int = 200_000
    # Of one member, of all together, unpacked.
    max_member_bytes: int = 25_000_000
    max_total_bytes: int = 20_000_000_000
    max_ratio: int = 200


@dataclass(frozen=True, slots=True)
class Extracted:
    """A member that was put, under the name that the archive gives it."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A member that was not put; code and params as in datasets.problems. The name can be shown
    and stored whatever it held."""

    name: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class BadArchive(Exception):
    """Nothing of the archive can be taken; code and params as in datasets.problems."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


Put = Callable[[str, BinaryIO], Any]


class Extraction:
    """Puts member after member while it is iterated; `junk` counts what was passed over, such as
    `__MACOSX` and `Thumbs.db`."""

    def __init__(self, archive: zipfile.ZipFile, *, put: Put, limits: ArchiveLimits) -> None:
        self.junk = 0
        self._archive = archive
        self._put = put
        self._limits = limits
        self._members = [info for info in archive.infolist() if not _is_folder(info)]
        if not self._members:
            raise BadArchive("empty-archive")
        if len(self._members) > limits.max_members:
            raise BadArchive("too-many-members", limit=limits.max_members)
        total = sum(info.file_size for info in self._members)
        if total > limits.max_total_bytes:
            raise BadArchive(
                "archive-too-large",
                megabytes=megabytes(total),
                limit=megabytes(limits.max_total_bytes),
            )

    def __iter__(self) -> Iterator[Extracted | Refused]:
        seen: set[str] = set()
        names = decoded_names(self._members)
        for info, raw_name in zip(self._members, names, strict=True):
            try:
                name = _safe_name(raw_name)
                if is_junk_key(name):
                    self.junk += 1
                    continue
                _check_member(info, name, self._limits)
                if name in seen:
                    raise _Refusal("duplicate-member")
                size = self._extract(info, name)
            except _Refusal as refusal:
                yield Refused(readable(raw_name), refusal.code, refusal.params)
            else:
                seen.add(name)
                yield Extracted(name, size)

    def _extract(self, info: zipfile.ZipInfo, name: str) -> int:
        try:
            packed = self._archive.open(info)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error) as error:
            raise _Refusal("damaged-member") from error
        with packed:
            stream = _Limited(packed, self._limits.max_member_bytes)
            try:
                self._put(name, stream)  # type: ignore[arg-type]
            except StorageError as error:
                raise _Refusal(error.code, **error.params) from error
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise _Refusal("damaged-member") from error
        return stream.passed


def extract_zip(file: BinaryIO, *, put: Put, limits: ArchiveLimits) -> Extraction:
    """Unpacks while the result is iterated. Raises BadArchive where nothing can be taken.

    `put(name, stream)` stores one member; a StorageError from it refuses this member alone.
    """
    file.seek(0)
    begins_like_one = _FIRST_MEMBER.match(file.read(6))
    guarded = _BoundedReads(file, limits)
    try:
        archive = zipfile.ZipFile(guarded)  # type: ignore[arg-type]
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise BadArchive("damaged-archive" if begins_like_one else "not-a-zip") from error
    except (struct.error, OSError) as error:
        raise BadArchive("damaged-archive") from error
    return Extraction(archive, put=put, limits=limits)


class _Refusal(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class _BoundedReads:
    """A file that gives no more at once than the table of contents of the most members needs:
    zipfile reads as much of it as the archive says."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._most = limits.max_members * _CONTENTS_BYTES_PER_MEMBER + zipfile.ZIP_MAX_COMMENT
        self.seek, self.tell = file.seek, file.tell

    def read(self, count: int = -1) -> bytes:
        if count > self._most:
            raise BadArchive("too-many-members", limit=self._limits.max_members)
        return self._file.read(count)

    def seekable(self) -> bool:
        return True


class _Limited(io.RawIOBase):
    """A member while it is read, counted: its size in the table of contents is only a claim."""

    def __init__(self, packed: Any, most: int) -> None:
        self._packed = packed
        self._most = most
        self.passed = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._packed.read(len(buffer))
        buffer[: len(block)] = block
        self.passed += len(block)
        if self.passed > self._most:
            raise _Refusal(
                "too-large-file", megabytes=megabytes(self.passed), limit=megabytes(self._most)
            )
        return len(block)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith(("/", "\\"))


def _check_member(info: zipfile.ZipInfo, name: str, limits: ArchiveLimits) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _Refusal("link-in-archive")
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise _Refusal("encrypted")
    if info.compress_type not in _COMPRESSIONS:
        raise _Refusal("compression-not-supported")
    if is_archive(name):
        raise _Refusal("nested-archive")
    ratio = info.file_size // max(info.compress_size, 1)
    if info.file_size >= _RATIO_MATTERS_FROM and ratio > limits.max_ratio:
        raise _Refusal("compression-bomb", ratio=ratio)
    if info.file_size > limits.max_member_bytes:
        raise _Refusal(
            "too-large-file",
            megabytes=megabytes(info.file_size),
            limit=megabytes(limits.max_member_bytes),
        )


def _safe_name(raw: str) -> str:
    """The name as a relative path with `/`; refused where it leads anywhere else."""
    # Windows tools write backslashes. Whatever a name means on any system has to be harmless.
    path = raw.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    leads_out = path.startswith("/") or _DRIVE.match(path) or ".." in parts
    if leads_out or not parts or "\0" in path:
        raise _Refusal("unsafe-name")
    return "/".join(parts)

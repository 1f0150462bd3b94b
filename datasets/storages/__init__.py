"""Where the bytes of images live: one protocol, a driver for each kind of storage.

A key is the name of one object in a storage: a relative path with `/`, any Unicode. Drivers know
nothing of datasets, rows or people.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol

from datasets.names import readable
from datasets.problems import describe
from datasets.storages.levels import Level


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as a listing shows it. One with a `problem` (a code) cannot be opened or kept.

    The key of a problem can hold what no database stores: show and keep `readable_key`.
    """

    key: str
    size: int
    etag: str
    modified_at: datetime
    problem: str = ""

    @property
    def readable_key(self) -> str:
        return readable(self.key)


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What became of one key. One that was not there counts as deleted, as object stores do."""

    key: str
    problem: str = ""
    params: Mapping[str, object] = field(default_factory=dict, compare=False)

    @property
    def deleted(self) -> bool:
        return not self.problem


class StorageError(Exception):
    """The storage refused or failed: `code` (see datasets.problems) says why, `item` for what."""

    code = "storage-failed"

    def __init__(self, item: str, *, code: str | None = None, **params: object) -> None:
        super().__init__(item)
        self.item = readable(item)
        self.code = code or self.code
        self.params = params

    def __str__(self) -> str:
        return describe(self.code, {"item": self.item, **self.params})


class Missing(StorageError):
    code = "missing"


class Denied(StorageError):
    """It may not be written or deleted."""

    code = "read-only"


class Unreadable(StorageError):
    code = "no-access"


class OutsideRoot(StorageError):
    code = "outside-root"


class Storage(Protocol):
    # Opening an object takes milliseconds: what needs many of them is done in the background.
    is_remote: bool

    def list(self, prefix: str = "", *, after: str | None = None) -> Iterator[Entry]:
        """Objects whose key starts with `prefix`, in the byte order of their UTF-8 keys.

        `after` continues a listing behind that key. Hidden and junk files are left out.
        """
        ...

    def level(self, prefix: str = "") -> Level:
        """What lies right below a prefix, which is empty or ends with a slash; one quick look."""
        ...

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """The bytes, as a stream that may not be able to seek. The caller closes it.

        From `start` on and at most `length` of them; there are none behind the end. Reading can
        raise StorageError too.
        """
        ...

    def head(self, key: str) -> Entry: ...

    def put(self, key: str, stream: BinaryIO, *, size: int | None = None) -> Entry:
        """Stores all of the stream or nothing; what was there before is replaced at once.

        With `size`, a stream that ends early or runs on is refused.
        """
        ...

    def delete(self, keys: Iterable[str]) -> Iterator[DeleteResult]:
        """Deletes while it is iterated, in batches of the driver's choice; a result per key."""
        ...

    def url(self, key: str, *, seconds: int = 900, download_as: str | None = None) -> str | None:
        """An address that a browser may fetch for so long, or None: serve it with `open`."""
        ...

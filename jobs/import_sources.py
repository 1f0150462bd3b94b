"""Where the images of an import come from: the dataset itself, or another place that is copied.

In the params of a run a source is {"storage": id or None, "folder": path or "", "path": …}: a
storage row, a folder of the server, or neither for the dataset's own storage; `path` is below it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.models import Dataset, Storage
from datasets.names import is_junk_key
from datasets.storages import Entry, StorageError
from datasets.storages import Storage as Driver
from datasets.storages.local import LocalStorage, check_folder

# A preview looks at so many files of one folder, and begins so many listings.
_FILES_OF_A_FOLDER = 200
_LISTINGS = 60
_BEHIND_ALL = "\U0010ffff"


@dataclass(frozen=True)
class Source:
    """Files below `prefix` of a driver. `is_own`: they are in the dataset already; else they are
    copied below `into` of it."""

    driver: Driver
    prefix: str
    is_own: bool
    into: str = ""
    bucket: str = ""

    def target(self, path: str) -> str:
        """The path in the dataset of a file, given below the source."""
        return f"{self.into}{path}"


def source_of(dataset: Dataset, params: dict[str, Any]) -> Source:
    """Raises StorageError where it cannot be reached, or leads out of what is allowed."""
    path = as_folder(params.get("path", ""))
    if params.get("storage"):
        storage = Storage.objects.get(pk=params["storage"])
        into = as_folder(params.get("into", ""))
        return Source(storage.driver(), path, is_own=False, into=into, bucket=storage.bucket)
    if params.get("folder"):
        root = check_folder(params["folder"], settings.IMAGE_ROOTS)
        return Source(LocalStorage(Path(root)), path, is_own=False, into=as_folder(params["into"]))
    storage = dataset.storage
    prefix = f"{dataset.prefix}{path}"
    return Source(storage.driver(), prefix, is_own=True, into=path, bucket=storage.bucket)


def as_folder(path: str) -> str:
    """A typed path as the start of keys: `a/b` is `a/b/`. Raises StorageError for one that leads
    out."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise StorageError(path, code="unsafe-name")
    return "".join(f"{part}/" for part in parts)


def sample_of_names(source: Source, *, since: datetime | None = None) -> tuple[list[str], bool]:
    """Names below the source, some of each folder and so all label files near the top; whether
    there are more. With `since`, of files that were written from then on.

    A folder with a million images is passed over after its first ones.
    """
    names: list[str] = []
    after: str | None = None
    for _listing in range(_LISTINGS):
        after = _list_until_full(source, names, after, since)
        if after is None:
            return names, False
    return names, True


def _list_until_full(
    source: Source, names: list[str], after: str | None, since: datetime | None
) -> str | None:
    """Adds names until a folder has given enough: where to go on, or None at the end."""
    seen: dict[str, int] = {}
    for entry in _entries(source, after):
        if since is not None and entry.modified_at < since:
            continue
        name = entry.key[len(source.prefix) :]
        folder, slash, _base = name.rpartition("/")
        seen[folder] = seen.get(folder, 0) + 1
        if not entry.problem and not is_junk_key(name):
            names.append(name)
        if slash and seen[folder] >= _FILES_OF_A_FOLDER:
            return f"{source.prefix}{folder}/{_BEHIND_ALL}"
        if sum(seen.values()) >= _FILES_OF_A_FOLDER * 10:
            return entry.key
    return None


def _entries(source: Source, after: str | None) -> Iterator[Entry]:
    yield from source.driver.list(source.prefix, after=after)


def start_of(source: Source, name: str, most: int) -> bytes:
    """The first bytes of a file below the source."""
    with source.driver.open(source.prefix + name, length=most) as stream:
        return stream.read(most)


def first_names(source: Source, most: int) -> list[str]:
    return [entry.key[len(source.prefix) :] for entry in islice(_entries(source, None), most)]

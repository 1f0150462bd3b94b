"""Which files of somebody's folder a dataset has, so that they are not sent again."""

import os
from collections.abc import Iterable, Mapping
from itertools import islice

from datasets.models import Dataset, StorageKind
from datasets.names import IMAGE_SUFFIXES, suffix
from datasets.storages import Storage, StorageError
from datasets.uploads import checked_path
from labelhub.errors import DomainError

# Compressed pictures of the same size are the same picture. These have the same size whenever
# they have the same width and height; so have labels of one length in a text.
_SIZE_SAYS_NOTHING = frozenset({".bmp", ".dib", ".tif", ".tiff"})
_TELLING = IMAGE_SUFFIXES - _SIZE_SAYS_NOTHING
# Objects that are looked through for a thousand names; of those behind, nothing is said.
_MOST_LISTED = 5_000


def there_already(dataset: Dataset, files: Iterable[tuple[str, int]]) -> set[str]:
    """Those of the paths whose file is there with that size.

    It is a saving, never a promise: nothing is replaced by an upload, so that a file which is
    not sent because another of its name and size is there would only have been refused.
    """
    wanted: dict[str, list[tuple[str, int]]] = {}
    for raw, size in files:
        if suffix(raw) in _TELLING and (path := _path_or_none(raw)):
            wanted.setdefault(dataset.key(path), []).append((raw, size))
    if not wanted:
        return set()
    try:
        found = _sizes(dataset, wanted)
    except StorageError:
        # Said again, and to more use, of the file that is then sent.
        return set()
    return {
        raw for key, given in wanted.items() for raw, size in given if found.get(key, -1) == size
    }


def _path_or_none(raw: str) -> str | None:
    try:
        return checked_path(raw)
    except DomainError:
        return None


def _sizes(dataset: Dataset, keys: Iterable[str]) -> Mapping[str, int]:
    driver = dataset.storage.driver()
    if dataset.storage.kind == StorageKind.LOCAL:
        return _asked(driver, keys)
    return _listed(driver, sorted(keys, key=lambda key: key.encode("utf-8", "surrogatepass")))


def _asked(driver: Storage, keys: Iterable[str]) -> dict[str, int]:
    found = {}
    for key in keys:
        try:
            found[key] = driver.head(key).size
        except StorageError:
            continue
    return found


def _listed(driver: Storage, keys: list[str]) -> dict[str, int]:
    """A request per thousand objects, not per object: those of a folder stand together."""
    wanted, last = set(keys), keys[-1].encode("utf-8", "surrogatepass")
    prefix, after = os.path.commonprefix(keys), keys[0][:-1]
    found = {}
    for entry in islice(driver.list(prefix, after=after or None), _MOST_LISTED):
        if entry.key.encode("utf-8", "surrogatepass") > last:
            break
        if entry.key in wanted:
            found[entry.key] = entry.size
    return found

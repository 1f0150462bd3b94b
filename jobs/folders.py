"""Looks into the folders that images may be taken from, of the server, of storages and of datasets,
for choosing one."""

import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.conf import settings

from annotators.models import User
from datasets.access import storages_of
from datasets.models import Dataset, Storage
from datasets.names import IMAGE_SUFFIXES, is_junk, readable, suffix
from datasets.places import checked_prefix
from datasets.services import look_below
from datasets.storages import StorageError
from datasets.storages.local import check_folder
from labelhub.errors import DomainError

# A folder with a million images must not keep the page waiting.
MOST_LOOKED_AT = 2_000
MOST_SHOWN = 300


@dataclass(frozen=True)
class Folder:
    """`path` is what was typed or chosen; `folders` are (name, path) of those inside."""

    path: str
    parent: str = ""
    folders: list[tuple[str, str]] = field(default_factory=list)
    images: int = 0
    is_cut: bool = False
    problem: str = ""


def look_into(typed: str) -> Folder:
    """The folder that was typed; without one, the folders that may be chosen from."""
    roots = [root for root in settings.IMAGE_ROOTS if root.is_dir()]
    if not typed.strip() and len(roots) != 1:
        return Folder("", folders=[(str(root), str(root)) for root in roots])
    try:
        folder = check_folder(typed if typed.strip() else str(roots[0]), settings.IMAGE_ROOTS)
        return _inside(folder, roots)
    except StorageError as error:
        return Folder(typed, problem=str(error))
    except OSError:
        return Folder(typed, problem=str(StorageError(typed, code="no-access")))


def _inside(folder: Path, roots: list[Path]) -> Folder:
    folders, images = [], 0
    with os.scandir(folder) as found:
        looked = list(islice(found, MOST_LOOKED_AT + 1))
    for item in looked[:MOST_LOOKED_AT]:
        if item.is_dir(follow_symlinks=False):
            # A name that is not UTF-8 cannot be sent back by a browser.
            if not is_junk(item.name, is_folder=True) and readable(item.name) == item.name:
                folders.append((item.name, str(folder / item.name)))
        elif suffix(item.name) in IMAGE_SUFFIXES and not is_junk(item.name):
            images += 1
    folders.sort(key=lambda one: one[0].lower())
    return Folder(
        path=str(folder),
        parent="" if _is_root(folder, roots) else str(folder.parent),
        folders=folders[:MOST_SHOWN],
        images=images,
        is_cut=len(looked) > MOST_LOOKED_AT or len(folders) > MOST_SHOWN,
    )


def _is_root(folder: Path, roots: list[Path]) -> bool:
    real = [Path(os.path.realpath(root)) for root in roots]
    return not any(folder.parent.is_relative_to(root) for root in real)


@dataclass(frozen=True)
class StorageFolder:
    """`prefix` is a folder in the storage, empty or with a slash at its end; `folders` are (name,
    prefix) of those inside. Without a storage nothing was looked into."""

    storage: Storage | None = None
    prefix: str = ""
    parent: str = ""
    folders: list[tuple[str, str]] = field(default_factory=list)
    images: int = 0
    is_cut: bool = False
    problem: str = ""


def look_into_storage(user: User, storage_id: str | int, typed: str) -> StorageFolder:
    """One request to the storage; one that the person may not see is none."""
    storage = None
    if str(storage_id).isascii() and str(storage_id).isdigit():
        storage = storages_of(user).filter(pk=storage_id).first()
    if storage is None:
        return StorageFolder(prefix=typed)
    return _look(storage, typed)


def look_into_dataset(dataset: Dataset, typed: str) -> StorageFolder:
    """A folder of the dataset; its prefixes are below that of the dataset."""
    return _look(dataset.storage, typed, below=dataset.prefix)


def _look(storage: Storage, typed: str, *, below: str = "") -> StorageFolder:
    try:
        prefix = checked_prefix(typed)
        level = look_below(storage, f"{below}{prefix}")
    except StorageError as error:
        return StorageFolder(storage, typed, problem=str(error))
    except DomainError as error:
        return StorageFolder(storage, typed, problem=error.message)
    above = prefix.rstrip("/").rpartition("/")[0]
    return StorageFolder(
        storage,
        prefix,
        parent=f"{above}/" if above else "",
        folders=[(name, f"{prefix}{name}/") for name in level.folders],
        images=level.images,
        is_cut=level.is_cut,
    )

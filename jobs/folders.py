"""Looks into the folders of the server that images may be taken from, for choosing one."""

import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.conf import settings

from datasets.names import IMAGE_SUFFIXES, is_junk, readable, suffix
from datasets.storages import StorageError
from datasets.storages.local import check_folder

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

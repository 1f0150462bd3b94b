"""One level of a storage, as people look into it: the folders right there, and how many images."""

from collections.abc import Iterable
from dataclasses import dataclass

from datasets.names import IMAGE_SUFFIXES, is_junk, readable, suffix

# What one look reads at most: a folder with a million files must not keep a page waiting.
LOOKED_AT = 2_000
MOST_FOLDERS = 300


@dataclass(frozen=True, slots=True)
class Level:
    """`folders` are names, `images` the number of files that are called like images. `is_cut`:
    there is more than was looked at."""

    folders: tuple[str, ...] = ()
    images: int = 0
    is_cut: bool = False


def level_of(folders: Iterable[str], files: Iterable[str], *, is_cut: bool) -> Level:
    """Of the names that lie there; what is hidden, or cannot be typed, is left out."""
    shown = [name for name in folders if name and _is_shown(name)]
    shown.sort(key=lambda name: (name.lower(), name))
    images = sum(suffix(name) in IMAGE_SUFFIXES and not is_junk(name) for name in files)
    return Level(tuple(shown[:MOST_FOLDERS]), images, is_cut or len(shown) > MOST_FOLDERS)


def _is_shown(name: str) -> bool:
    # A name that is not UTF-8 cannot be sent back by a browser; `.` and `..` are no path.
    return not is_junk(name, is_folder=True) and readable(name) == name and name not in (".", "..")

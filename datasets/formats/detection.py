"""Finds out which formats the files below an import path could be meant in."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from typing import Literal

from datasets.formats import Record, beside, folders
from datasets.formats.lists import ListLine, is_index, list_lines
from datasets.formats.paths import resolve, suffixes
from datasets.formats.readers import READERS, Preview, preview
from datasets.formats.reading import BadLabelFile, BadLine, Context, without_splits
from datasets.names import IMAGE_SUFFIXES, REFUSED_SUFFIXES, is_junk_key, suffix

START_BYTES = 65_536
Certainty = Literal["sure", "likely", "possible"]
_CERTAINTIES: tuple[Certainty, ...] = ("sure", "likely", "possible")
# More label files than that are not opened to find out what they are.
_FILES_LOOKED_INTO = 40
_ITEMS_LOOKED_AT = 30
_FILES_OF_A_GROUP = 3
_LISTS = ("paddleclas", "paddlelabel")


@dataclass(frozen=True, slots=True)
class Detected:
    """A format that is likely meant. `files` are read one after the other, each with those of
    `companions` that lie in its folder. Why: `names-images` (its first lines name images that are
    there), `reads-well`, `texts`, `folders`."""

    format: str
    certainty: Certainty
    why: str
    files: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


StartOf = Callable[[str], bytes]


def detect(names: Sequence[str], start_of: StartOf) -> list[Detected]:
    """What could be meant, the likeliest first.

    `names` are the files below the import path, or a fair sample with all label files in it;
    `start_of` gives the first START_BYTES of one.
    """
    names = [name for name in names if not is_junk_key(name)]
    images = [name for name in names if suffix(name) in IMAGE_SUFFIXES | REFUSED_SUFFIXES]
    found = [*_label_files(names, frozenset(images), start_of)]
    found += _beside(names, images, start_of)
    found += _folders(images)
    # The order within a certainty stays: files say more than texts, and those more than folders.
    return sorted(found, key=lambda one: _CERTAINTIES.index(one.certainty))


def _label_files(
    names: Sequence[str], images: frozenset[str], start_of: StartOf
) -> Iterator[Detected]:
    groups = _groups(names)
    claimed: set[str] = set()
    looked_into = 0
    # What has the narrowest names first: a metadata.csv is no table of its own.
    for name, reader in sorted(READERS.items(), key=lambda one: _width(one[1].files)):
        for group in groups:
            files = [one for one in group if _has_name(one, reader.files)]
            is_open = files and claimed.isdisjoint(files) and looked_into < _FILES_LOOKED_INTO
            if not is_open or _has_name(files[0], reader.companions):
                continue
            looked_into += 1
            seen = _look(name, files, start_of)
            if seen is None:
                continue
            companions = companions_of(name, files, names)
            if name in _LISTS and name != _kind_of_list(files, companions, start_of):
                continue
            claimed.update(files)
            certainty, why = _certainty(seen, files, images)
            if name in _LISTS and not companions and all(map(is_index, seen.labels)):
                # Numbers that nothing explains make poor labels.
                certainty = "possible"
            yield Detected(name, certainty, why, tuple(files), tuple(companions))


def _groups(names: Sequence[str]) -> list[list[str]]:
    """The names that differ only by a split: train_list.txt and val_list.txt."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if suffix(name) not in IMAGE_SUFFIXES:
            groups.setdefault(without_splits(name), []).append(name)
    return list(groups.values())


def _width(patterns: Sequence[str]) -> int:
    return sum(pattern.startswith("*.") for pattern in patterns)


def _has_name(path: str, patterns: Sequence[str]) -> bool:
    name = path.rpartition("/")[2].lower()
    return any(fnmatch(name, pattern) for pattern in patterns)


def companions_of(format: str, files: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of the names that a reader of the format wants beside these label files."""
    folders_of = {name.rpartition("/")[0] for name in files}
    return [
        name
        for name in names
        if _has_name(name, READERS[format].companions) and name.rpartition("/")[0] in folders_of
    ]


def _look(format: str, files: Sequence[str], start_of: StartOf) -> Preview | None:
    """The first records, none where the files do not read as that format.

    Without companions: only the starts of files are at hand, and half a list of classes makes
    good lines bad.
    """
    read = READERS[format].read
    assert read is not None
    for file in files[:_FILES_OF_A_GROUP]:
        stream = io.BytesIO(start_of(file))
        try:
            seen = preview(read(stream, context=Context(name=file)), most=_ITEMS_LOOKED_AT)
        except BadLabelFile:
            return None
        if seen.records < len(seen.bad_lines):
            return None
        # The list of a split can be empty.
        if seen.records:
            return seen
    return None


def _kind_of_list(files: Sequence[str], companions: Sequence[str], start_of: StartOf) -> str:
    """Lists with one index are alike: then the name of the list of classes tells."""
    for file in files[:_FILES_OF_A_GROUP]:
        lines = list_lines(io.BytesIO(start_of(file)))
        for line in islice(lines, _ITEMS_LOOKED_AT):
            if isinstance(line, ListLine) and "," in line.rest and line.has_tab:
                return "paddleclas"
            if isinstance(line, ListLine) and line.rest and not is_index(line.rest):
                return "paddlelabel"
    has_theirs = any(name.rpartition("/")[2].lower() == "labels.txt" for name in companions)
    return "paddlelabel" if has_theirs else "paddleclas"


def _certainty(
    seen: Preview, files: Sequence[str], images: frozenset[str]
) -> tuple[Certainty, str]:
    folders_of = {file.rpartition("/")[0] for file in files}
    if any(_is_there(row, folder, images) for row in seen.rows for folder in folders_of):
        return "sure", "names-images"
    return ("likely" if seen.labels else "possible"), "reads-well"


def _is_there(row: Record, folder: str, images: frozenset[str]) -> bool:
    near = {resolve(row.path, folder=folder), resolve(row.path)}
    return not images.isdisjoint(near | {*suffixes(row.path)})


def _beside(names: Sequence[str], images: Sequence[str], start_of: StartOf) -> Iterator[Detected]:
    texts = frozenset(name for name in names if suffix(name) == ".txt")
    with_text = [name for name in images if beside.text_name(name) in texts]
    if not with_text:
        return
    first = beside.text_name(with_text[0])
    record = beside.read(with_text[0], io.BytesIO(start_of(first)))
    if isinstance(record, BadLine):
        return
    certainty = "sure" if len(with_text) * 2 > len(images) else "possible"
    yield Detected("beside", certainty, "texts")


def _folders(images: Sequence[str]) -> Iterator[Detected]:
    labels = folders.labels_in(images)
    if labels:
        # One folder may have any name.
        yield Detected("folders", "likely" if len(labels) > 1 else "possible", "folders")

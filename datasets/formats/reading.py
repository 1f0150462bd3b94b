"""What the readers of label files have in common: the words for trouble, and for values.

A reader gives records in the order of its file. What is wrong with a line is told in between and
ends nothing; only a file that is something else altogether raises BadLabelFile.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Any, BinaryIO

from datasets.formats import Record
from datasets.names import readable

PATH_CHARACTERS = 1_024
LABEL_CHARACTERS = 1_024
LABELS_OF_ONE = 1_000
_LINES_BEFORE_GIVING_UP = 10
_SHOWN_CHARACTERS = 80
# Neither a storage nor a database takes these: control characters and halves of pairs.
_UNUSABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_UNUSABLE_IN_LABEL = re.compile("[\x00\ud800-\udfff]")
# fmt: off
_SPLIT_WORDS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "dev": "val",
    "test": "test", "testing": "test",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class BadLine:
    """What is wrong with a line, or with an entry of a list. `is_taken`: only a part of it was
    left out, its record was given all the same."""

    line: int
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_taken: bool = False

    def words(self) -> dict[str, Any]:
        """What its message is made with."""
        return {"line": self.line, **self.params}


class BadLabelFile(Exception):
    """The whole file cannot be read as what it is said to be."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader knows beside the bytes: the file's path below the import path, and the
    streams of the companions that lie in its folder, by their names."""

    name: str = ""
    companions: Mapping[str, BinaryIO] = field(default_factory=dict)

    def companion(self, *patterns: str) -> BinaryIO | None:
        """The first one whose name has one of the patterns."""
        for pattern in patterns:
            for name, stream in self.companions.items():
                if fnmatch(name.rpartition("/")[2].lower(), pattern):
                    return stream
        return None


Item = Record | BadLine
Read = Callable[..., Iterator[Item]]


def checked(line: int, raw: Record) -> Item:
    """The record with tidy labels, or why it cannot be used."""
    path = raw.path.strip()
    if not path:
        return BadLine(line, "line-without-path")
    if len(path) > PATH_CHARACTERS or _UNUSABLE.search(path):
        return BadLine(line, "line-path-unusable", {"path": shown(path)})
    confidences = raw.confidences or (None,) * len(raw.labels)
    labels: dict[str, float | None] = {}
    for text, confidence in zip(raw.labels, confidences, strict=True):
        label = unicodedata.normalize("NFC", text).strip()
        if len(label) > LABEL_CHARACTERS or _UNUSABLE_IN_LABEL.search(label):
            return BadLine(line, "line-label-unusable", {"label": shown(label)})
        if label:
            labels.setdefault(label, confidence)
    if len(labels) > LABELS_OF_ONE:
        return BadLine(line, "line-too-many-labels", {"limit": LABELS_OF_ONE})
    kept = tuple(labels.values()) if any(one is not None for one in labels.values()) else ()
    if (path, tuple(labels), kept) == (raw.path, raw.labels, raw.confidences):
        return raw
    return replace(raw, path=path, labels=tuple(labels), confidences=kept)


def unless_foreign(items: Iterable[Item], *, signs: frozenset[str], code: str) -> Iterator[Item]:
    """The items, unless the file begins with bad lines alone, all with codes in `signs`: then it
    is something else and not a file of this format with some bad lines."""
    items = iter(items)
    held: list[Item] = []
    for item in items:
        held.append(item)
        if isinstance(item, Record) or item.code not in signs:
            break
        if len(held) == _LINES_BEFORE_GIVING_UP:
            raise BadLabelFile(code)
    else:
        if held:
            raise BadLabelFile(code)
    yield from held
    yield from items


def shown(value: object) -> str:
    """A value from a file, fit to be stored and shown with a problem."""
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]}…"
    return readable(_UNUSABLE.sub(_escaped, text))


def _escaped(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}" if ord(found[0]) < 0x80 else found[0]


def split_named(word: object) -> str:
    """train, val or test for a word that means it, else nothing."""
    return _SPLIT_WORDS.get(word.strip().lower(), "") if isinstance(word, str) else ""


def split_in(path: str) -> str:
    """The split that a path names: by a word in the name of its file, or by a whole folder."""
    *folders, name = path.split("/")
    for word in (*re.split("[^a-z]+", name.lower()), *folders):
        if split := split_named(word):
            return split
    return ""


def without_splits(path: str) -> str:
    """The path with its words for splits taken out: files of one set become equal."""
    return re.sub("[a-z]+", lambda word: "*" if word[0] in _SPLIT_WORDS else word[0], path.lower())


def is_true(value: object) -> bool:
    """JSON's true, and the ways in which tables and ModelArts write it."""
    return str(value).strip().lower() in {"true", "1", "1.0", "yes", "y", "t"}


def share(value: object) -> float | None:
    """A number from 0 to 1, from a number or a text; what is none of that is nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number <= 1 else None


def is_machine(annotator: object) -> bool:
    """Whether a label of this annotator was made by no person: `modelarts/auto-label`, `model`."""
    word = str(annotator or "").strip().lower()
    return word.startswith("modelarts/") or word in {"machine", "model", "auto", "prediction"}

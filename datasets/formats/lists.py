"""What the lists of PaddleClas and PaddleLabel share: lines that begin with a path; class names.

Neither tool can have blanks in a path; people do, so the path ends with the suffix of an image.
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

from datasets.formats.lines import text_lines
from datasets.formats.reading import BadLabelFile, BadLine, Context
from datasets.names import IMAGE_SUFFIXES, suffix

CLASSES = 100_000
CLASS_FILES = ("label_list.txt", "labels.txt")
# A file that begins with such lines alone is no list.
FOREIGN = frozenset({"line-without-index", "line-encoding", "line-too-long"})
_SUFFIXES = "|".join(sorted(one[1:] for one in IMAGE_SUFFIXES))
_WITH_BLANKS = re.compile(rf"(?P<path>.+\.(?:{_SUFFIXES}))(?P<rest>[ \t,].*)?", re.IGNORECASE)
_QUOTED = re.compile(r'"(?P<path>[^"]+)"(?P<rest>.*)')
_INDEX_FIRST = re.compile(r"(\d{1,9})[ \t,:]+(\S.*)", re.ASCII)


class ListLine(NamedTuple):
    number: int
    path: str
    rest: str
    has_tab: bool


def list_lines(stream: BinaryIO) -> Iterator[ListLine | BadLine]:
    """The lines of a list, each parted into the path and what stands behind it."""
    for line in text_lines(stream):
        if isinstance(line, BadLine):
            yield line
            continue
        number, text = line
        text = text.strip(" \r\t")
        if text:
            yield _parted(number, text) or BadLine(number, "line-without-index")


def _parted(number: int, text: str) -> ListLine | None:
    path, tab, rest = text.partition("\t")
    if tab:
        return ListLine(number, path, rest.strip(" \t"), True)
    found = _QUOTED.fullmatch(text) or _WITH_BLANKS.fullmatch(text)
    path, _blank, rest = text.partition(" ")
    is_plain = rest and " " not in rest and not text.startswith('"') and not _is_image(rest)
    if is_plain and (_is_image(path) or not found):
        return ListLine(number, path, rest, False)
    if found:
        return ListLine(number, found["path"], (found["rest"] or "").strip(" \t,"), False)
    return None


def _is_image(text: str) -> bool:
    return suffix(text) in IMAGE_SUFFIXES


def class_names(context: Context) -> dict[int, str] | None:
    """The names of the classes by their index, from the companion; None: there is none.

    `0 tench, Tinca tinca`, as PaddleClas writes it, or a name per line as PaddleLabel does, with
    id and colour behind it: there the line's place is the index, whatever the id says.
    """
    stream = context.companion(*CLASS_FILES)
    if stream is None:
        return None
    rows: list[str] = []
    for line in text_lines(stream):
        text = "" if isinstance(line, BadLine) else line[1].partition("//")[0].strip()
        # A line that cannot be read keeps its place.
        if text or isinstance(line, BadLine):
            rows.append(text)
        if len(rows) > CLASSES:
            raise BadLabelFile("too-many-classes", limit=f"{CLASSES:,}")
    found = [_INDEX_FIRST.fullmatch(row) for row in rows]
    indexed = {int(one[1]): one[2] for one in found if one}
    if len(indexed) == len(rows):
        return indexed
    return {index: _without_id(row) for index, row in enumerate(rows)}


def _without_id(row: str) -> str:
    """`name 3 #ff0000` is a name with an id and a colour, `Sour Milk` a name with a blank."""
    name, *rest = re.split(r"[ \t]+", row)
    is_name = not rest or rest[0] == "-" or rest[0].isdecimal() or rest[0].startswith("#")
    return name if is_name else row


def name_of(index: str, names: Mapping[int, str] | None, *, line: int) -> str | BadLine:
    """The class at an index; without a list of classes, the index is the name."""
    if names is None:
        return index
    number = int(index)
    if not names.get(number):
        return BadLine(line, "line-index-unknown", {"index": index, "classes": len(names)})
    return names[number]


def is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10

"""PaddleLabel's lists: `path index` for one label, `path index index` for several.

train_list.txt, val_list.txt and test_list.txt, with labels.txt for what the indices mean. A label
may stand there by its name as well; digits are always an index, even where a label is named `2`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from datasets.formats import Record
from datasets.formats.lists import FOREIGN, ListLine, class_names, is_index, list_lines, name_of
from datasets.formats.reading import BadLine, Context, Item, checked, split_in, unless_foreign


def read(stream: BinaryIO, *, context: Context) -> Iterator[Item]:
    """The records of one list; its name tells the split."""
    names = class_names(context)
    known = frozenset((names or {}).values())
    split = split_in(context.name.rpartition("/")[2])
    items = (
        line if isinstance(line, BadLine) else _record(line, names, known, split)
        for line in list_lines(stream)
    )
    yield from unless_foreign(items, signs=FOREIGN, code="not-a-list")


def _record(
    line: ListLine, names: Mapping[int, str] | None, known: frozenset[str], split: str
) -> Item:
    labels = []
    for value in _values(line, known):
        label = name_of(value, names, line=line.number) if is_index(value) else value
        if isinstance(label, BadLine):
            return label
        labels.append(label)
    return checked(line.number, Record(line.path, split, tuple(labels), is_labeled=bool(labels)))


def _values(line: ListLine, known: frozenset[str]) -> list[str]:
    """A tab or a comma parts names that have blanks in them; else blanks part."""
    if line.rest in known and not is_index(line.rest):
        return [line.rest]
    if "\t" in line.rest or "," in line.rest:
        found = re.split("[\t,]", line.rest)
    elif line.has_tab and not is_index(line.rest.replace(" ", "")):
        found = [line.rest]
    else:
        found = line.rest.split(" ")
    return [value for value in (one.strip() for one in found) if value]

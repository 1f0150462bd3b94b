"""Hugging Face imagefolder: metadata.jsonl or metadata.csv in the folder of the images.

`{"file_name": "0001.jpg", "labels": ["car", "bus"]}`; the folder is that of a split.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from datasets.formats import Record, csv_table
from datasets.formats.json_text import json_lines
from datasets.formats.reading import (
    BadLine,
    Context,
    Item,
    checked,
    is_true,
    share,
    split_in,
    split_named,
    unless_foreign,
)

_SIGNS = frozenset({"line-not-json", "line-without-file-name", "line-encoding", "line-too-long"})


def read(stream: BinaryIO, *, context: Context) -> Iterator[Item]:
    if context.name.lower().endswith(".csv"):
        yield from csv_table.read(stream, context=context)
        return
    split = split_in(context.name)
    items = (
        line if isinstance(line, BadLine) else _record(*line, split) for line in json_lines(stream)
    )
    yield from unless_foreign(items, signs=_SIGNS, code="not-metadata")


def _record(number: int, entry: Mapping[str, Any], split: str) -> Item:
    path = entry.get("file_name")
    if not isinstance(path, str):
        return BadLine(number, "line-without-file-name")
    value = field_of(entry, "labels")
    labels = _texts(value)
    confidence = share(field_of(entry, "confidence"))
    record = Record(
        path,
        split_named(field_of(entry, "split")) or split,
        labels,
        # An empty list is an answer; no list, or null, is none.
        is_labeled=bool(labels) or value == [],
        is_hard=is_true(field_of(entry, "hard")),
        confidences=(confidence,) * len(labels),
    )
    return checked(number, record)


def field_of(entry: Mapping[str, Any], name: str) -> Any:
    """A field by the first of its usual names that the object has."""
    return next((entry[key] for key in csv_table.FIELDS[name] if key in entry), None)


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(
        str(one) for one in values if isinstance(one, str | int) and not isinstance(one, bool)
    )

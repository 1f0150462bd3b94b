"""Tables of images and labels in the shapes that Kaggle, fastai, Roboflow and Open Images have.

A label column with one label or several in a cell, a row per label, or a column of 0 and 1 for
each label. `guess` finds the columns; a caller that knows better says which they are.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO

from datasets.formats import Record
from datasets.formats.json_text import loaded
from datasets.formats.lines import text_lines
from datasets.formats.reading import (
    LABELS_OF_ONE,
    BadLabelFile,
    BadLine,
    Context,
    Item,
    checked,
    is_machine,
    is_true,
    share,
    shown,
    split_in,
    split_named,
)
from datasets.names import IMAGE_SUFFIXES, suffix

# fmt: off
FIELDS: dict[str, tuple[str, ...]] = {
    "path": (
        "path", "file_name", "filename", "image_path", "image", "image_name", "imagename", "fname",
        "file", "file_path", "filepath", "imageid", "image_id", "img", "img_path", "image_url",
        "source", "图片", "文件名", "路径",
    ),
    "labels": (
        "labels", "label", "labelname", "label_name", "classes", "class", "class_name", "tags",
        "tag", "categories", "category", "choice", "choices", "标签", "类别",
    ),
    "split": ("split", "subset", "usage", "set", "partition", "ml_use", "用途"),
    "is_valid": ("is_valid",),
    "hard": ("hard", "is_hard", "difficult", "难例"),
    "confidence": ("confidence", "score", "probability", "置信度"),
    "annotator": ("annotated_by", "annotator", "labeled_by"),
    "width": ("width",),
    "height": ("height",),
}
# fmt: on
COMPANIONS = ("*class-descriptions*.csv",)
_NUMBERED_LABEL = re.compile(r"(label|class|tag|category)[ _-]?\d+")
_SAMPLE_ROWS = 200
_LINES_OF_A_ROW = 50
_ROW_CHARACTERS = 100_000
_DELIMITERS = ",;\t"
_SEPARATORS = "|;,"
# Of several words in a cell of these, each is a label; elsewhere a blank is a part of the name.
_PLURALS = frozenset({"labels", "tags", "classes", "categories"})
_MARKS = frozenset({"0", "1", "0.0", "1.0", "true", "false", ""})

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row things stand. `marks`: columns of 0 and 1 with the labels they mean;
    `separator`: what parts several labels in one cell, nothing where there is one."""

    path: int
    labels: tuple[int, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    separator: str = ""
    has_header: bool = True
    split: int | None = None
    is_valid: int | None = None
    hard: int | None = None
    confidence: int | None = None
    annotator: int | None = None
    width: int | None = None
    height: int | None = None
    # Open Images: a confidence of 0 says that this one label does not apply, and of others nothing.
    has_verified_absence: bool = False


def read(stream: BinaryIO, *, context: Context, columns: Columns | None = None) -> Iterator[Item]:
    """The records of a table. Rows of one image that follow each other become one record."""
    rows = _rows(stream)
    first = list(islice(rows, _SAMPLE_ROWS))
    sample = [item[1] for item in first if not isinstance(item, BadLine)]
    if columns is None and sample:
        columns = guess(sample)
    if columns is None:
        yield from (item for item in first if isinstance(item, BadLine))
        return
    names = _descriptions(context)
    split = split_in(context.name)
    body = _without_header(chain(first, rows)) if columns.has_header else chain(first, rows)
    yield from _merged(
        item if isinstance(item, BadLine) else _record(item, columns, names, split) for item in body
    )


def guess(rows: Sequence[Sequence[str]]) -> Columns:
    """The columns of a table, from its first rows; raises BadLabelFile where that is hopeless."""
    header = [_key(cell) for cell in rows[0]]
    if any(_is_image(cell) for cell in rows[0]):
        return _without_names(rows)
    body = rows[1:]
    found = {field: _named(header, names) for field, names in FIELDS.items() if field != "labels"}
    if "imageid" in header and "labelname" in header:
        found["annotator"] = _named(header, ("source",))
    path = found.pop("path")
    if path is None:
        path = next((at for at in range(len(header)) if _holds_images(body, at)), None)
    if path is None:
        raise BadLabelFile("table-without-path", columns=shown(", ".join(rows[0])))
    columns = Columns(path, **found, has_verified_absence=_is_open_images(header))
    taken = {path, *(at for at in found.values() if at is not None)}
    free = [at for at, name in enumerate(header) if at not in taken and name]
    labels = [at for at in free if header[at] in FIELDS["labels"]][:1]
    labels = labels or [at for at in free if _NUMBERED_LABEL.fullmatch(header[at])]
    if not labels and free and all(_is_mark(row, at) for row in body for at in free):
        return replace(columns, marks=tuple((at, rows[0][at].strip()) for at in free))
    if not labels and len(free) == 1:
        labels = free
    if not labels:
        raise BadLabelFile("table-without-labels", columns=shown(", ".join(rows[0])))
    separator = _separator(header[labels[0]], [_cell(row, labels[0]) for row in body])
    return replace(columns, labels=tuple(labels), separator=separator)


def _without_names(rows: Sequence[Sequence[str]]) -> Columns:
    """A table with no header: before the path may be a split, after it are labels."""
    path = next(at for at, cell in enumerate(rows[0]) if _is_image(cell))
    width = max(len(row) for row in rows)
    split = path - 1 if path and split_named(rows[0][path - 1]) else None
    labels = tuple(range(path + 1, width))
    separator = _separator("", [_cell(row, at) for row in rows for at in labels])
    return Columns(path, labels, separator=separator, has_header=False, split=split)


def _separator(name: str, cells: Sequence[str]) -> str:
    """What parts the labels in these cells, or in later ones of the column if in none of these.

    Cells of JSON need nothing, and a comma between brackets is theirs.
    """
    plain = [cell for cell in cells if not cell.startswith(("[", "{"))]
    for separator in _SEPARATORS:
        if any(separator in cell for cell in plain):
            return separator
    return " " if name in _PLURALS else _SEPARATORS[0]


def _is_open_images(header: Sequence[str]) -> bool:
    return {"imageid", "labelname", "confidence"} <= set(header)


def _key(cell: str) -> str:
    return re.sub("[ -]+", "_", cell.strip().lower())


def _named(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _holds_images(rows: Sequence[Sequence[str]], at: int) -> bool:
    return bool(rows) and all(_is_image(_cell(row, at)) for row in rows)


def _is_image(cell: str) -> bool:
    return suffix(cell.strip()) in IMAGE_SUFFIXES


def _is_mark(row: Sequence[str], at: int) -> bool:
    return _cell(row, at).lower() in _MARKS


def _cell(row: Sequence[str], at: int | None) -> str:
    return row[at].strip() if at is not None and at < len(row) else ""


def _without_header(rows: Iterator[Row | BadLine]) -> Iterator[Row | BadLine]:
    is_header = True
    for item in rows:
        if is_header and not isinstance(item, BadLine):
            is_header = False
        else:
            yield item


def _record(row: Row, columns: Columns, names: Mapping[str, str], split: str) -> Item:
    number, cells = row
    if columns.has_header and 1 < len(cells) <= max((columns.path, *columns.labels)):
        return BadLine(number, "line-too-few-cells", {"cells": len(cells)})
    by_machine = is_machine(_cell(cells, columns.annotator))
    confidence = share(_cell(cells, columns.confidence))
    labels = _labels(cells, columns, names)
    if columns.has_verified_absence:
        labels = [] if confidence == 0 else labels
        confidence = confidence if by_machine else None
    if columns.is_valid is not None and _cell(cells, columns.is_valid):
        split = "val" if is_true(_cell(cells, columns.is_valid)) else "train"
    record = Record(
        _cell(cells, columns.path),
        split_named(_cell(cells, columns.split)) or split,
        tuple(labels),
        is_labeled=bool(labels or columns.marks),
        width=_pixels(_cell(cells, columns.width)),
        height=_pixels(_cell(cells, columns.height)),
        is_hard=is_true(_cell(cells, columns.hard)),
        confidences=(confidence,) * len(labels),
        is_confirmed=not (by_machine and labels),
    )
    return checked(number, record)


def _labels(cells: Sequence[str], columns: Columns, names: Mapping[str, str]) -> list[str]:
    labels = [label for at, label in columns.marks if is_true(_cell(cells, at))]
    for at in columns.labels:
        labels += labels_in_cell(_cell(cells, at), columns.separator)
    return [names.get(label, label) for label in labels]


def labels_in_cell(text: str, separator: str) -> list[str]:
    """The labels of one cell; Label Studio and Hugging Face write JSON in it."""
    if text.startswith(("[", "{")):
        value = loaded(text)
        value = value.get("choices") if isinstance(value, dict) else value
        if isinstance(value, list):
            return [one for one in value if isinstance(one, str)]
    parts = text.split(separator) if separator else [text]
    return [part.strip() for part in parts if part.strip()]


def _pixels(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _merged(items: Iterator[Item]) -> Iterator[Item]:
    """Rows of one image in one record, as long as they follow each other."""
    held: Record | None = None
    labels: dict[str, float | None] = {}
    for item in items:
        if isinstance(item, BadLine):
            yield item
            continue
        if held is not None and (held.path != item.path or len(labels) >= LABELS_OF_ONE):
            yield _with(held, labels)
            held = None
        if held is None:
            held, labels = item, {}
        else:
            held = replace(
                held,
                split=held.split or item.split,
                is_labeled=held.is_labeled or item.is_labeled,
                is_hard=held.is_hard or item.is_hard,
                is_confirmed=held.is_confirmed and item.is_confirmed,
            )
        given = item.confidences or (None,) * len(item.labels)
        for label, confidence in zip(item.labels, given, strict=True):
            labels.setdefault(label, confidence)
    if held is not None:
        yield _with(held, labels)


def _with(record: Record, labels: Mapping[str, float | None]) -> Record:
    if tuple(labels) == record.labels:
        return record
    has_any = any(one is not None for one in labels.values())
    return replace(
        record, labels=tuple(labels), confidences=tuple(labels.values()) if has_any else ()
    )


def _descriptions(context: Context) -> dict[str, str]:
    """The names of labels that a table gives by an id, as Open Images does: `/m/0001,Apple`."""
    stream = context.companion(*COMPANIONS)
    if stream is None:
        return {}
    rows = (row for row in _rows(stream) if not isinstance(row, BadLine))
    return {cells[0].strip(): cells[1].strip() for _number, cells in rows if len(cells) > 1}


def _rows(stream: BinaryIO) -> Iterator[Row | BadLine]:
    """The rows with the numbers of their first lines; blank ones are left out.

    A cell in quotes may go over several lines. One that does not end soon was never meant to: its
    line alone is lost, and the next one begins a row again.
    """
    lines = text_lines(stream)
    again: deque[tuple[int, str] | BadLine] = deque()
    delimiter = ""
    held: list[tuple[int, str]] = []
    while True:
        line = again.popleft() if again else next(lines, None)
        if line is None and not held:
            return
        if isinstance(line, BadLine):
            yield line
            continue
        if line is not None:
            if not held and not line[1].strip(f"{_DELIMITERS} "):
                continue
            delimiter = delimiter or max(_DELIMITERS, key=line[1].count)
            held.append(line)
        try:
            cells = _cells([text for _number, text in held], delimiter)
            is_hopeless = cells is None and (line is None or _is_enough(held))
        except csv.Error:
            cells, is_hopeless = None, True
        if cells is not None:
            yield held[0][0], cells
            held = []
        elif is_hopeless:
            yield BadLine(held[0][0], "line-quote-open")
            again.extendleft(reversed(held[1:]))
            held = []


def _is_enough(held: Sequence[tuple[int, str]]) -> bool:
    return (
        len(held) == _LINES_OF_A_ROW or sum(len(text) for _number, text in held) > _ROW_CHARACTERS
    )


def _cells(lines: Sequence[str], delimiter: str) -> list[str] | None:
    """The cells of one row; none while a quote is open, csv.Error where it cannot be closed."""
    if '"' not in lines[0]:
        return lines[0].split(delimiter)
    text = (f"{line}\n" for line in lines)
    try:
        return next(csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
        if len(lines) > 1:
            raise
    # Quotes inside a cell that nobody doubled: taken as they are.
    return next(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))

"""PaddleClas lists, as its ImageNetDataset (one label) and MultiLabelDataset (several) read them.

train_list.txt, val_list.txt, test_list.txt hold a line per image: `path index`, or
`path<TAB>0,1,0` with a column per label. label_list.txt names the indices: `0 name`.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Literal, cast

from datasets.formats import ImageFile, Losses, Record, TextFile
from datasets.formats.lists import FOREIGN, ListLine, class_names, is_index, list_lines, name_of
from datasets.formats.reading import (
    BadLine,
    Context,
    Item,
    checked,
    split_in,
    unless_foreign,
)
from datasets.names import fits_list, list_safe
from datasets.splits import SPLITS

IMAGE_FOLDER = "images"
# A list of a million lines goes to disk, one of a few thousand stays in memory.
_SPOOL_BYTES = 2_000_000

Mode = Literal["single", "multi"]


def read(stream: BinaryIO, *, context: Context) -> Iterator[Item]:
    """The records of one list; its name tells the split, label_list.txt what the indices mean."""
    names = class_names(context)
    split = split_in(context.name.rpartition("/")[2])
    items = (
        line if isinstance(line, BadLine) else _record(line, names, split)
        for line in list_lines(stream)
    )
    yield from unless_foreign(items, signs=FOREIGN, code="not-a-list")


def _record(line: ListLine, names: Mapping[int, str] | None, split: str) -> Item:
    values = [value for value in re.split("[ ,\t]+", line.rest) if value]
    for value in values:
        if not is_index(value):
            return BadLine(line.number, "line-without-index")
    if _is_row_of_columns(line, values, names):
        if names is not None and len(values) != len(names):
            params = {"columns": len(values), "classes": len(names)}
            return BadLine(line.number, "line-columns-differ", params)
        values = [str(index) for index, value in enumerate(values) if value == "1"]
        is_labeled = True
    else:
        is_labeled = bool(values)
    labels = []
    for value in values:
        label = name_of(value, names, line=line.number)
        if isinstance(label, BadLine):
            return label
        labels.append(label)
    return checked(line.number, Record(line.path, split, tuple(labels), is_labeled=is_labeled))


def _is_row_of_columns(
    line: ListLine, values: Sequence[str], names: Mapping[int, str] | None
) -> bool:
    """Whether these are a 0 or 1 for each class, and not indices (`0,3`)."""
    if not values or not set(values) <= {"0", "1"}:
        return False
    if len(values) == 1:
        return line.has_tab and names is not None and len(names) == 1
    if "," not in line.rest:
        return False
    # Nobody names an index twice, so more than two cannot be indices.
    return len(values) > 2 or names is None or len(names) == 2


def write(
    records: Iterable[Record],
    *,
    labels: Sequence[str],
    mode: Mode,
    with_images: bool,
    losses: Losses | None = None,
) -> Iterator[ImageFile | TextFile]:
    """Yields an ImageFile for each image in a list, then the text files.

    With images, they belong under `images/` in their own folders; one whose name would break a
    list gets another name, and renamed.csv tells which. Without images the lists name them
    relative to the dataset's folder: one that would break a list is left out, since nothing can
    be renamed there. left_out.csv names these and every labeled image that the format cannot
    hold; report.json has the counts, which `losses` has as well.
    """
    losses = Losses() if losses is None else losses
    lists = _Lists(labels, mode=mode, with_images=with_images, losses=losses)
    with ExitStack() as stack:
        lists.open(stack)
        for record in records:
            image = lists.add(record)
            if image is not None:
                yield image
        yield from lists.files()


class _Lists:
    """The text files while they grow."""

    def __init__(
        self, labels: Sequence[str], *, mode: Mode, with_images: bool, losses: Losses
    ) -> None:
        if any("\n" in label or "\r" in label for label in labels):
            raise ValueError("a label with a line break cannot be written")
        self._labels = labels
        self._index = {label: index for index, label in enumerate(labels)}
        self._is_single = mode == "single"
        self._with_images = with_images
        self._losses = losses
        self._lists: dict[str, IO[bytes]] = {}

    def open(self, stack: ExitStack) -> None:
        for split in SPLITS:
            file = SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - the stack closes it
            self._lists[split] = stack.enter_context(file)
        self._renamed = stack.enter_context(_Table("old", "new"))
        self._left_out = stack.enter_context(_Table("path", "reason"))

    def add(self, record: Record) -> ImageFile | None:
        named = dict.fromkeys(record.labels)
        held = [label for label in named if label in self._index]
        self._losses.dropped["label"] += len(named) - len(held)
        reason = self._reason_against(record, held)
        if reason:
            self._losses.left_out[reason] += 1
            # Samples that nobody has labeled are no surprise, and can be a million.
            if reason != "unlabeled":
                self._left_out.add(_harmless(record.path), reason)
            return None
        name = self._name_of(record)
        split = record.split or "train"
        self._losses.changed["without-split"] += not record.split
        self._losses.dropped["hard"] += record.is_hard
        self._losses.written[split] += 1
        self._lists[split].write(f"{name}{self._value_of(held)}\n".encode())
        return ImageFile(record.path, name)

    def _reason_against(self, record: Record, held: Sequence[str]) -> str:
        if not record.is_labeled:
            return "unlabeled"
        if record.labels and not held:
            return "unlisted-label"
        if self._is_single and len(held) != 1:
            return "several-labels" if held else "empty"
        if not self._with_images and not self._fits(record.path):
            return "unsafe-path"
        return ""

    def _fits(self, path: str) -> bool:
        # A line of the list for one label is parted by spaces, one for several by a tab.
        return fits_list(path, with_spaces=not self._is_single)

    def _name_of(self, record: Record) -> str:
        if not self._with_images:
            return record.path
        name = f"{IMAGE_FOLDER}/{list_safe(record.path, with_spaces=not self._is_single)}"
        if name != f"{IMAGE_FOLDER}/{record.path}":
            self._losses.changed["renamed"] += 1
            self._renamed.add(_harmless(record.path), name)
        return name

    def _value_of(self, held: Sequence[str]) -> str:
        if self._is_single:
            return f" {self._index[held[0]]}"
        columns = ["0"] * len(self._labels)
        for label in held:
            columns[self._index[label]] = "1"
        return "\t" + ",".join(columns)

    def files(self) -> Iterator[TextFile]:
        for split, file in self._lists.items():
            file.seek(0)
            yield TextFile(f"{split}_list.txt", cast(BinaryIO, file))
        names = "".join(f"{index} {label}\n" for index, label in enumerate(self._labels))
        yield TextFile("label_list.txt", io.BytesIO(names.encode()))
        for name, table in (("renamed.csv", self._renamed), ("left_out.csv", self._left_out)):
            if table.rows:
                yield TextFile(name, table.finished())
        report = json.dumps(self._losses.as_dict(), indent=2)
        yield TextFile("report.json", io.BytesIO(report.encode()))


class _Table:
    """A CSV file that is written row by row and read when it is done."""

    def __init__(self, *columns: str) -> None:
        self.rows = 0
        self._file = SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - closed with the table
        self._text = io.TextIOWrapper(cast(BinaryIO, self._file), "utf-8", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(columns)

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, *_error: object) -> None:
        self._text.close()

    def add(self, *values: str) -> None:
        self.rows += 1
        self._writer.writerow(values)

    def finished(self) -> BinaryIO:
        self._text.flush()
        self._file.seek(0)
        return cast(BinaryIO, self._file)


def _harmless(path: str) -> str:
    """The path in a form that is the same place, but no formula to a spreadsheet."""
    return f"./{path}" if path.startswith(("=", "+", "-", "@", "\t", "\r")) else path

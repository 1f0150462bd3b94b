"""Every format that labels can be read from, with the name that people know it by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from datasets.formats import (
    Record,
    csv_table,
    hf_imagefolder,
    label_studio,
    lists,
    modelarts_manifest,
    paddleclas,
    paddlelabel,
)
from datasets.formats.reading import BadLine, Item, Read


@dataclass(frozen=True, slots=True)
class Reader:
    """How a format is read. `source`: from label files, with `read`; from the paths of the images
    (`folders`); from a text beside each image (`beside`). `files` and `companions` are patterns of
    names in lower case."""

    title: str | Promise
    source: Literal["files", "paths", "texts"]
    read: Read | None = None
    files: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()


_LISTS = ("*_list.txt", "*-list.txt", "train.txt", "val.txt", "test.txt")
READERS = {
    "folders": Reader(_("A folder for each label (ImageNet)"), "paths"),
    "beside": Reader(_("A text file beside each image"), "texts"),
    "modelarts_manifest": Reader(
        _("ModelArts manifest"), "files", modelarts_manifest.read, ("*.manifest", "*.jsonl")
    ),
    "paddleclas": Reader(
        _("PaddleClas lists"), "files", paddleclas.read, _LISTS, lists.CLASS_FILES
    ),
    "paddlelabel": Reader(
        _("PaddleLabel lists"), "files", paddlelabel.read, _LISTS, lists.CLASS_FILES
    ),
    "csv_table": Reader(
        _("Table (CSV)"), "files", csv_table.read, ("*.csv", "*.tsv"), csv_table.COMPANIONS
    ),
    "label_studio": Reader(_("Label Studio JSON"), "files", label_studio.read, ("*.json",)),
    "hf_imagefolder": Reader(
        _("Hugging Face imagefolder"),
        "files",
        hf_imagefolder.read,
        ("metadata.jsonl", "metadata.csv"),
    ),
}


@dataclass(slots=True)
class Preview:
    """The beginning of what was read. `labels` counts images; `has_more`: that was not all."""

    rows: list[Record] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    records: int = 0
    has_more: bool = False


def preview(items: Iterable[Item], *, rows: int = 20, most: int = 1_000) -> Preview:
    """Keeps the first rows and bad lines, and counts the labels of at most `most` items."""
    found = Preview()
    for number, item in enumerate(items):
        if number == most:
            found.has_more = True
            break
        if isinstance(item, BadLine):
            if len(found.bad_lines) < rows:
                found.bad_lines.append(item)
            continue
        if len(found.rows) < rows:
            found.rows.append(item)
        found.records += 1
        found.labels.update(item.labels)
        found.splits[item.split] += 1
    return found

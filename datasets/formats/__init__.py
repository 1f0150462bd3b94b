"""Interchange formats of labels, one module each: what reads and what writes it side by side.

They know records and text, no storage and no rows. `readers` lists what can be read, `detection`
finds out what a folder holds.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Record:
    """One image with its labels, as every format sees it.

    `is_labeled` with no labels means that somebody looked and nothing applies; that is not the
    same as not labeled. Width and height are upright. `split` is train, val, test or nothing.

    What was read carries more: `confidences`, where there are any, has one for each label, in
    their order; `is_confirmed` is false where a label comes from a machine. Then `path` is what
    the file says, see datasets.formats.paths; some files have several records of one path, whose
    labels belong together.
    """

    path: str
    split: str = ""
    labels: tuple[str, ...] = ()
    is_labeled: bool = True
    width: int = 0
    height: int = 0
    is_hard: bool = False
    confidences: tuple[float | None, ...] = ()
    is_confirmed: bool = True


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image that belongs into the export: where it is, and its name in there."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of the format. The stream can be read until the next item is asked for."""

    name: str
    stream: BinaryIO


@dataclass(slots=True)
class Losses:
    """What of a dataset a format could not hold, counted by code, and what was written.

    Codes: unlabeled, empty (labeled with nothing), several-labels, unlisted-label, unsafe-path
    (samples left out); renamed, without-split (samples changed); hard, label (facts dropped).
    """

    written: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Without the zeros."""
        return {
            "written": dict(+self.written),
            "left_out": dict(+self.left_out),
            "changed": dict(+self.changed),
            "dropped": dict(+self.dropped),
        }

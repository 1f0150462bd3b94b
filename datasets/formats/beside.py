"""A text beside each image: `10.jpg` and `10.txt`, one label per line.

"ModelArts image classification 1.0", and the only thing that ModelArts exports for it.
"""

import re
from typing import BinaryIO

from datasets.formats import Record
from datasets.formats.lines import text_lines
from datasets.formats.reading import BadLabelFile, BadLine, Item, checked, split_in

TEXT_BYTES = 65_536
# `0 0.51 0.42 0.1 0.2`: a class and the corners of its box, as YOLO writes them.
_BOX = re.compile(r"\d+( -?\d+(\.\d+)?(e-?\d+)?){4,}\s*")


def text_name(path: str) -> str:
    """The path of the text that belongs to an image."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}.txt"


def read(path: str, text: BinaryIO | None) -> Item:
    """The record of one image. Without a text nobody has looked at it; with an empty one somebody
    has, and nothing applies."""
    split = split_in(f"{path.rpartition('/')[0]}/")
    if text is None:
        return Record(path, split, is_labeled=False)
    labels = []
    size = 0
    try:
        for line in text_lines(text):
            if isinstance(line, BadLine):
                return line
            number, label = line
            size += len(label) + 1
            if size > TEXT_BYTES:
                return BadLine(number, "text-too-long", {"limit": f"{TEXT_BYTES:,}"})
            if _BOX.fullmatch(label):
                return BadLine(number, "text-has-boxes")
            labels.append(label)
    except BadLabelFile as error:
        return BadLine(1, error.code, error.params)
    return checked(1, Record(path, split, tuple(labels)))

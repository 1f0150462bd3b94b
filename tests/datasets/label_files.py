"""Label files given as text, and the real ones with the truth that they hold."""

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from datasets.formats import Record
from datasets.formats.readers import READERS
from datasets.formats.reading import BadLine, Context, Item
from tests import needs


def read(format: str, text: str | bytes, *, name: str = "", **options) -> list[Item]:
    """What the reader of a format gives; `beside` has companions by name."""
    beside = options.pop("beside", {})
    companions = {key: io.BytesIO(as_bytes(value)) for key, value in beside.items()}
    context = Context(name=name, companions=companions)
    return list(READERS[format].read(io.BytesIO(as_bytes(text)), context=context, **options))


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def read_files(format: str, root: Path, names: Iterable[str], beside: Iterable[str] = ()) -> list:
    """All label files of a folder, one after the other."""
    companions = {name: (root / name).read_bytes() for name in beside}
    return [
        item
        for name in names
        for item in read(format, (root / name).read_bytes(), name=name, beside=companions)
    ]


def records(items: Iterable[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def bad_lines(items: Iterable[Item]) -> list[tuple[int, str]]:
    return [(item.line, item.code) for item in items if isinstance(item, BadLine)]


def pairs(items: Iterable[Item]) -> list[tuple[str, tuple[str, ...]]]:
    """Path and labels of every record; there are no bad lines."""
    assert bad_lines(items) == []
    return [(record.path, record.labels) for record in records(items)]


def by_name(items: Iterable[Item]) -> dict[str, Record]:
    """The records by the name of their image, which is all that the ten layouts share."""
    named = [replace(one, path=one.path.rpartition("/")[2]) for one in records(items)]
    found = {record.path: record for record in named}
    assert len(found) == len(named)
    return found


def layout(name: str) -> Path:
    return needs.shared_data() / "formats" / name


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def truth() -> dict[str, Record]:
    """What a format that loses nothing but sizes holds of the twelve images."""
    stored = json.loads(layout("expected.json").read_text())["images"]
    return {
        image["file"]: Record(
            image["file"],
            image["split"],
            labels := tuple(dict.fromkeys(image["labels"])),
            is_labeled=bool(labels),
            is_hard=image["hard"],
            confidences=() if image["conf"] is None else (image["conf"],) * len(labels),
            is_confirmed=image["by"] == "human",
        )
        for image in stored
    }


def without(kept: dict[str, Record], **lost) -> dict[str, Record]:
    """The truth as a format holds it that has no room for some facts."""
    return {name: replace(record, **lost) for name, record in kept.items()}

"""The manifest of ModelArts: a JSON object per line and image.

What its own exports and its SDK write is taken, which is more than its specification says.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from datasets.formats import Record
from datasets.formats.json_text import json_lines, loaded
from datasets.formats.reading import (
    BadLine,
    Context,
    Item,
    checked,
    is_machine,
    is_true,
    share,
    shown,
    split_named,
    unless_foreign,
)

_OURS = "image_classification"
_HARD = "@modelarts:hard"


def read(stream: BinaryIO, *, context: Context) -> Iterator[Item]:  # noqa: ARG001 - as all readers
    signs = frozenset({"line-not-json", "line-without-source", "line-encoding", "line-too-long"})
    yield from unless_foreign(_items(stream), signs=signs, code="not-a-manifest")


def _items(stream: BinaryIO) -> Iterator[Item]:
    for line in json_lines(stream):
        if isinstance(line, BadLine):
            yield line
        else:
            yield from _of_line(*line)


def _of_line(number: int, entry: Mapping[str, Any]) -> Iterator[Item]:
    source = entry.get("source")
    if not isinstance(source, str) or not source.strip():
        yield BadLine(number, "line-without-source")
        return
    named, remarks = _sorted_out(number, entry)
    marks = [entry, *named]
    record = Record(
        path=source,
        split=split_named(entry.get("usage")),
        labels=tuple(str(one["name"]) for one in named),
        confidences=tuple(share(one.get("confidence")) for one in named),
        is_labeled=bool(named),
        is_hard=any(is_true(mark.get("hard")) for mark in marks)
        or any(is_true(one.get(_HARD)) for mark in marks for one in _properties(mark)),
        is_confirmed=not any(is_machine(_either(one, "annotated-by")) for one in named),
    )
    item = checked(number, record)
    yield item
    if isinstance(item, Record):
        yield from remarks


def _sorted_out(
    number: int, entry: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], list[BadLine]]:
    """The annotations that name a label, and remarks on the others."""
    named, remarks = [], []
    annotations = entry.get("annotation") or []
    for one in annotations if isinstance(annotations, list) else [annotations]:
        kind = one.get("type") if isinstance(one, dict) else None
        name = one.get("name") if isinstance(one, dict) else None
        # Only its last part says what it is: other products write their own before it.
        if isinstance(kind, str) and kind.rpartition("/")[2].lower() != _OURS:
            params = {"type": shown(kind)}
            remarks.append(BadLine(number, "line-other-annotation", params, is_taken=True))
        elif isinstance(name, str) or (isinstance(name, int) and not isinstance(name, bool)):
            named.append(one)
        else:
            remarks.append(BadLine(number, "line-annotation-without-name", is_taken=True))
    return named, remarks


def _properties(mark: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The attributes of a sample or an annotation: an object, or a text that holds some JSON."""
    value = mark.get("property")
    if isinstance(value, str):
        value = loaded(value)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _either(one: Mapping[str, Any], name: str) -> Any:
    """Its SDK has read names with an underscore too."""
    return one.get(name, one.get(name.replace("-", "_")))

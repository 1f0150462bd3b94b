"""The JSON export of Label Studio: a list of tasks with annotations and predictions.

The names of its keys belong to the project: the image is the value that names one, the labels are
the result of the type `choices`. JSON_MIN, its short form, is read too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from datasets.formats import Record
from datasets.formats.hf_imagefolder import field_of
from datasets.formats.json_text import json_list
from datasets.formats.reading import (
    BadLine,
    Context,
    Item,
    checked,
    is_true,
    share,
    split_named,
    unless_foreign,
)
from datasets.names import IMAGE_SUFFIXES, suffix

_LOCAL_FILES = "/data/local-files/"
_UPLOADS = "/data/"
_PARTS = ("annotations", "completions", "predictions")


def read(stream: BinaryIO, *, context: Context) -> Iterator[Item]:  # noqa: ARG001 - as all readers
    signs = frozenset({"task-without-image", "entry-damaged"})
    entries = json_list(stream, code="not-label-studio")
    items = (entry if isinstance(entry, BadLine) else _record(*entry) for entry in entries)
    yield from unless_foreign(items, signs=signs, code="not-label-studio")


def _record(number: int, task: Any) -> Item:
    if not isinstance(task, dict):
        return BadLine(number, "task-without-image")
    data = task.get("data", task)
    data = data if isinstance(data, dict) else {}
    image = _image_of(data)
    if image is None:
        return BadLine(number, "task-without-image")
    labels, score, is_labeled, is_confirmed = _answer(task)
    record = Record(
        path=image,
        split=split_named(field_of(data, "split")),
        labels=labels,
        is_labeled=is_labeled,
        is_hard=is_true(field_of(data, "hard")),
        confidences=(score,) * len(labels),
        is_confirmed=is_confirmed,
    )
    return checked(number, record)


def _image_of(data: Mapping[str, Any]) -> str | None:
    """The value under `image` or the like, else the first one that ends like an image."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    named = field_of(texts, "path")
    for value in [named, *texts.values()] if named else texts.values():
        path = _path_of(value)
        if suffix(path) in IMAGE_SUFFIXES:
            return path
    return named


def _path_of(url: str) -> str:
    """The path that its servers wrap: `/data/local-files/?d=a/1.jpg`, `/data/upload/7/1.jpg`."""
    if url.startswith(_LOCAL_FILES):
        found = parse_qs(urlsplit(url).query).get("d")
        return found[0] if found else ""
    if url.startswith(_UPLOADS):
        return unquote(url.removeprefix(_UPLOADS))
    return url


def _answer(task: Mapping[str, Any]) -> tuple[tuple[str, ...], float | None, bool, bool]:
    """Labels, score, whether there is an answer at all, and whether a person gave it."""
    if not any(part in task for part in _PARTS):
        labels = _short(field_of(task, "labels"))
        return labels, None, bool(labels), True
    given = [
        one
        for one in _objects(task.get("annotations") or task.get("completions"))
        if not is_true(one.get("was_cancelled"))
    ]
    if given:
        # Several people have answered: what is marked as the truth, else the last word.
        true = [one for one in given if is_true(one.get("ground_truth"))]
        return _choices((true or given)[-1]), None, True, True
    suggested = _objects(task.get("predictions"))
    if not suggested:
        return (), None, False, True
    labels = _choices(suggested[-1])
    return labels, share(suggested[-1].get("score")), bool(labels), not labels


def _choices(answer: Mapping[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for result in _objects(answer.get("result")):
        if result.get("type") == "choices" and isinstance(result.get("value"), dict):
            found += _short(result["value"])
    return tuple(found)


def _short(value: Any) -> tuple[str, ...]:
    """`car`, or `{"choices": ["car", "bus"]}`."""
    value = value.get("choices") if isinstance(value, dict) else value
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

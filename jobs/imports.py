"""How files become images and samples: what synchronizations and imports share.

A storage is listed in pieces of the byte order of its paths. Each piece is held against the rows
of the same stretch, which tells what is new, what changed and what is gone, without marking the
rest. Images of a bucket are taken from the listing as they are and looked into later
(jobs/examinations.py); files of a folder are looked into at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils import timezone

from datasets import contents, summaries, thumbnails
from datasets.models import Dataset, Image
from datasets.names import IMAGE_SUFFIXES, REFUSED_SUFFIXES, is_companion, readable, suffix
from datasets.pixels import Probe, is_plain, probe
from datasets.storages import Entry, Storage, StorageError
from jobs import rows
from runs.kinds import Heartbeat, Hopeless, Outcome, Piece
from runs.models import Problem, Run

FILES_IN_CHUNK = 500
# Objects are not opened: of a larger piece its few statements cost less each.
OBJECTS_IN_CHUNK = 2_000
ROWS_AT_ONCE = 1_000
SAME_BYTES = "same-bytes"
LONGEST_PATH = Image._meta.get_field("path").max_length
# What the listing says of a file, as a chunk's payload keeps it: path, size, etag, time.
File = list
# Of names alone nobody can tell more; the examination will.
FORMATS_BY_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
    ".png": "PNG", ".apng": "PNG", ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".webp": "WEBP",
    ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF", ".avifs": "AVIF",
    ".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC",
}  # fmt: skip


@dataclass
class Found:
    """What a chunk found out, to be written: rows to make and change, and what to report.

    `seen` has the ids of images that are as they were: a newer job may lack samples for them.
    """

    dataset_id: int
    new: list[Image] = field(default_factory=list)
    changed: list[Image] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    refused_before: int = 0
    problems: list[Problem] = field(default_factory=list)


def problem_of(path: str, code: str, params: Mapping[str, Any] | None = None) -> Problem:
    return Problem(item=readable(path), code=code, params=dict(params or {}))


# Listing -----------------------------------------------------------------------------------------
def listed(driver: Storage, prefix: str) -> Iterator[Piece | Problem]:
    """The files below a prefix in pieces that together cover every path there can be.

    Raises Hopeless where the storage cannot be listed.
    """
    problems: list[Problem] = []
    files = _good(driver.list(prefix), len(prefix), problems)
    after, most = "", OBJECTS_IN_CHUNK if driver.is_remote else FILES_IN_CHUNK
    try:
        batch = list(islice(files, most))
        while batch:
            following = list(islice(files, most))
            until = batch[-1][0] if following else None
            yield Piece({"after": after, "until": until, "files": batch}, len(batch))
            after, batch = batch[-1][0], following
    except StorageError as error:
        raise Hopeless(problem_of(error.item, error.code, error.params)) from error
    if after == "":
        yield Piece({"after": "", "until": None, "files": []}, 0)
    yield from problems


def _good(entries: Iterable[Entry], skip: int, problems: list[Problem]) -> Iterator[File]:
    for entry in entries:
        path = entry.key[skip:]
        if is_companion(path):
            continue
        if entry.problem:
            problems.append(problem_of(path, entry.problem))
        elif len(path) > LONGEST_PATH:
            problems.append(problem_of(path, "name-too-long"))
        else:
            yield [path, entry.size, entry.etag, entry.modified_at.isoformat()]


# Comparing ---------------------------------------------------------------------------------------
def compare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Found:
    """Holds a piece of a listing against the rows of the same stretch of paths."""
    there = run.dataset.images.filter(path__gt=payload["after"])
    if payload["until"] is not None:
        there = there.filter(path__lte=payload["until"])
    return _compared(run.dataset, payload["files"], there, heartbeat, finds_missing=True)


def compare_some(dataset: Dataset, files: list[File], heartbeat: Heartbeat) -> Found:
    """Holds some files against their rows; says nothing of others."""
    there = dataset.images.filter(path__in=[file[0] for file in files])
    return _compared(dataset, files, there, heartbeat, finds_missing=False)


def _compared(
    dataset: Dataset, files: list[File], there, heartbeat: Heartbeat, *, finds_missing: bool
) -> Found:
    found = Found(dataset.pk)
    paths = {file[0] for file in files}
    known = {}
    columns = ("path", "pk", "etag", "missing_since", "is_refused", "is_settled")
    for path, *rest in there.values_list(*columns).iterator(ROWS_AT_ONCE):
        if path in paths:
            known[path] = rest
        elif rest[2] is None and finds_missing:
            found.missing.append(rest[0])
    driver = dataset.storage.driver()
    for file in files:
        heartbeat.beat()
        pk, etag, missing_since, is_refused, _is_settled = known.get(file[0], [None] * 5)
        if pk is None or etag != file[2]:
            _take(found, dataset, driver, file, pk)
        elif missing_since is not None:
            found.returned.append(pk)
        elif is_refused:
            found.refused_before += 1
        else:
            found.seen.append(pk)
    return found


def _take(found: Found, dataset: Dataset, driver: Storage, file: File, pk: int | None) -> None:
    """A new file, or one whose row is out of date."""
    image = _image(dataset, file, pk)
    path = image.path
    if driver.is_remote:
        _believe(image)
    else:
        try:
            examine(image, dataset, driver)
        except StorageError as error:
            # Tried again the next time: the fault may be the storage's.
            found.problems.append(problem_of(path, error.code, error.params))
            if pk is not None:
                found.seen.append(pk)
            return
    (found.new if pk is None else found.changed).append(image)
    if image.problem:
        found.problems.append(problem_of(path, image.problem, image.problem_params))


def _image(dataset: Dataset, file: File, pk: int | None) -> Image:
    """By position: of a million objects, naming the fields would be a quarter of the time."""
    path, size, etag, modified_at = file
    known = {
        "id": pk,
        "dataset_id": dataset.pk,
        "path": path,
        "size": size,
        "etag": etag,
        "modified_at": datetime.fromisoformat(modified_at),
        "added_at": None,
    }
    return Image(*[known.get(name, default) for name, default in _DEFAULTS])


_DEFAULTS = [
    (field.attname, 0 if field.name in ("width", "height") else field.get_default())
    for field in Image._meta.concrete_fields
]


def _believe(image: Image) -> None:
    """Takes an object for what its name and the listing say."""
    ending = suffix(image.path)
    image.content = f"etag:{image.etag}:{image.size}"
    image.format = FORMATS_BY_SUFFIX.get(ending, "")
    if ending in REFUSED_SUFFIXES and ending not in IMAGE_SUFFIXES:
        refuse(image, "format-not-supported", {"format": ending[1:].upper()})
    elif image.size == 0:
        refuse(image, "empty-file")
    elif image.size > settings.MAX_IMAGE_BYTES:
        refuse(image, "too-large-file", contents.too_large(image.size, settings.MAX_IMAGE_BYTES))
    else:
        image.is_examined = False


def examine(image: Image, dataset: Dataset, driver: Storage) -> None:
    """Looks into the file and fills in what it is. Raises StorageError where it cannot be read."""
    key = dataset.key(image.path)
    with driver.open(key) as stream:
        learn(image, probe(stream, name=image.path, limits=thumbnails.limits()))
    if dataset.storage.is_upload_area:
        with driver.open(key) as stream:
            image.content = contents.digest_of(stream)


def learn(image: Image, seen: Probe) -> None:
    """Writes the verdict on the bytes into the image."""
    image.is_examined = True
    if seen.problem:
        refuse(image, seen.problem, seen.params)
        return
    image.width, image.height, image.format = seen.width, seen.height, seen.format
    image.is_plain = is_plain(seen)
    image.is_refused = False
    if seen.warning or image.problem != SAME_BYTES:
        image.problem, image.problem_params = seen.warning, dict(seen.params)


def refuse(image: Image, code: str, params: Mapping[str, Any] | None = None) -> None:
    image.is_refused, image.problem, image.problem_params = True, code, dict(params or {})
    image.is_examined, image.is_plain, image.format = True, False, ""
    image.width = image.height = 0


# Writing -----------------------------------------------------------------------------------------
CHANGING = (
    "size", "etag", "modified_at", "width", "height", "format", "is_plain", "is_refused",
    "is_examined", "problem", "problem_params", "content", "missing_since", "is_settled",
)  # fmt: skip


def note_listing(run: Run) -> None:
    """From now on this run alone may call images of the dataset missing."""
    Dataset.objects.filter(pk=run.dataset_id).update(listed_by=run)


def write(run: Run, found: Found) -> Outcome:
    """Writes the images, and samples in every job of the dataset."""
    # Runs take turns, yet one that was cancelled or taken up again can meet a later one.
    dataset = Dataset.objects.select_for_update().get(pk=found.dataset_id)
    if dataset.listed_by_id != run.pk:
        found = replace(found, missing=[], returned=[])
    before = rows_of(dataset, [image.pk for image in found.changed] + found.returned)
    added = _add(dataset, found)
    if found.changed:
        Image.objects.bulk_update(found.changed, CHANGING, batch_size=ROWS_AT_ONCE)
    _set(dataset, found.returned, missing_since=None, is_settled=False)
    gone = [one for one in rows_of(dataset, found.missing) if one.missing_since is None]
    _set(dataset, [one.pk for one in gone], missing_since=timezone.now(), is_settled=False)
    after = rows_of(dataset, [one.pk for one in [*before, *gone]])
    if added or before or gone:
        dataset.summary = summaries.moved(
            dataset.summary, added=[*added, *after], removed=[*before, *gone]
        )
        dataset.save(update_fields=["summary"])
    usable = [one.pk for one in [*added, *found.changed] if has_samples(one)]
    for job in dataset.jobs.all():
        rows.give_samples(job, [*usable, *found.returned, *found.seen])
    return Outcome(_counts(found, added, gone), found.problems)


def has_samples(image: Image) -> bool:
    """Not one that was refused, nor one of which not even the name says that it is an image."""
    return not image.is_refused and (image.is_examined or bool(image.format))


def _add(dataset: Dataset, found: Found) -> list[Image]:
    """Makes the rows of new images, apart from those that another run made meanwhile."""
    added = rows.insert(found.new)
    if len(added) < len(found.new):
        lacking = [image.path for image in found.new if image.pk is None]
        found.seen.extend(dataset.images.filter(path__in=lacking).values_list("pk", flat=True))
    found.problems.extend(_same_bytes(dataset, added))
    return added


def _same_bytes(dataset: Dataset, added: list[Image]) -> list[Problem]:
    """Which of the new images have the bytes of an older one: they are kept, and reported."""
    if not any(image.content for image in added):
        return []
    twins = rows.twins(dataset, first=added[0].pk, last=added[-1].pk)
    if not twins:
        return []
    paths = dict(dataset.images.filter(pk__in=set(twins.values())).values_list("pk", "path"))
    problems = []
    for image in added:
        if image.pk in twins and not image.is_refused:
            params = {"other": readable(paths[twins[image.pk]])}
            problems.append(problem_of(image.path, SAME_BYTES, params))
            if not image.problem:
                image.problem, image.problem_params = SAME_BYTES, params
    Image.objects.bulk_update(
        [image for image in added if image.problem == SAME_BYTES],
        ["problem", "problem_params"],
        batch_size=ROWS_AT_ONCE,
    )
    return problems


def rows_of(dataset: Dataset, ids: list[int]) -> list[Image]:
    """The images with what a summary is made of."""
    images = dataset.images.only("size", "format", "is_refused", "missing_since")
    parts = range(0, len(ids), ROWS_AT_ONCE)
    return [row for at in parts for row in images.filter(pk__in=ids[at : at + ROWS_AT_ONCE])]


def _set(dataset: Dataset, ids: list[int], **values: Any) -> None:
    for at in range(0, len(ids), ROWS_AT_ONCE):
        dataset.images.filter(pk__in=ids[at : at + ROWS_AT_ONCE]).update(**values)


def _counts(found: Found, added: list[Image], gone: list[Image]) -> dict[str, int]:
    refused = sum(one.is_refused for one in [*added, *found.changed])
    counts = {
        "added": sum(not one.is_refused for one in added),
        "changed": sum(not one.is_refused for one in found.changed),
        "already": len(found.seen),
        "returned": len(found.returned),
        "missing": len(gone),
        "refused": refused,
        "refused_before": found.refused_before,
    }
    return {name: number for name, number in counts.items() if number}

"""The import run: lists the dataset, looks at every new file, and gives each image its samples."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection

from datasets import uploads
from datasets.models import Dataset, Image
from datasets.names import is_companion, readable
from datasets.pixels import Limits, Probe, probe
from datasets.storages import Entry, StorageError
from jobs import counters
from jobs.models import Job, Sample, SampleState
from runs.kinds import Heartbeat, Hopeless, Kind, Outcome, Piece, register
from runs.models import Problem, Run, RunKind

FILES_IN_CHUNK = 500


@dataclass
class Looked:
    """What a chunk found: images to write, files refused, remarks on files taken, known paths."""

    dataset_id: int
    new: list[Image] = field(default_factory=list)
    changed: list[Image] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def limits() -> Limits:
    return Limits(max_bytes=settings.MAX_IMAGE_BYTES, max_pixels=settings.MAX_IMAGE_PIXELS)


def plan(run: Run) -> Iterator[Piece | Problem]:
    """Unpacks uploaded archives into the dataset, then lists all of its files in pieces."""
    dataset = run.job.dataset
    yield from uploads.unpack_archives(dataset, run.params["archives"])
    driver = dataset.storage.driver()
    problems: list[Problem] = []
    entries = _good(driver.list(dataset.prefix), len(dataset.prefix), problems)
    try:
        while batch := list(islice(entries, FILES_IN_CHUNK)):
            yield Piece({"files": batch}, len(batch))
    except StorageError as error:
        raise Hopeless(_problem(error.item, error.code, error.params)) from error
    yield from problems


def _good(entries: Iterable[Entry], skip: int, problems: list[Problem]) -> Iterator[list]:
    for entry in entries:
        path = entry.key[skip:]
        if is_companion(path):
            continue
        if entry.problem:
            problems.append(_problem(path, entry.problem))
        elif len(path) > Image._meta.get_field("path").max_length:
            problems.append(_problem(path, "name-too-long"))
        else:
            yield [path, entry.size, entry.etag, entry.modified_at.isoformat()]


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Looked:
    dataset = run.job.dataset
    driver = dataset.storage.driver()
    files = payload["files"]
    known = {
        image.path: image
        for image in dataset.images.filter(path__in=[path for path, *_rest in files])
    }
    looked = Looked(dataset.pk)
    for path, size, etag, modified_at in files:
        heartbeat.beat()
        image = known.get(path)
        if image is not None and image.etag == etag:
            looked.paths.append(path)
            continue
        found = _look(driver, dataset, path)
        if isinstance(found, Problem):
            looked.problems.append(found)
            if image is not None:
                looked.paths.append(path)
            continue
        (looked.new if image is None else looked.changed).append(
            Image(
                pk=image and image.pk,
                dataset=dataset,
                path=path,
                size=size,
                etag=etag,
                modified_at=datetime.fromisoformat(modified_at),
                width=found.width,
                height=found.height,
                format=found.format,
            )
        )
        if found.warning:
            looked.remarks.append(_problem(path, found.warning, found.params))
    return looked


def _look(driver, dataset: Dataset, path: str) -> Probe | Problem:
    try:
        with driver.open(dataset.key(path)) as stream:
            found = probe(stream, name=path, limits=limits())
    except StorageError as error:
        return _problem(path, error.code, error.params)
    if found.problem:
        return _problem(path, found.problem, found.params)
    return found


def _problem(path: str, code: str, params: Mapping[str, Any] | None = None) -> Problem:
    return Problem(item=readable(path), code=code, params=dict(params or {}))


def apply(run: Run, looked: Looked) -> Outcome:  # noqa: ARG001
    """Writes the images, and samples in every job of the dataset."""
    # Imports of two jobs over one dataset take turns, so that neither writes what the other did.
    dataset = Dataset.objects.select_for_update().get(pk=looked.dataset_id)
    images = looked.new
    if images:
        paths = [image.path for image in images]
        already = set(dataset.images.filter(path__in=paths).values_list("path", flat=True))
        images = [image for image in images if image.path not in already]
        looked.paths.extend(already)
        Image.objects.bulk_create(images)
    if looked.changed:
        Image.objects.bulk_update(
            looked.changed, ["size", "etag", "modified_at", "width", "height", "format"]
        )
    known = looked.paths + [image.path for image in looked.changed]
    ids = [image.pk for image in images]
    if known:
        ids.extend(dataset.images.filter(path__in=known).values_list("pk", flat=True))
    for job in dataset.jobs.all():
        _give_samples(job, ids)
    counts = {
        "added": len(images),
        "changed": len(looked.changed),
        "already": len(looked.paths),
        "refused": len(looked.problems),
    }
    moved = {name: number for name, number in counts.items() if number}
    return Outcome(moved, looked.problems + looked.remarks)


def _give_samples(job: Job, image_ids: list[int]) -> None:
    """A sample for each of the images that has none in the job.

    In SQL, since the database knows all of it: through the ORM this took half of an import.
    """
    if not image_ids:
        return
    sample, image = Sample._meta.db_table, Image._meta.db_table
    wanted = ", ".join(["%s"] * len(image_ids))
    sql = (
        f"INSERT INTO {sample} (job_id, image_id, path, state, label_count, version, is_hard, "
        f"top_name, split) SELECT %s, image.id, image.path, %s, 0, 0, %s, '', '' "
        f"FROM {image} image "
        f"WHERE image.id IN ({wanted}) AND NOT EXISTS "
        f"(SELECT 1 FROM {sample} old WHERE old.job_id = %s AND old.image_id = image.id) "
        "ORDER BY image.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [job.pk, SampleState.UNLABELED, False, *image_ids, job.pk])
        counters.add(job, {counters.state_key(SampleState.UNLABELED): cursor.rowcount})


def finish(run: Run) -> None:
    uploads.remove_archives(run.job.dataset, run.params["archives"])


register(Kind(RunKind.IMPORT, plan=plan, prepare=prepare, apply=apply, finish=finish))

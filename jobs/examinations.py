"""The examination run: looks into the images of a bucket that a synchronization took unseen.

What it reads of an image serves twice: for the verdict and for the thumbnail.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from datasets import summaries, thumbnails
from datasets.models import Dataset, Image
from datasets.pixels import BadImage, probe
from datasets.storages import Storage, StorageError
from datasets.thumbnail_runs import LARGE, start_thumbnails
from jobs import counters, imports, rows
from jobs.models import Job, SampleState
from labelhub import live
from runs import engine
from runs.kinds import BEHIND_ALL, Heartbeat, Kind, Outcome, Piece, register
from runs.models import Problem, Run, RunKind, RunState

IMAGES_IN_CHUNK = 100
# Requests at the same time: most of the time is spent waiting for the store.
AT_ONCE = 8


@dataclass
class Examined:
    images: list[Image] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def start_examination(dataset: Dataset, *, by=None) -> Run | None:
    """Submits a run if there is something to look into and none that will."""
    waiting = dataset.runs.filter(
        kind=RunKind.EXAMINE, state__in=[RunState.QUEUED, RunState.RUNNING]
    )
    if waiting.filter(state=RunState.QUEUED).exists():
        return None
    if not dataset.images.filter(is_examined=False).exists():
        return None
    return engine.submit(RunKind.EXAMINE, dataset=dataset, by=by, params={})


def plan(run: Run) -> Iterator[Piece]:
    ids = run.dataset.images.filter(is_examined=False).order_by("pk").values_list("pk", flat=True)
    chunk: list[int] = []
    for pk in ids.iterator(imports.ROWS_AT_ONCE):
        chunk.append(pk)
        if len(chunk) == IMAGES_IN_CHUNK:
            yield Piece({"ids": chunk}, len(chunk))
            chunk = []
    if chunk:
        yield Piece({"ids": chunk}, len(chunk))


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Examined:
    waiting = run.dataset.images.filter(pk__in=payload["ids"], is_examined=False)
    images = list(waiting.select_related("dataset__storage").order_by("pk"))
    driver = run.dataset.storage.driver()
    examined = Examined()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda image: _look(image, driver), images)
        for image, problem in zip(images, found, strict=True):
            heartbeat.beat()
            if problem is None:
                examined.images.append(image)
            else:
                examined.problems.append(problem)
    return examined


def _look(image: Image, driver: Storage) -> Problem | None:
    """Fills in what the image is; the reason where it could not be read."""
    try:
        with driver.open(image.key) as stream:
            # One byte more than allowed shows that the object has grown too large.
            content = stream.read(settings.MAX_IMAGE_BYTES + 1)
    except StorageError as error:
        return imports.problem_of(image.path, error.code, error.params)
    imports.learn(image, probe(content, name=image.path, limits=thumbnails.limits()))
    # Large ones take hundreds of MB: the run of thumbnails makes them one at a time.
    if not image.is_refused and image.width * image.height <= LARGE:
        with suppress(BadImage):
            thumbnails.keep_thumbnail(image, content)
    return None


def apply(run: Run, examined: Examined) -> Outcome:
    dataset = Dataset.objects.select_for_update().get(pk=run.dataset_id)
    before = {row.pk: row for row in imports.rows_of(dataset, [one.pk for one in examined.images])}
    etags = dict(dataset.images.filter(pk__in=before).values_list("pk", "etag"))
    # One that was replaced or deleted meanwhile is not what was looked at.
    images = [one for one in examined.images if etags.get(one.pk) == one.etag]
    fields = [name for name in imports.CHANGING if name not in ("missing_since", "is_settled")]
    Image.objects.bulk_update(images, fields, batch_size=imports.ROWS_AT_ONCE)
    for image in images:
        image.missing_since = before[image.pk].missing_since
    dataset.summary = summaries.moved(
        dataset.summary, added=images, removed=[before[image.pk] for image in images]
    )
    dataset.save(update_fields=["summary"])
    refused = [image.pk for image in images if image.is_refused]
    for job in dataset.jobs.all():
        rows.give_samples(job, [image.pk for image in images if not image.is_refused])
        _take_samples(job, refused)
    remarks = [
        imports.problem_of(image.path, image.problem, image.problem_params)
        for image in images
        if image.problem and image.problem != imports.SAME_BYTES
    ]
    counts = {"examined": len(images), "refused": len(refused)}
    moved = {name: number for name, number in counts.items() if number}
    return Outcome(moved, examined.problems + remarks)


def _take_samples(job: Job, image_ids: list[int]) -> None:
    """What turns out to be no image leaves the job, unless somebody worked on it already."""
    if not image_ids:
        return
    untouched = job.samples.filter(
        image__in=image_ids, state=SampleState.UNLABELED, is_hard=False, last_change=None
    )
    ids = list(untouched.values_list("pk", flat=True))
    if ids:
        untouched.filter(pk__in=ids).delete()
        counts = counters.add(job, {counters.state_key(SampleState.UNLABELED): -len(ids)})
        live.send_on_commit(job.pk, {"type": "samples.gone", "ids": ids, "counts": counts})


def finish(run: Run) -> None:
    start_thumbnails(run.dataset, by=run.created_by)


register(
    Kind(
        RunKind.EXAMINE,
        plan=plan,
        prepare=prepare,
        apply=apply,
        finish=finish,
        # People wait for imports and exports; for thumbnails alone nobody does.
        first_number=BEHIND_ALL // 2,
    )
)

"""The run that makes thumbnails before anybody looks: those of the grid, of all images of a
dataset that have none.

It belongs to no job, and to no dataset as runs know them: runs over one dataset take turns, and the
next synchronization must not wait for pictures. Its pieces come behind those of all other runs.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import transaction

from annotators.models import User
from datasets.models import Dataset, Image, StorageKind
from datasets.pixels import BadImage
from datasets.storages import Storage, StorageError
from datasets.thumbnails import Size, kept_at, key_of, make_thumbnail
from runs import engine
from runs.kinds import BEHIND_ALL, Heartbeat, Kind, Outcome, Piece, register
from runs.models import ChunkState, Run, RunKind, RunState

CORES = os.cpu_count() or 1
# Half a second's work: imports and exports do not wait longer than that for their turn.
IMAGES_IN_PIECE = 32 * CORES
READ_AT_ONCE = 5_000
# A storage in a network is waited for more than computed with.
LEAST_CONNECTIONS = 8
# Such a picture takes some hundred MB while it is decoded: one at a time.
LARGE = 20_000_000
# What is wrong with one file; anything else is wrong with the storage.
OF_ONE_FILE = frozenset(
    {
        "missing",
        "no-access",
        "not-a-file",
        "outside-root",
        "name-too-long",
        "name-not-utf8",
        "key-not-a-path",
        "read-denied",
        "object-archived",
        "changed-while-read",
    }
)

_large = Lock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thumbnail to make: of the object at `path` in the storage."""

    path: str
    key: str
    is_large: bool


@dataclass
class Made:
    """What became of a piece: numbers, and whether the storage itself fails."""

    counts: dict[str, int] = field(default_factory=dict)
    is_hopeless: bool = False

    def add(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


@transaction.atomic
def start_thumbnails(dataset: Dataset, *, by: User | None = None) -> Run | None:
    """Has them made. None where that is switched off, or a run waits that will do it anyway."""
    if not settings.THUMBNAILS_AHEAD:
        return None
    waiting = Run.objects.filter(kind=RunKind.THUMBNAILS, state=RunState.QUEUED)
    if waiting.filter(params__dataset=dataset.pk).exists():
        return None
    return engine.submit(RunKind.THUMBNAILS, by=by, params={"dataset": dataset.pk})


def plan(run: Run) -> Iterator[Piece]:
    """Looks for what is missing: two seconds for 100,000 images that have theirs."""
    lacking = _lacking(run.params["dataset"])
    while ids := list(islice(lacking, IMAGES_IN_PIECE)):
        yield Piece({"images": ids}, len(ids))


def _lacking(dataset_id: int) -> Iterator[int]:
    rows = _usable(dataset_id).values_list("pk", "path", "etag")
    for pk, path, etag in rows.iterator(READ_AT_ONCE):
        if not kept_at(key_of(dataset_id, path, etag), Size.TILE).exists():
            yield pk


def _usable(dataset_id: int):
    rows = Image.objects.filter(dataset=dataset_id, is_refused=False, missing_since=None)
    return rows.order_by("pk")


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Made:
    made = Made()
    dataset = Dataset.objects.select_related("storage").filter(pk=run.params["dataset"]).first()
    if dataset is None:
        return made
    try:
        driver = dataset.storage.driver()
    except StorageError:
        return Made(is_hopeless=True)
    rows = _usable(dataset.pk).filter(pk__in=payload["images"])
    wanted = [
        Wanted(dataset.key(path), key_of(dataset.pk, path, etag), is_large=width * height > LARGE)
        for path, etag, width, height in rows.values_list("path", "etag", "width", "height")
    ]
    is_near = dataset.storage.kind == StorageKind.LOCAL
    _make_all(
        driver, wanted, made, heartbeat, threads=CORES if is_near else max(CORES, LEAST_CONNECTIONS)
    )
    return made


def _make_all(
    driver: Storage, wanted: list[Wanted], made: Made, heartbeat: Heartbeat, *, threads: int
) -> None:
    """On all cores: decoders let go of the interpreter while they work."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="thumbnails")
    try:
        for result in pool.map(partial(_make, driver), wanted):
            heartbeat.beat()
            made.add(result)
            if result == "storage":
                made.is_hopeless = True
                break
    finally:
        pool.shutdown(cancel_futures=True)


def _make(driver: Storage, wanted: Wanted) -> str:
    """Names what came of it. In a thread of the pool: no database here."""
    if kept_at(wanted.key, Size.TILE).exists():
        return "already"
    try:
        if wanted.is_large:
            with _large:
                make_thumbnail(driver, wanted.path, wanted.key, Size.TILE)
        else:
            make_thumbnail(driver, wanted.path, wanted.key, Size.TILE)
    except BadImage:
        return "failed"
    except StorageError as error:
        return "failed" if error.code in OF_ONE_FILE else "storage"
    return "made"


def apply(run: Run, made: Made) -> Outcome:
    if made.is_hopeless:
        # The rest would wait for the storage as long, in vain. The next run takes it up.
        run.chunks.filter(state=ChunkState.READY).delete()
    return Outcome(made.counts)


register(Kind(RunKind.THUMBNAILS, plan, prepare, apply, first_number=BEHIND_ALL))

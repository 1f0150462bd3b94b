"""The export run: writes a training set as one zip file, in the format that was asked for.

Options, in the run's params: `format`, `ratios` (percent for train, val and test), `seed` of the
split, `with_images`, and where not everything is wanted `query`, a query string of filters. Only
labeled samples are written.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from datasets.formats import ImageFile, Losses, Record, TextFile, paddleclas
from datasets.names import readable
from datasets.splits import SPLITS, split
from datasets.storages import StorageError
from jobs.filters import filter_samples
from jobs.models import Job, Sample, SampleQuerySet, SampleState
from labelhub.errors import DomainError
from runs.kinds import Heartbeat, Kind, Outcome, Piece, register
from runs.models import Problem, Run, RunKind

Writer = Callable[..., Iterator[ImageFile | TextFile]]
FORMATS: dict[str, Writer] = {"paddleclas": paddleclas.write}
READ_AT_ONCE = 1_000
COPY_BYTES = 1_048_576
SECONDS_BETWEEN_BEATS = 0.5


@dataclass
class Written:
    """A finished zip under its temporary name, and what became of the samples."""

    part: Path
    losses: Losses = field(default_factory=Losses)
    problems: list[Problem] = field(default_factory=list)


def file_of(run: Run) -> Path:
    """The zip of an export that is done."""
    return settings.DATA_DIR / "exports" / f"{run.pk}.zip"


def plan(run: Run) -> Iterator[Piece]:
    # One piece: a zip is written from front to back. One that is killed starts over.
    yield Piece({}, _wanted(run).count())


def labeled(job: Job, query: str) -> SampleQuerySet:
    """What an export of the samples that the filters find writes; filters that make no sense are
    refused."""
    found, form = filter_samples(job, QueryDict(query))
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise DomainError(
            _("The filter “%(name)s” is not valid: %(error)s") % {"name": name, "error": errors[0]},
            code="query",
        )
    return found.filter(state=SampleState.LABELED)


def _wanted(run: Run) -> SampleQuerySet:
    return labeled(run.job, run.params.get("query", ""))


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Written:  # noqa: ARG001
    final = file_of(run)
    final.parent.mkdir(parents=True, exist_ok=True)
    for left in final.parent.glob(f".{run.pk}-*"):
        left.unlink()
    written = Written(final.parent / f".{run.pk}-{uuid4().hex}")
    with ZipFile(written.part, "w", ZIP_DEFLATED) as archive:
        _write(archive, run, written, heartbeat)
    return written


def _write(archive: ZipFile, run: Run, written: Written, heartbeat: Heartbeat) -> None:
    options = run.params
    source = _Source(run, written.problems, reads_images=options["with_images"])
    items = FORMATS[options["format"]](
        source.records(_splits(run), heartbeat),
        labels=list(run.job.labels.values_list("name", flat=True)),
        mode=run.job.mode,
        with_images=options["with_images"],
        losses=written.losses,
    )
    for item in items:
        if isinstance(item, TextFile):
            _add(archive, item.name, item.stream, ZIP_DEFLATED)
        elif source.stream is not None:
            # Photos are packed already.
            _add(archive, item.name, source.stream, ZIP_STORED)


def _add(archive: ZipFile, name: str, stream: BinaryIO, compression: int) -> None:
    info = ZipInfo(name)
    info.compress_type = compression
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=True) as target:
        shutil.copyfileobj(stream, target, COPY_BYTES)


def _splits(run: Run) -> dict[int, str]:
    """The split of every sample that is written, by id."""
    options = run.params
    rows = _wanted(run).order_by("pk").values_list("pk", "annotations__label__name")
    labels = (
        (pk, sorted(name for _pk, name in group if name))
        for pk, group in groupby(rows.iterator(READ_AT_ONCE), key=lambda row: row[0])
    )
    shares = {name: percent / 100 for name, percent in zip(SPLITS, options["ratios"], strict=True)}
    return dict(split(labels, ratios=shares, seed=options["seed"]))


class _Source:
    """Reads the samples in order, and holds open the image of the one that was read last.

    An image that cannot be opened is reported and left out before any list names it.
    """

    def __init__(self, run: Run, problems: list[Problem], *, reads_images: bool) -> None:
        self.run = run
        self.dataset = run.job.dataset
        self.problems = problems
        self.reads_images = reads_images
        self.driver = self.dataset.storage.driver()
        self.stream: BinaryIO | None = None

    def records(self, splits: dict[int, str], heartbeat: Heartbeat) -> Iterable[Record]:
        last = monotonic()
        for number, sample in enumerate(self._samples()):
            if monotonic() - last > SECONDS_BETWEEN_BEATS:
                heartbeat.beat(number)
                last = monotonic()
            record = self._record(sample, splits)
            if not self.reads_images:
                yield record
                continue
            try:
                opened = self.driver.open(self.dataset.key(sample.path))
            except StorageError as error:
                self.problems.append(
                    Problem(item=readable(sample.path), code=error.code, params=dict(error.params))
                )
                continue
            with closing(opened) as self.stream:
                yield record

    def _samples(self) -> Iterator[Sample]:
        rows = _wanted(self.run).select_related("image").prefetch_related("annotations__label")
        return rows.order_by("pk").iterator(READ_AT_ONCE)

    @staticmethod
    def _record(sample: Sample, splits: dict[int, str]) -> Record:
        labels = sorted(
            (one.label for one in sample.annotations.all()), key=lambda label: label.position
        )
        return Record(
            path=sample.path,
            split=splits.get(sample.pk, ""),
            labels=tuple(label.name for label in labels),
            width=sample.image.width,
            height=sample.image.height,
        )


def apply(run: Run, written: Written) -> Outcome:
    written.part.replace(file_of(run))
    losses = written.losses
    counts = dict(+losses.written) | {
        f"{kind}:{code}": number
        for kind, numbers in (("left_out", losses.left_out), ("changed", losses.changed))
        for code, number in (+numbers).items()
    }
    return Outcome(counts, written.problems)


register(Kind(RunKind.EXPORT, plan=plan, prepare=prepare, apply=apply))

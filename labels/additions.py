"""Adding data to a job: what it would bring, shown before, and the run that does it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from datasets import uploads
from datasets.formats import Record, beside, folders
from datasets.formats.detection import START_BYTES, Detected, companions_of, detect
from datasets.formats.readers import READERS, Preview, preview
from datasets.formats.reading import BadLabelFile, BadLine, Context
from datasets.names import IMAGE_SUFFIXES, suffix
from datasets.places import checked_folder
from datasets.problems import describe
from datasets.storages import Missing, StorageError
from jobs import import_sources as sources
from jobs.import_sources import Source
from jobs.models import Job, SampleState
from labelhub.errors import Conflict, DomainError
from labels.models import COLOURS
from labels.names import is_valid, suggest
from runs import engine
from runs.models import Run, RunKind

ROWS_SHOWN = 10
RECORDS_READ = 5_000
TEXTS_READ = 50
# What a storage's clock may be wrong by: with more it refuses every request. Our own disk can
# round times.
_CLOCKS_DIFFER = timedelta(minutes=15)
_ROUNDED = timedelta(seconds=2)
STATES = (SampleState.UNLABELED, SampleState.LABELED, SampleState.TO_CONFIRM)


@dataclass(frozen=True)
class Addition:
    """What somebody wants to add: from where, in which format, as what.

    `format` is empty for images alone. `renames` gives labels whose names cannot be names here
    those that they get. With `uploaded_since` it is what somebody uploaded from then on: labels are
    taken from that alone, the rest of the dataset comes in as it is, and without a format the run
    finds it out.
    """

    storage: int | None = None
    folder: str = ""
    path: str = ""
    into: str = ""
    format: str = ""
    files: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    state: str = SampleState.LABELED
    renames: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    only_hard: bool = False
    uploaded_since: datetime | None = None

    @property
    def source(self) -> dict[str, Any]:
        return {
            "storage": self.storage,
            "folder": self.folder,
            "path": self.path,
            "into": self.into,
        }

    @property
    def is_copied(self) -> bool:
        return bool(self.storage or self.folder)


@dataclass(frozen=True)
class LabelToCome:
    """A label of the files: the name it has there and here, the colour it has or will get, whether
    the job lacks it, and how many of the images that were looked at carry it."""

    raw: str
    name: str
    is_new: bool
    number: int
    colour: int

    @property
    def is_renamed(self) -> bool:
        return self.raw != self.name


@dataclass(frozen=True)
class Expected:
    """What an addition would bring, from a look at the beginning of it."""

    detected: list[Detected]
    format: str
    files: tuple[str, ...]
    companions: tuple[str, ...]
    images: int
    already: int
    has_more: bool
    rows: list[Record]
    bad_lines: list[BadLine]
    labels: list[LabelToCome]


def look_at(member: Member, addition: Addition) -> Expected:
    """Finds out the format, unless one is chosen, and reads the first records.

    Raises DomainError where the source cannot be reached or a file cannot be read.
    """
    _require(member, addition)
    job = member.job
    try:
        source = sources.source_of(job.dataset, addition.source)
        names, has_more = sources.sample_of_names(source)
        found = detect(names, lambda name: sources.start_of(source, name, START_BYTES))
        chosen = _chosen(addition, found, names)
        seen = _read(source, names, chosen)
    except StorageError as error:
        raise DomainError(str(error), code=error.code)
    except BadLabelFile as error:
        raise DomainError(_describe(error), code=error.code)
    images = [name for name in names if suffix(name) in IMAGE_SUFFIXES]
    targets = [source.target(name) for name in images]
    return Expected(
        detected=found,
        format=chosen.format if chosen else "",
        files=chosen.files if chosen else (),
        companions=chosen.companions if chosen else (),
        images=len(images),
        already=job.dataset.images.filter(path__in=targets, missing_since=None).count(),
        has_more=has_more or seen.has_more,
        rows=seen.rows,
        bad_lines=seen.bad_lines,
        labels=_labels_to_come(job, seen),
    )


def _describe(error: BadLabelFile) -> str:
    return describe(error.code, error.params)


def _chosen(addition: Addition, found: list[Detected], names: Sequence[str]) -> Detected | None:
    if addition.state == SampleState.UNLABELED:
        return None
    if not addition.format:
        return found[0] if found else None
    if addition.files:
        beside_them = companions_of(addition.format, addition.files, names)
        companions = addition.companions or tuple(beside_them)
        return Detected(addition.format, "sure", "chosen", addition.files, companions)
    fitting = (one for one in found if one.format == addition.format)
    return next(fitting, Detected(addition.format, "possible", "chosen"))


def _read(source: Source, names: list[str], chosen: Detected | None) -> Preview:
    images = [name for name in names if suffix(name) in IMAGE_SUFFIXES]
    if chosen is None:
        return Preview()
    match READERS[chosen.format].source:
        case "paths":
            depth = folders.find_splits(images)
            records = folders.read(images, split_depth=depth)
            return preview(records, rows=ROWS_SHOWN, most=RECORDS_READ)
        case "texts":
            texts = (_text(source, name) for name in images[:TEXTS_READ])
            return preview(texts, rows=ROWS_SHOWN, most=RECORDS_READ)
    with ExitStack() as stack:
        return preview(_items(source, chosen, stack), rows=ROWS_SHOWN, most=RECORDS_READ)


def _text(source: Source, name: str) -> Record | BadLine:
    try:
        with source.driver.open(source.prefix + beside.text_name(name)) as stream:
            return beside.read(name, stream)
    except Missing:
        return beside.read(name, None)


def _items(source: Source, chosen: Detected, stack: ExitStack):
    """The records of all label files, each with the companions of its folder."""
    reader = READERS[chosen.format]
    if not chosen.files:
        raise BadLabelFile("no-label-file")
    for name in chosen.files:
        folder = name.rpartition("/")[0]
        companions = {
            other: stack.enter_context(source.driver.open(source.prefix + other))
            for other in chosen.companions
            if other.rpartition("/")[0] == folder
        }
        stream = stack.enter_context(source.driver.open(source.prefix + name))
        yield from reader.read(stream, context=Context(name=name, companions=companions))


def _labels_to_come(job: Job, seen: Preview) -> list[LabelToCome]:
    colours = dict(job.labels.values_list("name", "colour"))
    known = set(colours)
    last = job.labels.aggregate(last=Max("position"))["last"]
    names = {raw: suggest(raw) for raw in seen.labels}
    # In the order that they come in, which is that in which they will be made.
    for name in dict.fromkeys(name for name in names.values() if name not in known):
        last = 0 if last is None else last + 1
        colours[name] = last % COLOURS + 1
    return [
        LabelToCome(raw, names[raw], names[raw] not in known, number, colours[names[raw]])
        for raw, number in seen.labels.most_common()
    ]


@transaction.atomic
def add_data(member: Member, addition: Addition) -> Run:
    """Starts the run that brings it in. Whoever calls has made sure that the storage is theirs."""
    _require(member, addition)
    dataset = member.job.dataset
    if addition.state == SampleState.UNLABELED:
        addition = replace(addition, format="", files=(), companions=())
    _check(addition)
    if addition.is_copied and not dataset.takes_uploads:
        raise Conflict(
            _(
                "LabelHub does not write to “%(place)s”: put the files there yourself and "
                "synchronize, or allow it by testing the connection of the storage."
            )
            % {"place": dataset.storage.location},
            code="not_an_upload_job",
        )
    try:
        source = sources.source_of(dataset, addition.source)
    except StorageError as error:
        raise DomainError(str(error), code=error.code)
    chosen = None if addition.uploaded_since else _named(source, addition)
    params = {
        "archives": uploads.waiting_archives(dataset),
        "source": addition.source,
        "format": chosen.format if chosen else addition.format,
        "files": list(chosen.files) if chosen else [],
        "companions": list(chosen.companions) if chosen else [],
        "state": addition.state,
        "renames": dict(addition.renames),
        "only": list(addition.only),
        "only_hard": addition.only_hard,
    }
    if addition.uploaded_since is not None:
        slack = _CLOCKS_DIFFER if source.driver.is_remote else _ROUNDED
        params["since"] = (addition.uploaded_since.astimezone(UTC) - slack).isoformat()
    return engine.submit(
        RunKind.IMPORT, job=member.job, dataset=dataset, by=member.user, params=params
    )


def _require(member: Member, addition: Addition) -> None:
    require(member, Ability.ADD_DATA)
    if addition.folder and not member.user.can_create_jobs:
        raise PermissionDenied(_("Folders of the server are open to those who create jobs."))
    if addition.folder:
        # Not where LabelHub keeps the uploads of everybody.
        checked_folder(addition.folder)


def _named(source: Source, addition: Addition) -> Detected | None:
    """The format with its label files and their companions, looked for where none were named."""
    needs_files = addition.format and READERS[addition.format].source == "files"
    if not needs_files or (addition.files and addition.companions):
        return _chosen(addition, [], [])
    try:
        names, _more = sources.sample_of_names(source)
        if addition.files:
            return _chosen(addition, [], names)
        found = detect(names, lambda name: sources.start_of(source, name, START_BYTES))
    except StorageError as error:
        raise DomainError(str(error), code=error.code)
    if not any(one.format == addition.format for one in found):
        raise DomainError(_("There is no label file of this format."), code="no-label-file")
    return _chosen(addition, found, names)


def _check(addition: Addition) -> None:
    if addition.state not in STATES:
        raise DomainError(_("Say whether the images come labeled."), code="state")
    if addition.format and addition.format not in READERS:
        raise DomainError(_("This format is not known."), code="format")
    is_found_out = addition.uploaded_since is not None
    if addition.state != SampleState.UNLABELED and not addition.format and not is_found_out:
        raise DomainError(_("Say in which format the labels are."), code="format")
    refused = [name for name in addition.renames.values() if not is_valid(name)]
    if refused:
        raise DomainError(
            _("“%(name)s” cannot be a label.") % {"name": refused[0][:80]}, code="label_name"
        )

"""The runs that bring images in: a synchronization looks through a whole dataset, an import takes
what somebody adds, with the labels that come along."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from datasets import uploads
from datasets.formats import Record, beside, folders, paths
from datasets.formats.detection import START_BYTES, detect
from datasets.formats.readers import READERS
from datasets.formats.reading import BadLabelFile, BadLine, Context
from datasets.models import Dataset
from datasets.names import readable
from datasets.storages import Missing, StorageError
from datasets.thumbnail_runs import start_thumbnails
from jobs import import_sources as sources
from jobs import imports, turns
from jobs.examinations import start_examination
from jobs.import_sources import Source
from jobs.models import Change, SampleState
from labels.intake import Hand, Wishes, take_labels
from runs.kinds import Heartbeat, Hopeless, Kind, Outcome, Piece, register
from runs.models import Problem, Run, RunKind

RECORDS_IN_CHUNK = 500
# Texts beside images and copies from buckets: most of the time is spent waiting.
AT_ONCE = 8
# How many names tell whether there is a folder for each split.
_NAMES_FOR_SPLITS = 2_000


@dataclass
class Brought:
    """What a chunk brings: images, and the labels of some of them by their paths."""

    found: imports.Found
    records: dict[str, Record] = field(default_factory=dict)
    counts: Tally[str] = field(default_factory=Tally)


# Synchronization ---------------------------------------------------------------------------------
def plan_sync(run: Run) -> Iterator[Piece | Problem]:
    """Unpacks uploaded archives into the dataset, then lists all of its files in pieces."""
    imports.note_listing(run)
    dataset = run.dataset
    yield from uploads.unpack_archives(dataset, run.params["archives"])
    yield from imports.listed(dataset.storage.driver(), dataset.prefix)


def prepare_sync(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Brought:
    brought = Brought(imports.compare(run, payload, heartbeat))
    if run.dataset.reads_labels:
        fresh = brought.found.new + brought.found.changed
        source = sources.source_of(run.dataset, {})
        _read_texts(brought, source, {image.path: image.path for image in fresh}, heartbeat)
    return brought


def apply_sync(run: Run, brought: Brought) -> Outcome:
    _take_turns(run, brought)
    outcome = imports.write(run, brought.found)
    for job in run.dataset.jobs.all() if brought.records else ():
        _change, counts = take_labels(Hand(job, run.created_by), brought.records, Wishes())
        brought.counts.update(counts)
    return _with_counts(outcome, brought)


def _take_turns(run: Run, brought: Brought) -> None:
    """New samples move counters before the labels of others are locked: nobody else may be doing it
    the other way round."""
    for job in run.dataset.jobs.order_by("pk") if brought.records else ():
        turns.alone(job)


def finish(run: Run) -> None:
    uploads.remove_archives(run.dataset, run.params["archives"])
    brought = run.counts.get("added") or run.counts.get("changed")
    if start_examination(run.dataset, by=run.created_by) is None and brought:
        start_thumbnails(run.dataset, by=run.created_by)


# Import ------------------------------------------------------------------------------------------
def plan_import(run: Run) -> Iterator[Piece | Problem]:
    """Lists what is to be added, or reads the label files that name it."""
    imports.note_listing(run)
    params = run.params
    yield from uploads.unpack_archives(run.dataset, params["archives"])
    try:
        source = sources.source_of(run.dataset, params["source"])
        if is_upload := "since" in params:
            yield from _find_format(run, source)
        if params["files"]:
            yield from _listed_records(source, params)
            if not is_upload:
                return
        if params["format"] == "folders" and "split_depth" not in params:
            names = sources.first_names(source, _NAMES_FOR_SPLITS)
            params["split_depth"] = folders.find_splits(names)
            Run.objects.filter(pk=run.pk).update(params=params)
        yield from imports.listed(source.driver, source.prefix)
    except StorageError as error:
        raise Hopeless(imports.problem_of(error.item, error.code, error.params)) from error


def _find_format(run: Run, source: Source) -> Iterator[Problem]:
    """Which label files an upload holds shows once its archives are unpacked."""
    params = run.params
    wanted = params["format"]
    has_no_files = wanted and READERS[wanted].source != "files"
    if params["state"] == SampleState.UNLABELED or params["files"] or has_no_files:
        return
    names, _more = sources.sample_of_names(source, since=datetime.fromisoformat(params["since"]))
    found = detect(names, lambda name: sources.start_of(source, name, START_BYTES))
    fitting = next((one for one in found if wanted in ("", one.format)), None)
    if fitting is None:
        code = "no-label-file" if wanted else "no-labels-found"
        yield imports.problem_of(run.dataset.name, code)
        params["format"] = ""
    else:
        files, companions = list(fitting.files), list(fitting.companions)
        params |= {"format": fitting.format, "files": files, "companions": companions}
    Run.objects.filter(pk=run.pk).update(params=params)


def _listed_records(source: Source, params: dict[str, Any]) -> Iterator[Piece | Problem]:
    """The records of the label files in pieces; several of one path belong together."""
    reader = READERS[params["format"]]
    for name in params["files"]:
        folder = name.rpartition("/")[0]
        with ExitStack() as stack:
            stream = stack.enter_context(source.driver.open(source.prefix + name))
            beside_it = {
                other: stack.enter_context(source.driver.open(source.prefix + other))
                for other in params["companions"]
                if other.rpartition("/")[0] == folder
            }
            items = reader.read(stream, context=Context(name=name, companions=beside_it))
            try:
                yield from _pieces(items, name, folder)
            except BadLabelFile as error:
                yield imports.problem_of(name, error.code, error.params)


def _pieces(items: Iterable[Record | BadLine], name: str, folder: str) -> Iterator:
    problems: list[Problem] = []

    def good() -> Iterator[dict[str, Any]]:
        for item in items:
            if isinstance(item, BadLine):
                where = f"{name}:{item.line}"
                problems.append(imports.problem_of(where, item.code, item.words()))
            else:
                yield asdict(item)

    records = good()
    while batch := list(islice(records, RECORDS_IN_CHUNK)):
        yield Piece({"records": batch, "folder": folder}, len(batch))
        yield from problems
        problems.clear()
    yield from problems


def prepare_import(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Brought:
    source = sources.source_of(run.dataset, run.params["source"])
    if "records" in payload:
        return _bring_records(run, source, payload, heartbeat)
    files, problems = payload["files"], []
    names = {source.target(file[0]): file[0] for file in files}
    if source.is_own:
        files = [[source.target(path), *rest] for path, *rest in files]
    else:
        files, problems = _copied(run.dataset, source, list(names.values()), heartbeat)
    brought = Brought(imports.compare_some(run.dataset, files, heartbeat))
    brought.found.problems.extend(problems)
    if run.params["files"]:
        # Of an upload, what its label files do not name; the others are counted with their labels.
        brought.found.seen.clear()
    since = run.params.get("since", "")
    # Both are written by `isoformat` in UTC: as texts they compare like times.
    names = {file[0]: names[file[0]] for file in files if file[3] >= since}
    match run.params["format"]:
        case "folders":
            read = folders.read(names.values(), split_depth=run.params["split_depth"])
            brought.records = dict(zip(names, read, strict=True))
        case "beside":
            _read_texts(brought, source, names, heartbeat)
    return brought


def _bring_records(
    run: Run, source: Source, payload: dict[str, Any], heartbeat: Heartbeat
) -> Brought:
    """Finds the images that the records name, and copies them where they are elsewhere."""
    records = [_record(one) for one in payload["records"]]
    places = _Places(run.dataset, source, payload["folder"])
    named: dict[str, Record] = {}
    problems = []
    for record in places.look_up(records):
        heartbeat.beat()
        name = places.of(record)
        if name is None:
            problems.append(imports.problem_of(record.path, "image-not-found"))
        else:
            named[name] = _joined(named.get(name), record)
    if source.is_own:
        files, more = places.files(named), []
    else:
        files, more = _copied(run.dataset, source, list(named), heartbeat)
    brought = Brought(imports.compare_some(run.dataset, files, heartbeat))
    brought.found.problems.extend([*problems, *more])
    brought.records = {source.target(name): record for name, record in named.items()}
    return brought


def _record(stored: dict[str, Any]) -> Record:
    tuples = {name: tuple(stored[name]) for name in ("labels", "confidences")}
    return Record(**stored | tuples)


def _joined(one: Record | None, other: Record) -> Record:
    if one is None:
        return other
    fresh = [(label, confidence) for label, confidence in _pairs(other) if label not in one.labels]
    together = [*_pairs(one), *fresh]
    return Record(
        path=one.path,
        split=one.split or other.split,
        labels=tuple(label for label, _confidence in together),
        is_labeled=one.is_labeled or other.is_labeled,
        is_hard=one.is_hard or other.is_hard,
        confidences=tuple(confidence for _label, confidence in together),
        is_confirmed=one.is_confirmed and other.is_confirmed,
    )


def _pairs(record: Record) -> list[tuple[str, float | None]]:
    confidences = record.confidences or (None,) * len(record.labels)
    return list(zip(record.labels, confidences, strict=True))


class _Places:
    """Where the images are that a label file names, as names below the source."""

    def __init__(self, dataset: Dataset, source: Source, folder: str) -> None:
        self.dataset, self.source, self.folder = dataset, source, folder
        self.known: set[str] = set()
        self.entries: dict[str, Any] = {}

    def look_up(self, records: list[Record]) -> list[Record]:
        """Asks the rows about all at once, which spares asking the storage about each."""
        if self.source.is_own:
            wanted = {self.source.target(name) for one in records for name in self._guesses(one)}
            rows = self.dataset.images.filter(path__in=wanted, missing_since=None)
            skip = len(self.source.into)
            self.known = {path[skip:] for path in rows.values_list("path", flat=True)}
        return records

    def of(self, record: Record) -> str | None:
        guesses = self._guesses(record)
        for name in guesses:
            if name in self.known:
                return name
        return next((name for name in guesses[:3] if self._is_there(name)), None)

    def _guesses(self, record: Record) -> list[str]:
        where = {"bucket": self.source.bucket, "prefix": self.source.prefix}
        near = [
            paths.resolve(record.path, folder=self.folder, **where),
            paths.resolve(record.path, **where),
            *paths.suffixes(record.path),
        ]
        return list(dict.fromkeys(name for name in near if name))

    def _is_there(self, name: str) -> bool:
        try:
            self.entries[name] = self.source.driver.head(self.source.prefix + name)
        except StorageError:
            return False
        return True

    def files(self, names: Iterable[str]) -> list[imports.File]:
        """What the storage says of images without a row; of the others the rows are right."""
        found = []
        for name in names:
            path = self.source.target(name)
            if entry := self.entries.get(name):
                at = entry.modified_at.isoformat()
                found.append([path, entry.size, entry.etag, at])
        return found + self._known_files([name for name in names if name not in self.entries])

    def _known_files(self, names: list[str]) -> list[imports.File]:
        rows = self.dataset.images.filter(path__in=[self.source.target(name) for name in names])
        columns = rows.values_list("path", "size", "etag", "modified_at")
        return [[path, size, etag, at.isoformat()] for path, size, etag, at in columns]


def _copied(
    dataset: Dataset, source: Source, names: list[str], heartbeat: Heartbeat
) -> tuple[list[imports.File], list[Problem]]:
    """Copies files into the dataset; those that are there now, and why others are not."""
    driver = dataset.storage.driver()

    def copy(name: str) -> imports.File | Problem:
        path = source.target(name)
        try:
            with source.driver.open(source.prefix + name) as stream:
                if uploads.store(dataset, path, stream) is None:
                    return imports.problem_of(path, "name-taken-by-other")
            entry = driver.head(dataset.key(path))
        except StorageError as error:
            return imports.problem_of(path, error.code, error.params)
        return [path, entry.size, entry.etag, entry.modified_at.isoformat()]

    files, problems = [], []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(copy, names):
            heartbeat.beat()
            (problems if isinstance(done, Problem) else files).append(done)
    return files, problems


def _read_texts(
    brought: Brought, source: Source, names: dict[str, str], heartbeat: Heartbeat
) -> None:
    """Reads the texts beside images, given as {path in the dataset: name below the source}."""

    def read(name: str) -> Record | BadLine | StorageError | None:
        with suppress(Missing):
            try:
                with source.driver.open(source.prefix + beside.text_name(name)) as stream:
                    return beside.read(name, stream)
            except Missing:
                raise
            except StorageError as error:
                return error
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, found in zip(names, pool.map(read, names.values()), strict=True):
            heartbeat.beat()
            text = readable(beside.text_name(path))
            if isinstance(found, Record):
                brought.records[path] = found
            elif isinstance(found, BadLine):
                where = f"{text}:{found.line}"
                brought.found.problems.append(imports.problem_of(where, found.code, found.words()))
            elif found is not None:
                brought.found.problems.append(imports.problem_of(text, found.code, found.params))


def apply_import(run: Run, brought: Brought) -> Outcome:
    _take_turns(run, brought)
    outcome = imports.write(run, brought.found)
    params = run.params
    wishes = Wishes(
        state=params["state"],
        renames=params["renames"],
        only=frozenset(params["only"]),
        only_hard=params["only_hard"],
    )
    onto = Change.objects.filter(pk=params.get("change")).first()
    change, counts = take_labels(Hand(run.job, run.created_by), brought.records, wishes, onto=onto)
    if change is not None:
        # Saved with the run, at the end of the chunk: all chunks are one change.
        params["change"] = change.pk
    brought.counts.update(counts)
    return _with_counts(outcome, brought)


def _with_counts(outcome: Outcome, brought: Brought) -> Outcome:
    return Outcome(outcome.counts | dict(+brought.counts), outcome.problems)


register(Kind(RunKind.SYNC, plan=plan_sync, prepare=prepare_sync, apply=apply_sync, finish=finish))
register(
    Kind(
        RunKind.IMPORT,
        plan=plan_import,
        prepare=prepare_import,
        apply=apply_import,
        finish=finish,
    )
)

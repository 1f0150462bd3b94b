"""Deletes source files of images, as a run: for good, and with all that every job knows of them.

A row leaves when the storage has confirmed that its file is gone, and not before. A file that was
replaced under its name since it was taken in stays: nobody here has seen the new one, so nobody
decided on it. That costs a question per file, several at a time.

The selection is frozen when the run is asked for: whoever labels in the meantime neither adds
images to what the person saw and confirmed nor takes some out.
"""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from annotators.models import Member
from annotators.roles import DENIALS, Ability
from datasets import locations, summaries, thumbnails
from datasets.access import may_delete_files, may_open_for_writing, storages_of
from datasets.connection_tests import check_storage_now
from datasets.models import Dataset, Image
from datasets.names import readable
from datasets.storages import Missing, Storage, StorageError
from jobs import counters, turns
from jobs.models import Change, Job, Sample, SampleState, Verb
from jobs.selection import Selection
from labelhub import live
from labelhub.errors import Conflict, DomainError
from runs import engine
from runs.kinds import Heartbeat, Hopeless, Kind, Outcome, Piece, register
from runs.models import Problem, Run, RunKind

IMAGES_IN_PIECE = 500
HEADS_AT_ONCE = 8
MOST_IN_MESSAGE = 200
# Of the moment, not of a file: when nothing at all was deleted, the piece is tried again later.
TRANSIENT = frozenset(
    {
        "connection-lost",
        "endpoint-unknown",
        "endpoint-unreachable",
        "not-confirmed",
        "storage-broken",
        "storage-busy",
        "storage-timeout",
    }
)


# Whether, and what it would touch ----------------------------------------------------------------
@dataclass(frozen=True)
class Obstacle:
    """Why the member cannot delete files. `can_test`: a test of the storage may change that."""

    message: str
    can_test: bool = False


def obstacle(member: Member) -> Obstacle | None:
    """What stands between the member and the source files of the job, if anything."""
    if not member.can(Ability.DELETE_FILES):
        return Obstacle(str(DENIALS[Ability.DELETE_FILES]))
    dataset = member.job.dataset
    if not may_delete_files(member.user, dataset):
        return Obstacle(
            _("The files belong to others. Who made the dataset “%(dataset)s” can delete them.")
            % {"dataset": dataset}
        )
    storage = dataset.storage
    match True if storage.is_upload_area else storage.can_delete:
        case True:
            return None
        case False:
            refused = _("The storage “%(storage)s” does not let LabelHub delete files.")
            return Obstacle(refused % {"storage": storage}, _may_test(member))
    if _may_test(member):
        text = _("Whether “%(storage)s” lets LabelHub delete files was not tested yet.")
        return Obstacle(text % {"storage": storage}, can_test=True)
    text = _(
        "Whether “%(storage)s” lets LabelHub delete files was not tested yet. Its owner or an "
        "administrator can do that."
    )
    return Obstacle(text % {"storage": storage})


def _may_test(member: Member) -> bool:
    storage = member.job.dataset.storage
    is_theirs = storages_of(member.user).filter(pk=storage.pk).exists()
    return is_theirs and may_open_for_writing(member.user, storage.kind)


def test_storage(member: Member) -> Obstacle | None:
    """Tests the storage of the job now, and says what still stands in the way."""
    if not _may_test(member):
        return obstacle(member)
    checkup = check_storage_now(member.job.dataset.storage, by=member.user)
    left = obstacle(member)
    if left is not None and checkup.failures:
        return Obstacle(f"{left.message} {checkup.failures[0]}", can_test=True)
    return left


@dataclass(frozen=True)
class JobUse:
    """Another job over the same dataset."""

    name: str
    labeled: int


@dataclass
class Preview:
    """What a deletion of the files would touch. Jobs and datasets that the member cannot see are
    counted, not named."""

    count: int
    bytes: int
    jobs: list[JobUse] = field(default_factory=list)
    other_jobs: int = 0
    other_labeled: int = 0
    datasets: list[str] = field(default_factory=list)
    other_datasets: int = 0

    @property
    def is_shared(self) -> bool:
        return bool(self.jobs or self.other_jobs or self.datasets or self.other_datasets)


def preview(member: Member, selection: Selection) -> Preview:
    """Writes nothing. Raises Conflict where the selection is no longer what was seen."""
    chosen = selection.resolve(member.job)
    sums = chosen.aggregate(bytes=Sum("image__size"))
    found = Preview(chosen.count(), sums["bytes"] or 0)
    if selection.expected is not None:
        selection.check_number(found.count)
    own = set(member.user.memberships.values_list("job_id", flat=True))
    _find_jobs(found, member.job, chosen.order_by().values("image_id"), own)
    for dataset in locations.overlapping(member.job.dataset):
        is_seen = dataset.created_by_id == member.user.pk
        if is_seen or dataset.jobs.filter(pk__in=own).exists():
            found.datasets.append(dataset.name)
        else:
            found.other_datasets += 1
    return found


def _find_jobs(found: Preview, job: Job, images: Any, own: set[int]) -> None:
    for other in job.dataset.jobs.exclude(pk=job.pk).order_by("name", "pk"):
        using = other.samples.filter(image__in=images)
        labeled = using.filter(state=SampleState.LABELED).count()
        if other.pk in own:
            found.jobs.append(JobUse(other.name, labeled))
        else:
            found.other_jobs += 1
            found.other_labeled += labeled


# What is asked for -------------------------------------------------------------------------------
def start_deletion(member: Member, selection: Selection) -> Run:
    """Deletes the files of the selected images, as a run; `expected` has to be their number.

    A storage that was never tested is tested first, by who may do that.
    """
    if selection.expected is None:
        raise DomainError(_("Say how many images it should be."), code="expected")
    stands = obstacle(member)
    if stands is not None and stands.can_test:
        stands = test_storage(member)
    if stands is not None:
        raise Conflict(stands.message, code="deletion")
    return _submit(member, selection)


@transaction.atomic
def _submit(member: Member, selection: Selection) -> Run:
    job = member.job
    images = list(selection.resolve(job).values_list("image_id", flat=True))
    selection.check_number(len(images))
    if not images:
        raise DomainError(_("Select images first."), code="selection")
    run = engine.submit(RunKind.DELETE, job=job, dataset=job.dataset, by=member.user, params={})
    # With the piece that plans, which is over soon: a run is read again and again.
    run.chunks.update(payload={"images": images})
    return run


# What the run does -------------------------------------------------------------------------------
def plan(run: Run) -> Iterator[Piece]:
    images = run.chunks.get(number=0).payload["images"]
    for at in range(0, len(images), IMAGES_IN_PIECE):
        piece = images[at : at + IMAGES_IN_PIECE]
        yield Piece({"images": piece}, len(piece))


@dataclass
class Done:
    """Images whose files are gone, and why others are not."""

    gone: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> Done:
    dataset = run.dataset
    try:
        driver = dataset.storage.driver()
    except StorageError as error:
        raise Hopeless(_problem(error.item, error.code, error.params)) from error
    images = {
        dataset.key(image.path): image
        for image in dataset.images.filter(pk__in=payload["images"]).order_by("pk")
    }
    done, here = Done(), []
    for key, found in _look_at(driver, dataset, images):
        heartbeat.beat()
        if found is None:
            here.append(key)
        elif found.code == "missing":
            # Gone already: by somebody else, or by this run before it was stopped.
            done.gone.append(images[key].pk)
        else:
            done.problems.append(found)
    for result in driver.delete(here):
        heartbeat.beat()
        if result.deleted:
            done.gone.append(images[result.key].pk)
        else:
            done.problems.append(_problem(images[result.key].path, result.problem, result.params))
    _refuse_outage(dataset, done)
    return done


def _look_at(
    driver: Storage, dataset: Dataset, images: dict[str, Image]
) -> Iterator[tuple[str, Problem | None]]:
    """For each key why it must not be deleted, or None."""

    def look(key: str) -> Problem | None:
        image = images[key]
        if not is_inside(dataset, key):
            return _problem(image.path, "unsafe-name")
        try:
            is_same = driver.head(key).etag == image.etag
        except Missing:
            return _problem(image.path, "missing")
        except StorageError as error:
            return _problem(image.path, error.code, error.params)
        return None if is_same else _problem(image.path, "changed-since-taken")

    with ThreadPoolExecutor(HEADS_AT_ONCE, thread_name_prefix="head") as threads:
        yield from zip(images, threads.map(look, images), strict=True)


def is_inside(dataset: Dataset, key: str) -> bool:
    """Whether the key is one below the prefix of the dataset, whatever the driver would say."""
    parts = key.split("/")
    return (
        key.startswith(dataset.prefix)
        and key != dataset.prefix
        and not {"", ".", ".."} & set(parts)
        and "\0" not in key
    )


def _refuse_outage(dataset: Dataset, done: Done) -> None:
    """The engine tries the piece again after a pause: one outage is no reason per file."""
    codes = {problem.code for problem in done.problems}
    if codes and not done.gone and codes <= TRANSIENT:
        raise StorageError(dataset.name, code=done.problems[0].code, **done.problems[0].params)


def _problem(path: str, code: str, params: Any = None) -> Problem:
    plain = {name: value for name, value in dict(params or {}).items() if name != "item"}
    return Problem(item=readable(path), code=code, params=plain)


def apply(run: Run, done: Done) -> Outcome:
    """Takes the rows away: of the images, and so of their samples in every job."""
    # Imports and other deletions of the dataset wait, so that its summary stays true.
    dataset = Dataset.objects.select_for_update().get(pk=run.dataset_id)
    images = list(dataset.images.filter(pk__in=done.gone).order_by("pk"))
    gone = [image.pk for image in images]
    for job in dataset.jobs.order_by("pk"):
        _leave(run, job, gone)
    for chunk in _batches(gone):
        Image.objects.filter(pk__in=chunk).delete()
    summaries.move_summary(dataset, removed=images)
    transaction.on_commit(lambda: thumbnails.forget(images), robust=True)
    counts = {"deleted": len(gone), "failed": len(done.problems)}
    return Outcome({name: number for name, number in counts.items() if number}, done.problems)


def _batches(ids: list[int], size: int = 500) -> Iterator[list[int]]:
    return (ids[at : at + size] for at in range(0, len(ids), size))


def _leave(run: Run, job: Job, images: list[int]) -> None:
    """Counters, history and live message of one job whose samples go with the images."""
    turns.beside(job)
    rows = Sample.everything.filter(job=job, image__in=images).order_by("pk").select_for_update()
    fields = ("state", "last_by_id", "is_hard", "trashed_at")
    samples = {pk: rest for pk, *rest in rows.values_list("pk", *fields)}
    if not samples:
        return
    # After the lock, so that what was labeled a moment ago is counted.
    carried = _carried(samples)
    deltas: Tally[str] = Tally()
    for pk, (state, by, is_hard, trashed_at) in samples.items():
        deltas.subtract(counters.keys_of(state, by, carried[pk], is_hard, trashed_at))
    counts = counters.add(job, deltas)
    change = _change(run, job, len(samples))
    ids = list(samples)
    message = {
        "type": "samples.changed",
        # Others changed things since it began: by its number the new counters would seem old.
        "change": None,
        "verb": Verb.DELETE_FILES,
        "actor": change.actor_id,
        "ids": ids if len(ids) <= MOST_IN_MESSAGE else [],
        "total": len(ids),
        "counts": counts,
    }
    live.send_on_commit(job.pk, message)


def _carried(samples: Iterable[int]) -> dict[int, list[int]]:
    annotations = Sample._meta.get_field("annotations").related_model.objects
    carried: dict[int, list[int]] = defaultdict(list)
    pairs = annotations.filter(sample__in=samples).values_list("sample_id", "label_id")
    for sample_id, label_id in pairs:
        carried[sample_id].append(label_id)
    return carried


def _change(run: Run, job: Job, number: int) -> Change:
    """One change per job for the whole run, grown by each piece. Other jobs are told that files
    were deleted, but not by whom: it can be a person of another team."""
    made = run.params.setdefault("changes", {})
    found = job.changes.filter(pk=made.get(str(job.pk))).first()
    if found is not None:
        found.sample_count += number
        found.save(update_fields=["sample_count"])
        return found
    actor = run.created_by if job.pk == run.job_id else None
    change = Change.objects.create(
        job=job, actor=actor, verb=Verb.DELETE_FILES, params={"run": run.pk}, sample_count=number
    )
    made[str(job.pk)] = change.pk
    return change


register(Kind(RunKind.DELETE, plan=plan, prepare=prepare, apply=apply, writes_what_began=True))

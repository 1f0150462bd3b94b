"""Puts labels on samples and takes them off, as one Change that can be undone.

Labels are added and removed as sets, never written as a whole list: two people who label the same
image at the same time both keep what they did. Other changes of samples go through `hold` and
`apply` too: the trash in labels/trash.py, hard examples in labels/hard.py. What is too much for one
transaction becomes a run: labels/bulk.py.
"""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.models import Member
from jobs import counters, turns
from jobs.models import Change, ChangeItem, Job, Sample, Verb
from jobs.selection import Selection
from labelhub import live
from labelhub.errors import Conflict, DomainError
from labels import bulk, in_sql
from labels.labeling import Labeling
from labels.models import Annotation, Label, Origin
from labels.results import Result

# A live message names at most so many samples; a browser that shows others asks for its page.
MOST_IN_MESSAGE = 200
# Of more different outcomes one statement that says each is quicker than one for each.
MOST_OUTCOMES = 4


@dataclass
class Held:
    """A sample as the database has it, locked for this transaction."""

    id: int
    state: str
    label_count: int
    by: int | None
    at: datetime | None
    change: int | None
    is_hard: bool
    trashed_at: datetime | None
    version: int = 0
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)

    def before(self) -> dict[str, Any]:
        """Without what is empty: of a million images that nobody touched, the state alone."""
        said = {
            "state": self.state,
            "by": self.by,
            "at": self.at.isoformat() if self.at else None,
            "change": self.change,
            "is_hard": self.is_hard or None,
            "trashed_at": self.trashed_at.isoformat() if self.trashed_at else None,
        }
        return {name: value for name, value in said.items() if value is not None}

    def edit(self, **changes: Any) -> "Edit":
        """An edit of this sample: what `changes` does not name stays as it is."""
        kept = ("state", "by", "at", "is_hard", "trashed_at")
        as_it_is = {name: getattr(self, name) for name in kept}
        return Edit(self, **{"added": [], "removed": []} | as_it_is | changes)

    def counted(self) -> list[str]:
        return counters.keys_of(
            self.state, self.by, self.annotations, self.is_hard, self.trashed_at
        )


@dataclass
class Edit:
    """What will happen to one sample. Removed rows and added rows carry all their columns.

    The other fields are what the sample will be; made by `Held.edit`.
    """

    sample: Held
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    state: str
    by: int | None
    at: datetime | None
    is_hard: bool
    trashed_at: datetime | None
    # Where the sample will point; None stands for the change that is being made.
    points_at: int | None = None
    # What the history keeps besides, for whoever takes the change back.
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def growth(self) -> int:
        return len(self.added) - len(self.removed)

    def counted(self) -> list[str]:
        gone = {row["label"] for row in self.removed}
        left = [label for label in self.sample.annotations if label not in gone]
        labels = left + [row["label"] for row in self.added]
        return counters.keys_of(self.state, self.by, labels, self.is_hard, self.trashed_at)


# Labeling ----------------------------------------------------------------------------------------
@transaction.atomic
def annotate(
    member: Member,
    selection: Selection,
    *,
    add: Iterable[int] = (),
    remove: Iterable[int] = (),
    clear: bool = False,
    nothing: bool = False,
    replace: tuple[int, int] | None = None,
    scores: Mapping[int, float] | None = None,
) -> Result:
    """Adds and removes labels (by id) on the selected samples of the member's job.

    In a job with one label per image an added label replaces the other. `clear` removes all.
    `scores` marks added labels as accepted from the model, with its score. At most eight
    statements for one image; the number does not grow with the number of images up to a batch.
    """
    job = member.job
    labeling = Labeling(
        mode=job.mode,
        add=tuple(dict.fromkeys(add)),
        remove=tuple(dict.fromkeys(remove)),
        clear=clear,
        nothing=nothing,
        replace=replace,
    )
    labeling.check()
    names = dict.fromkeys(labeling.labels, "")
    samples = selection.resolve(job)
    if labeling.overwrites:
        selection.check_expected(job)
    if number := bulk.number_if_large(selection, samples):
        told = labeling.told(names_of(job, names))
        return bulk.start(
            member, selection, verb=Verb.LABEL, told=told, how=asdict(labeling), number=number
        )
    return _carry_out(member, labeling, hold(samples, names=names), names, scores)


def names_of(job: Job, labels: Iterable[int]) -> dict[int, str]:
    """The names of the job's labels with these ids; all of them have to be there."""
    names = dict(job.labels.filter(pk__in=labels).values_list("pk", "name"))
    if len(names) < len(set(labels)):
        raise _no_label()
    return names


def _no_label() -> DomainError:
    return DomainError(_("A label that was named is not a label of this job."), code="label")


@transaction.atomic
def set_labels(member: Member, sample_id: int, labels: Iterable[int], *, version: int) -> Result:
    """Writes the whole set of one sample's labels, unless it changed since `version` was read:
    then nothing is written, and the refusal holds both states."""
    job = member.job
    labeling = Labeling(mode=job.mode, add=tuple(dict.fromkeys(labels)), exact=True)
    labeling.check()
    names = dict.fromkeys(labeling.labels, "")
    held = hold(job.samples.filter(pk=sample_id), names=names)
    for sample in held:
        if sample.version != version:
            raise Conflict(
                _("Somebody changed this image in the meantime. Look at both states."),
                code="version",
                yours={"labels": list(labeling.add), "version": version},
                present={
                    "labels": sorted(sample.annotations),
                    "state": sample.state,
                    "version": sample.version,
                },
            )
    return _carry_out(member, labeling, held, names, None)


def _carry_out(
    member: Member,
    labeling: Labeling,
    held: list["Held"],
    names: dict[int, str],
    scores: Mapping[int, float] | None,
) -> Result:
    now, edits = timezone.now(), []
    for sample in held:
        has = sample.annotations
        outcome = labeling.outcome(has, sample.state)
        if outcome is not None:
            edits.append(
                sample.edit(
                    added=[row(label, member, now, scores) for label in outcome.new],
                    removed=[has[label] for label in sorted(outcome.gone)],
                    state=outcome.state,
                    by=member.user.pk,
                    at=now,
                )
            )
    verb = Verb.ACCEPT if scores is not None else Verb.LABEL
    return apply(member, edits, verb=verb, told=labeling.told(names))


@bulk.carries_out(Verb.LABEL)
def label_many(
    member: Member, change: Change, samples: QuerySet[Sample], how: dict[str, Any]
) -> in_sql.Written:
    """A part of a large labeling, in SQL; what it does is what `annotate` would do."""
    replace = tuple(how["replace"]) if how["replace"] else None
    labeling = Labeling(
        **how | {"add": tuple(how["add"]), "remove": tuple(how["remove"]), "replace": replace}
    )
    known = set(member.job.labels.filter(pk__in=labeling.labels).values_list("pk", flat=True))
    if known != labeling.labels:
        # One was deleted while the run went on.
        return in_sql.Written()
    held = list(in_sql.locked(samples).values_list("pk", "state", "last_by"))
    has: dict[int, list[int]] = {pk: [] for pk, _state, _by in held}
    carried = Annotation.objects.filter(sample__in=in_sql.among(list(has)))
    for sample, label in carried.values_list("sample_id", "label_id"):
        has[sample].append(label)
    groups: dict[tuple, list[int]] = defaultdict(list)
    deltas: Tally[str] = Tally()
    for sample, state, by in held:
        outcome = labeling.outcome(has[sample], state)
        if outcome is not None:
            growth = len(outcome.new) - len(outcome.gone)
            groups[outcome.new, growth, outcome.state].append(sample)
            deltas.subtract(_counted_alone(state, by, outcome.gone))
            deltas.update(_counted_alone(outcome.state, change.actor_id, outcome.new))
    labeled = {"last_by": change.actor_id, "last_at": change.created_at}
    removed, parts = labeling.removed(), []
    for (new, growth, state), ids in groups.items():
        columns = {"state": state, "label_count": F("label_count") + growth, **labeled}
        parts.append(in_sql.Part(ids, new, removed, columns))
    return in_sql.write(change, parts, deltas)


def _counted_alone(state: str, by: int | None, labels: Iterable[int]) -> list[str]:
    """The counters of a sample that labeling can change, of which none is in the trash."""
    return counters.keys_of(state, by, labels, False, None)


def row(
    label: int, member: Member, now: datetime, scores: Mapping[int, float] | None = None
) -> dict[str, Any]:
    """A new annotation, as a change keeps it."""
    return {
        "label": label,
        "user": member.user.pk,
        "origin": Origin.HUMAN if scores is None else Origin.MODEL,
        "confidence": None if scores is None else scores.get(label),
        "at": now.isoformat(),
    }


# Reading and writing -----------------------------------------------------------------------------
def hold(samples: QuerySet[Sample], *, names: dict[int, str] | None = None) -> list[Held]:
    """Locks the samples and reads them with their annotations, in one statement.

    The same statement fills in the `names` of labels, and refuses those that the job lacks. Where
    it had to wait for somebody who changed a sample, PostgreSQL reads that sample anew, yet not
    what is joined to it: then all is read again, under the lock. A label that was taken away
    while it waited, and from other samples than these, shows when it is written.
    """
    fields = ["id", "state", "label_count", "last_by_id", "last_at", "last_change_id"]
    fields += ["is_hard", "trashed_at", "version"]
    of = [f"annotations__{name}" for name in ("label_id", "user_id", "origin", "confidence")]
    names = {} if names is None else names
    wanted = sorted(names)
    labels = Label.objects.filter(job=OuterRef("job_id"))
    more = {f"label_{pk}": Subquery(labels.filter(pk=pk).values("name")[:1]) for pk in wanted}
    # From before the wait, unlike the column of the same row.
    versions = Sample.everything.filter(pk=OuterRef("pk")).values("version")
    rows = turns.all_beside(samples).order_by("id").select_for_update(of=("self",))
    rows = rows.annotate(version_before=Subquery(versions[:1]), **more)
    found: dict[int, Held] = {}
    waited = False
    columns = [*fields, "version_before", "annotations__id", "annotations__created_at", *of, *more]
    for own in rows.values_list(*columns):
        version_before, pk, at, label, user, origin, confidence, *found_names = own[len(fields) :]
        if not found:
            if None in found_names:
                raise _no_label()
            names.update(zip(wanted, found_names, strict=True))
        sample = found.setdefault(own[0], Held(*own[: len(fields)]))
        waited = waited or version_before != sample.version
        if pk is not None:
            sample.annotations[label] = {
                "label": label,
                "user": user,
                "origin": origin,
                "confidence": confidence,
                "at": at.isoformat(),
            }
    if waited:
        return hold(Sample.everything.filter(pk__in=list(found)), names=names)
    return list(found.values())


def apply(
    member: Member,
    edits: list[Edit],
    *,
    verb: Verb,
    reverts: Change | None = None,
    skipped: int = 0,
    onto: Change | None = None,
    told: dict[str, Any] | None = None,
) -> Result:
    """Writes the edits as one change: rows, history, counters, live message.

    With `onto` they become part of that change, of the same verb: what a run does in many
    transactions is one change for people. No sample comes twice in it. `told`: what the history
    needs to say what was done.
    """
    if not edits:
        return Result(None, [], {}, skipped)
    job = member.job
    change = (
        _grown(onto, len(edits))
        if onto
        else Change.objects.create(
            job=job,
            actor=member.user,
            verb=verb,
            params=told or {},
            sample_count=len(edits),
            reverts=reverts,
        )
    )
    is_revert = change.reverts_id is not None
    ChangeItem.objects.bulk_create(
        ChangeItem(
            change=change,
            sample_id=edit.sample.id,
            added=edit.added,
            removed=edit.removed,
            before=edit.sample.before() | edit.extra,
            after=edit.points_at if is_revert else change.pk,
        )
        for edit in edits
    )
    _write_annotations(edits)
    _write_samples(edits, change, is_revert=is_revert)
    counts = counters.add(job, _deltas(edits))
    ids = [edit.sample.id for edit in edits]
    if onto is None:
        # Of a change that grows, the run tells.
        message = {
            "type": "samples.changed",
            "change": change.pk,
            "verb": verb,
            "actor": member.user.pk if member.user else None,
            "ids": ids if len(ids) <= MOST_IN_MESSAGE else [],
            "total": len(ids),
            "counts": counts,
        }
        live.send_on_commit(job.pk, message)
    return Result(change, ids, counts, skipped)


def _grown(change: Change, number: int) -> Change:
    Change.objects.filter(pk=change.pk).update(sample_count=F("sample_count") + number)
    return change


def _write_annotations(edits: list[Edit]) -> None:
    by_label: dict[int, list[int]] = defaultdict(list)
    for edit in edits:
        for row in edit.removed:
            by_label[row["label"]].append(edit.sample.id)
    for label, samples in by_label.items():
        Annotation.objects.filter(label=label, sample__in=samples).delete()
    Annotation.objects.bulk_create(
        Annotation(
            sample_id=edit.sample.id,
            label_id=row["label"],
            user_id=row["user"],
            origin=row["origin"],
            confidence=row["confidence"],
            created_at=in_sql.moment(row["at"]),
        )
        for edit in edits
        for row in edit.added
    )


def _write_samples(edits: list[Edit], change: Change, *, is_revert: bool) -> None:
    """One statement for every different outcome, which is one for a plain labeling; one for all
    where they are many, as when images keep by whom and when each was labeled. None of it stands
    where a label that was put on left the job since the samples were read."""
    added = {row["label"] for edit in edits for row in edit.added}
    gone = Label.everything.filter(pk__in=added).exclude(trashed_at=None)
    stands = Q(~Exists(gone)) if added else Q()
    groups: dict[tuple, list[int]] = defaultdict(list)
    for edit in edits:
        points_at = edit.points_at if is_revert else change.pk
        outcome = {"state": edit.state, "last_by": edit.by, "last_at": edit.at}
        # Only what changes: to set a column again has SQLite write every index that it is in.
        if edit.is_hard != edit.sample.is_hard:
            outcome["is_hard"] = edit.is_hard
        if edit.trashed_at != edit.sample.trashed_at:
            outcome["trashed_at"] = edit.trashed_at
        groups[edit.growth, points_at, *outcome.items()].append(edit.sample.id)
    if len(groups) > MOST_OUTCOMES:
        if not in_sql.set_each(groups, stands):
            raise _no_label()
        return
    for (growth, points_at, *outcome), ids in groups.items():
        written = Sample.everything.filter(stands, pk__in=ids).update(
            **dict(outcome),
            label_count=F("label_count") + growth,
            last_change=points_at,
            version=F("version") + 1,
        )
        if not written:
            raise _no_label()


def _deltas(edits: list[Edit]) -> Tally[str]:
    deltas: Tally[str] = Tally()
    for edit in edits:
        deltas.subtract(edit.sample.counted())
        deltas.update(edit.counted())
    return deltas

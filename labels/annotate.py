"""Puts labels on samples and takes them off, as one Change that can be undone.

Labels are added and removed as sets, never written as a whole list: two people who label the same
image at the same time both keep what they did. Other changes of samples go through `hold` and
`apply` too: the trash in labels/trash.py, hard examples in labels/hard.py.
"""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.models import Member
from jobs import counters
from jobs.models import Change, ChangeItem, Job, Mode, Sample, SampleState, Verb
from jobs.selection import MOST_AT_ONCE, Selection, too_many
from labelhub import live
from labelhub.errors import DomainError
from labels.models import Annotation, Label, Origin

# A live message names at most so many samples; a browser that shows others asks for its page.
MOST_IN_MESSAGE = 200


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
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)

    def before(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "by": self.by,
            "at": self.at.isoformat() if self.at else None,
            "change": self.change,
            "is_hard": self.is_hard,
            "trashed_at": self.trashed_at.isoformat() if self.trashed_at else None,
        }

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

    @property
    def growth(self) -> int:
        return len(self.added) - len(self.removed)

    def counted(self) -> list[str]:
        gone = {row["label"] for row in self.removed}
        left = [label for label in self.sample.annotations if label not in gone]
        labels = left + [row["label"] for row in self.added]
        return counters.keys_of(self.state, self.by, labels, self.is_hard, self.trashed_at)


@dataclass(frozen=True)
class Result:
    """The change (None when nothing was left to do) and the counters that it moved."""

    change: Change | None
    sample_ids: list[int]
    counts: dict[str, int]
    skipped: int = 0


@transaction.atomic
def annotate(
    member: Member,
    selection: Selection,
    *,
    add: Iterable[int] = (),
    remove: Iterable[int] = (),
    clear: bool = False,
    scores: Mapping[int, float] | None = None,
) -> Result:
    """Adds and removes labels (by id) on the selected samples of the member's job.

    In a job with one label per image an added label replaces the other. `clear` removes all.
    `scores` marks added labels as accepted from the model, with its score. At most eight
    statements for one image; the number does not grow with the number of images up to a batch.
    """
    job, add, remove = member.job, list(dict.fromkeys(add)), set(remove)
    if not (add or remove or clear):
        raise DomainError(_("Say which labels to add or to remove."), code="labels")
    if job.mode == Mode.SINGLE and len(add) > 1:
        raise DomainError(_("Images of this job carry one label each."), code="single")
    held = hold(selection.resolve(job), check_labels=(job, {*add, *remove}))
    refuse_too_many(held)
    now, edits = timezone.now(), []
    for sample in held:
        has = sample.annotations
        gone = set(has) if clear else remove & set(has)
        if job.mode == Mode.SINGLE and add:
            gone = set(has)
        gone -= set(add)
        new = [_row(label, member, now, scores) for label in add if label not in has]
        if new or gone:
            left = len(has) - len(gone) + len(new)
            state = SampleState.LABELED if left else SampleState.UNLABELED
            removed = [has[label] for label in sorted(gone)]
            edits.append(
                sample.edit(added=new, removed=removed, state=state, by=member.user.pk, at=now)
            )
    return apply(member, edits, verb=Verb.ACCEPT if scores is not None else Verb.LABEL)


def _row(
    label: int, member: Member, now: datetime, scores: Mapping[int, float] | None
) -> dict[str, Any]:
    return {
        "label": label,
        "user": member.user.pk,
        "origin": Origin.HUMAN if scores is None else Origin.MODEL,
        "confidence": None if scores is None else scores.get(label),
        "at": now.isoformat(),
    }


def refuse_too_many(held: list[Held]) -> None:
    if len(held) > MOST_AT_ONCE:
        raise DomainError(too_many(), code="too_many")


def hold(
    samples: QuerySet[Sample], *, check_labels: tuple[Job, set[int]] | None = None
) -> list[Held]:
    """Locks the samples and reads them with their annotations, in one statement.

    `check_labels` has the same statement tell whether the labels are labels of the job.
    """
    fields = ["id", "state", "label_count", "last_by_id", "last_at", "last_change_id"]
    fields += ["is_hard", "trashed_at"]
    of = [f"annotations__{name}" for name in ("label_id", "user_id", "origin", "confidence")]
    rows = samples.order_by("id").select_for_update(of=("self",))
    wanted: set[int] = set()
    if check_labels is not None:
        job, wanted = check_labels
        known = {
            f"label_{pk}": Subquery(
                Label.objects.filter(job=OuterRef("job_id"), pk=pk).values("pk")[:1]
            )
            for pk in sorted(wanted)
        }
        rows = rows.annotate(**known)
        of += known
    found: dict[int, Held] = {}
    for row in rows.values_list(*fields, "annotations__id", "annotations__created_at", *of):
        own, (pk, at, label, user, origin, confidence, *known_labels) = row[:8], row[8:]
        if None in known_labels:
            raise DomainError(_("A label that was named is not a label of this job."), code="label")
        sample = found.setdefault(row[0], Held(*own))
        if pk is not None:
            sample.annotations[label] = {
                "label": label,
                "user": user,
                "origin": origin,
                "confidence": confidence,
                "at": at.isoformat(),
            }
    return list(found.values())


def apply(
    member: Member,
    edits: list[Edit],
    *,
    verb: Verb,
    reverts: Change | None = None,
    skipped: int = 0,
    onto: Change | None = None,
) -> Result:
    """Writes the edits as one change: rows, history, counters, live message.

    With `onto` they become part of that change, of the same verb: what a run does in many
    transactions is one change for people. No sample comes twice in it.
    """
    if not edits:
        return Result(None, [], {}, skipped)
    job = member.job
    change = (
        _grown(onto, len(edits))
        if onto
        else Change.objects.create(
            job=job, actor=member.user, verb=verb, sample_count=len(edits), reverts=reverts
        )
    )
    is_revert = change.reverts_id is not None
    ChangeItem.objects.bulk_create(
        ChangeItem(
            change=change,
            sample_id=edit.sample.id,
            added=edit.added,
            removed=edit.removed,
            before=edit.sample.before(),
            after=edit.points_at if is_revert else change.pk,
        )
        for edit in edits
    )
    _write_annotations(edits)
    _write_samples(edits, change, is_revert=is_revert)
    counts = counters.add(job, _deltas(edits))
    ids = [edit.sample.id for edit in edits]
    message = {
        "type": "samples.changed",
        # A change that grows is older than what others did since; its counters are not.
        "change": None if onto else change.pk,
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
            created_at=datetime.fromisoformat(row["at"]),
        )
        for edit in edits
        for row in edit.added
    )


def _write_samples(edits: list[Edit], change: Change, *, is_revert: bool) -> None:
    """One statement for every different outcome, which is one for a plain labeling."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for edit in edits:
        points_at = edit.points_at if is_revert else change.pk
        outcome = (edit.state, edit.by, edit.at, edit.is_hard, edit.trashed_at)
        groups[edit.growth, points_at, *outcome].append(edit.sample.id)
    for (growth, points_at, *outcome), ids in groups.items():
        state, by, at, is_hard, trashed_at = outcome
        Sample.everything.filter(pk__in=ids).update(
            state=state,
            label_count=F("label_count") + growth,
            last_by=by,
            last_at=at,
            is_hard=is_hard,
            trashed_at=trashed_at,
            last_change=points_at,
            version=F("version") + 1,
        )


def _deltas(edits: list[Edit]) -> Tally[str]:
    deltas: Tally[str] = Tally()
    for edit in edits:
        deltas.subtract(edit.sample.counted())
        deltas.update(edit.counted())
    return deltas

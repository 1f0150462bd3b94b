"""Takes labels out of a job, off every image: the machine under merging and deleting.

Images come in pieces. Up to MOST_AT_ONCE of them are done in the request, in one transaction;
more are a run, each piece a transaction of its own. Until all are done the labels stay in the
list; whoever puts one on an image in the meantime is caught up with at the end.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotators.models import Member
from jobs import turns
from jobs.models import Change, Sample, SampleState, Verb
from jobs.selection import MOST_AT_ONCE
from labels.annotate import Edit, Held, Result, apply, hold
from labels.labelset.changes import LabelResult, labels_of, record, refuse_while_busy, tell
from labels.models import Annotation, Label
from runs import engine
from runs.models import Run, RunKind

# Of one transaction: a piece of this size takes a fifth of a second of one core.
SAMPLES_IN_PIECE = 1_000

MERGE, DELETE = "merge", "delete"


@transaction.atomic
def remove(
    member: Member, params: dict[str, Any], *, verb: Verb, reverts: Change | None = None
) -> LabelResult:
    """Starts it, and for few images ends it too.

    `params`: `does`, `labels` (ids), their `names`, and `target` or `policy`. It is kept with the
    change, so that redo does the same again on what is there by then.
    """
    job = member.job
    turns.alone(job)
    refuse_while_busy(job)
    labels_of(job, [*params["labels"], *filter(None, [params.get("target")])])
    change = record(member, verb, params, reverts=reverts)
    number = carriers(params["labels"]).values("sample").distinct().count()
    if number > MOST_AT_ONCE:
        run = submit(change, number)
        return LabelResult(change, [], {}, run=run)
    results = [work_off(member, change, ids) for ids in pieces(params["labels"])]
    retire(change)
    ids = [pk for result in results for pk in result.sample_ids]
    counts = {key: value for result in results for key, value in result.counts.items()}
    return LabelResult(change, ids, counts)


def submit(change: Change, number: int) -> Run:
    """The run that does the change; `number` of images, for those who read it."""
    params = {"change": change.pk, "does": change.params["does"], "images": number}
    run = engine.submit(RunKind.LABELS, job=change.job, by=change.actor, params=params)
    change.params["run"] = run.pk
    change.save(update_fields=["params"])
    return run


def carriers(labels: Iterable[int]) -> QuerySet[Annotation]:
    """The annotations with those labels, also of images in the trash."""
    return Annotation.objects.filter(label__in=list(labels)).order_by("sample_id")


def pieces(labels: Iterable[int]) -> Iterator[list[int]]:
    """Ids of the samples that carry the labels now, so many at a time."""
    return in_pieces(list(carriers(labels).values_list("sample_id", flat=True).distinct()))


def in_pieces(ids: list[int]) -> Iterator[list[int]]:
    # All are read at once: piece by piece, each would sort what is left of a million again.
    return (ids[at : at + SAMPLES_IN_PIECE] for at in range(0, len(ids), SAMPLES_IN_PIECE))


def work_off(member: Member, change: Change, sample_ids: list[int]) -> Result:
    """Does the change on these samples; those that carry none of its labels by now stay alone."""
    now = timezone.now()
    labels = set(change.params["labels"])
    held = hold(Sample.everything.filter(job=change.job_id, pk__in=sample_ids))
    edits = [
        _edit(sample, change.params, now)
        for sample in held
        if not labels.isdisjoint(sample.annotations)
    ]
    if change.reverts_id:
        # Of a redo: the samples are its own work, as those of any other change.
        for edit in edits:
            edit.points_at = change.pk
    return apply(member, edits, verb=change.verb, onto=change)


def _edit(sample: Held, params: dict[str, Any], now: datetime) -> Edit:
    removed = [sample.annotations[pk] for pk in params["labels"] if pk in sample.annotations]
    if params["does"] == MERGE:
        target = params["target"]
        # Who labeled it, and when, stays: of several the first.
        first = min(removed, key=lambda row: row["at"])
        added = [] if target in sample.annotations else [first | {"label": target}]
        return sample.edit(added=added, removed=removed)
    if len(removed) < len(sample.annotations):
        return sample.edit(removed=removed)
    takes_image = params["policy"] != "label" and sample.trashed_at is None
    return sample.edit(
        removed=removed,
        state=SampleState.UNLABELED,
        trashed_at=now if takes_image else sample.trashed_at,
    )


def retire(change: Change) -> None:
    """Ends it: the labels leave the list. Their rows stay, for the undo and for history."""
    Label.objects.filter(job=change.job_id, pk__in=change.params["labels"]).update(
        trashed_at=timezone.now()
    )
    tell(change.job)

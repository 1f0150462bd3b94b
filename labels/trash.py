"""Takes images out of a job, and brings them back. Nothing is done to their files.

A sample in the trash keeps its labels and all else; only its counters change. After
LABELHUB_TRASH_DAYS the trash is emptied of it: see `purge`.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from annotators.models import Member
from jobs import counters, turns
from jobs.models import PURGED, Change, Job, Sample, SampleState, Verb, trash_ends
from jobs.selection import Selection
from labels import bulk, in_sql
from labels.annotate import Result, apply, hold
from runs.clock import regularly

PURGED_AT_ONCE = 500
# The clock has other things to look at: the rest is done the next time.
BATCHES_AT_ONCE = 20


@transaction.atomic
def trash(member: Member, selection: Selection, *, onto: Change | None = None) -> Result:
    """Puts the selected samples into the trash of the member's job."""
    selection.check_expected(member.job)
    samples = selection.resolve(member.job)
    if number := bulk.number_if_large(selection, samples):
        return bulk.start(member, selection, verb=Verb.TRASH, how={}, number=number)
    now = timezone.now()
    edits = [sample.edit(trashed_at=now) for sample in hold(samples)]
    return apply(member, edits, verb=Verb.TRASH, onto=onto)


@transaction.atomic
def restore(member: Member, selection: Selection, *, onto: Change | None = None) -> Result:
    """Takes the selected samples out of the trash: they are again what they were."""
    samples = selection.resolve_trash(member.job)
    if number := bulk.number_if_large(selection, samples):
        return bulk.start(member, selection, verb=Verb.RESTORE, how={}, number=number)
    edits = [sample.edit(trashed_at=None) for sample in hold(samples)]
    return apply(member, edits, verb=Verb.RESTORE, onto=onto)


def restore_all(member: Member) -> Result:
    """Takes everything out of the trash; much of it as a run."""
    return restore(member, Selection(query=""))


# Emptying ----------------------------------------------------------------------------------------
@regularly
def purge() -> None:
    """Empties the trash of what was in it for too long, some of it at a time."""
    due = Job.objects.filter(counters__key=counters.TRASH, counters__value__gt=0)
    for job in due.order_by("pk"):
        for _turn in range(BATCHES_AT_ONCE):
            if _purge_some(job) < PURGED_AT_ONCE:
                break


@transaction.atomic
def _purge_some(job: Job) -> int:
    """Takes all that people knew of some samples; their rows stay, or the next synchronization
    would bring the images back."""
    turns.beside(job)
    late = Sample.everything.filter(job=job).in_trash().filter(trashed_at__lte=trash_ends())
    rows = late.order_by("trashed_at", "pk").select_for_update()
    ids = list(rows.values_list("pk", flat=True)[:PURGED_AT_ONCE])
    if not ids:
        return 0
    for what in ("annotations", "predictions", "history"):
        rows_of = Sample._meta.get_field(what).related_model._base_manager
        rows_of.filter(sample__in=ids).delete()
    Sample.everything.filter(pk__in=ids).update(
        trashed_at=PURGED,
        state=SampleState.UNLABELED,
        label_count=0,
        last_by=None,
        last_at=None,
        last_change=None,
        is_hard=False,
        top_score=None,
        top_name="",
        split="",
        version=F("version") + 1,
    )
    counters.add(job, {counters.TRASH: -len(ids)})
    return len(ids)


@bulk.carries_out(Verb.TRASH)
def trash_many(
    member: Member,  # noqa: ARG001
    change: Change,
    samples: QuerySet[Sample],
    how: dict[str, Any],  # noqa: ARG001
) -> in_sql.Written:
    return _write(change, samples, timezone.now())


def _in_trash(job: Job, selection: Selection, how: dict[str, Any]) -> QuerySet[Sample]:  # noqa: ARG001
    return selection.resolve_trash(job)


@bulk.carries_out(Verb.RESTORE, rows=_in_trash)
def restore_many(
    member: Member,  # noqa: ARG001
    change: Change,
    samples: QuerySet[Sample],
    how: dict[str, Any],  # noqa: ARG001
) -> in_sql.Written:
    return _write(change, samples, None)


def _write(
    change: Change, samples: QuerySet[Sample], trashed_at: datetime | None
) -> in_sql.Written:
    ids = list(in_sql.locked(samples).values_list("pk", flat=True))
    return in_sql.write(change, [in_sql.Part(ids, columns={"trashed_at": trashed_at})])

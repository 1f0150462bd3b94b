"""Takes images out of a job, and brings them back. Nothing is done to their files.

A sample in the trash keeps its labels and all else; only its counters change. After
LABELHUB_TRASH_DAYS the trash is emptied of it: see `purge`.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotators.models import Member
from jobs.models import Change, Job, Sample, Verb
from jobs.selection import Selection
from labels import bulk, in_sql
from labels.annotate import Result, apply, hold


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

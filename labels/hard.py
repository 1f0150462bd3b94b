"""Marks images as hard examples: difficult for the model or for people, to be looked at again."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotators.models import Member
from jobs.models import Change, Sample, Verb
from jobs.selection import Selection
from labels import bulk, in_sql
from labels.annotate import Result, apply, hold


@transaction.atomic
def mark_hard(member: Member, selection: Selection, *, is_hard: bool) -> Result:
    """Marks the selected samples, or takes the mark off; those that are so already stay alone."""
    verb = Verb.HARD if is_hard else Verb.NOT_HARD
    samples = selection.resolve(member.job).filter(is_hard=not is_hard)
    if number := bulk.number_if_large(selection, samples):
        return bulk.start(member, selection, verb=verb, how={}, number=number)
    edits = [sample.edit(is_hard=is_hard) for sample in hold(samples)]
    return apply(member, edits, verb=verb)


@bulk.carries_out(Verb.HARD, Verb.NOT_HARD)
def mark_many(
    member: Member,  # noqa: ARG001
    change: Change,
    samples: QuerySet[Sample],
    how: dict[str, Any],  # noqa: ARG001
) -> in_sql.Written:
    is_hard = change.verb == Verb.HARD
    rows = in_sql.locked(samples.filter(is_hard=not is_hard))
    ids = list(rows.values_list("pk", flat=True))
    return in_sql.write(change, [in_sql.Part(ids, columns={"is_hard": is_hard})])

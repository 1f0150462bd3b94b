"""Marks images as hard examples: difficult for the model or for people, to be looked at again."""

from django.db import transaction

from annotators.models import Member
from jobs.models import Change, Verb
from jobs.selection import Selection
from labels.annotate import Result, apply, hold, refuse_too_many


@transaction.atomic
def mark_hard(
    member: Member, selection: Selection, *, is_hard: bool, onto: Change | None = None
) -> Result:
    """Marks the selected samples, or takes the mark off; those that are so already stay alone."""
    held = hold(selection.resolve(member.job).filter(is_hard=not is_hard))
    refuse_too_many(held)
    edits = [sample.edit(is_hard=is_hard) for sample in held]
    return apply(member, edits, verb=Verb.HARD if is_hard else Verb.NOT_HARD, onto=onto)

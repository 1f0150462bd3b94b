"""Takes images out of a job, and brings them back. Nothing is done to their files.

A sample in the trash keeps its labels and all else; only its counters change. After
LABELHUB_TRASH_DAYS the trash is emptied of it: see `purge`.
"""

from django.db import transaction
from django.utils import timezone

from annotators.models import Member
from jobs.models import Change, Verb
from jobs.selection import Selection
from labels.annotate import Result, apply, hold, refuse_too_many


@transaction.atomic
def trash(member: Member, selection: Selection, *, onto: Change | None = None) -> Result:
    """Puts the selected samples into the trash of the member's job."""
    selection.check_expected(member.job)
    held = hold(selection.resolve(member.job))
    refuse_too_many(held)
    now = timezone.now()
    edits = [sample.edit(trashed_at=now) for sample in held]
    return apply(member, edits, verb=Verb.TRASH, onto=onto)


@transaction.atomic
def restore(member: Member, selection: Selection, *, onto: Change | None = None) -> Result:
    """Takes the selected samples out of the trash: they are again what they were."""
    held = hold(selection.resolve_trash(member.job))
    refuse_too_many(held)
    edits = [sample.edit(trashed_at=None) for sample in held]
    return apply(member, edits, verb=Verb.RESTORE, onto=onto)

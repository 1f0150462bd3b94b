"""Takes changes back, and puts them back again. Samples that others touched since stay as they
are, and the result says how many."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs.models import IS_LIVE, Change, ChangeItem, Job, Sample, SampleState, Verb, trash_ends
from labelhub.errors import Conflict
from labels.annotate import Edit, Held, Result, apply, hold

# How far back a person's own changes can be undone one by one.
UNDO_DEPTH = 50
# Changes that are not of samples alone say in their params what they did (`does`), and are taken
# back by who did it.
reverters: dict[str, Callable[..., Result]] = {}
# An undo is taken back by a redo; files that were deleted are gone.
NOT_UNDONE = (Verb.UNDO, Verb.DELETE_FILES)


def undo_last(member: Member) -> Result:
    """Undoes the member's own last change that still stands."""
    return _revert_last(member, redo=False)


def redo_last(member: Member) -> Result:
    """Puts back what the member's own last undo took, unless they labeled since."""
    return _revert_last(member, redo=True)


@transaction.atomic
def _revert_last(member: Member, *, redo: bool) -> Result:
    # Two tabs of one person take turns: the second sees what the first took back.
    Member.objects.select_for_update().get(pk=member.pk)
    own = member.job.changes.filter(actor=member.user)
    recent = list(own.select_related("reverted_by").order_by("-id")[: 4 * UNDO_DEPTH])
    change = _last_to_redo(recent) if redo else _last_to_undo(recent)
    if change is None:
        nothing = _("Nothing to redo.") if redo else _("Nothing to undo.")
        raise Conflict(nothing, code="nothing")
    return revert(member, change, verb=Verb.REDO if redo else Verb.UNDO)


def last_undoable(member: Member) -> Change | None:
    """What `undo_last` would take back."""
    own = member.job.changes.filter(actor=member.user)
    return _last_to_undo(list(own.select_related("reverted_by").order_by("-id")[: 4 * UNDO_DEPTH]))


def _is_reverted(change: Change) -> bool:
    return getattr(change, "reverted_by", None) is not None


def _last_to_undo(recent: list[Change]) -> Change | None:
    stands = (c for c in recent if c.verb not in NOT_UNDONE and not _is_reverted(c))
    return next(stands, None)


def _last_to_redo(recent: list[Change]) -> Change | None:
    for change in recent:
        if change.verb == Verb.UNDO and not _is_reverted(change):
            return change
        if change.verb not in (Verb.UNDO, Verb.REDO, Verb.DELETE_FILES):
            return None
    return None


def revert(member: Member, change: Change, *, verb: Verb) -> Result:
    """Takes back a change of the member's job, sample by sample, where its result still stands."""
    if does := change.params.get("does"):
        return reverters[does](member, change, verb=verb)
    edits, skipped = edits_back(member.job, list(change.items.all()))
    if any(edit.trashed_at != edit.sample.trashed_at for edit in edits):
        # The role can have changed since.
        require(member, Ability.DELETE_IMAGES)
    if not edits:
        # Marks it as taken back all the same, so that the next undo goes on to the one before.
        Change.objects.create(
            job=member.job, actor=member.user, verb=verb, sample_count=0, reverts=change
        )
    return apply(member, edits, verb=verb, reverts=change, skipped=skipped)


def edits_back(job: Job, found: list[ChangeItem]) -> tuple[list[Edit], int]:
    """The edits that take these items back, and how many samples stay because others touched
    them since."""
    items = {item.sample_id: item for item in found}
    labels = set(job.labels.values_list("pk", flat=True))
    within_reach = Sample.everything.filter(IS_LIVE | Q(trashed_at__gt=trash_ends()))
    edits = [
        _backwards(sample, items[sample.id], labels)
        for sample in hold(within_reach.filter(job=job, pk__in=items))
        if sample.change == items[sample.id].after
    ]
    return edits, len(items) - len(edits)


def _backwards(sample: Held, item: ChangeItem, labels: set[int]) -> Edit:
    """The edit that leads from what the item left to what it found. A label that was deleted in
    between cannot come back."""
    gone = {row["label"] for row in item.added}
    removed = [row for label, row in sample.annotations.items() if label in gone]
    back = [
        row
        for row in item.removed
        if row["label"] in labels and row["label"] not in sample.annotations
    ]
    left = len(sample.annotations) - len(removed) + len(back)
    state = item.before["state"]
    if left:
        state = SampleState.LABELED
    elif len(back) < len(item.removed):
        state = SampleState.UNLABELED
    before = item.before
    was_trashed = before.get("trashed_at") is not None
    return sample.edit(
        added=back,
        removed=removed,
        state=state,
        by=before["by"],
        at=datetime.fromisoformat(before["at"]) if before["at"] else None,
        is_hard=before.get("is_hard", sample.is_hard),
        trashed_at=_trashed(sample, was_trashed),
        points_at=before["change"],
    )


def _trashed(sample: Held, was_trashed: bool) -> datetime | None:
    """What goes back into the trash can be restored from now on as long as anything else there."""
    return (sample.trashed_at or timezone.now()) if was_trashed else None

"""Takes changes back, and puts them back again. Samples that others touched since stay as they
are, and the result says how many."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs.models import IS_LIVE, Change, ChangeItem, Job, Sample, SampleState, Verb, trash_ends
from jobs.selection import MOST_AT_ONCE, Selection
from labelhub.errors import Conflict
from labels import bulk, in_sql
from labels.annotate import Edit, Held, Result, apply, hold

# How far back a person's own changes can be undone one by one.
UNDO_DEPTH = 50
# Changes that are not of samples alone say in their params what they did (`does`), and are taken
# back by who did it.
reverters: dict[str, Callable[..., Result]] = {}
# An undo is taken back by a redo; files that were deleted are gone.
NOT_UNDONE = (Verb.UNDO, Verb.DELETE_FILES)
ITEMS_AT_ONCE = 1_000
# With fewer items than this of a kind, SQL is no faster.
ALIKE = 10
OF_THE_RUN = ("run", "planned", "skipped")

# Makes the edits that take items back, for verbs that change more than samples and annotations.
Backwards = Callable[[Member, list[ChangeItem], list[Held]], list[Edit]]
_backwards_of: dict[str, Backwards] = {}


def takes_back(verb: Verb) -> Callable[[Backwards], Backwards]:
    """Decorates the function that makes and, beyond samples and annotations, carries out the
    edits that take back changes with this verb, or put them back."""

    def decorate(function: Backwards) -> Backwards:
        _backwards_of[verb] = function
        return function

    return decorate


def undo_last(member: Member) -> Result:
    """Undoes the member's own last change that still stands."""
    return _revert_last(member, redo=False)


def redo_last(member: Member) -> Result:
    """Puts back what the member's own last undo took, unless they labeled since."""
    return _revert_last(member, redo=True)


@transaction.atomic
def undo_change(member: Member, change: Change) -> Result:
    """Undoes a change of the member's job, whoever made it; of an undo, this is a redo."""
    obstacle = why_not(change)
    if obstacle:
        raise Conflict(obstacle, code="undone")
    if change.actor_id != member.user.pk:
        require(member, Ability.UNDO_OTHERS)
    return revert(member, change, verb=Verb.REDO if change.verb == Verb.UNDO else Verb.UNDO)


def why_not(change: Change) -> str:
    """Why nobody can undo the change, or nothing."""
    if change.verb == Verb.DELETE_FILES:
        return _("Files that were deleted are gone.")
    if _is_reverted(change):
        return _("This was undone already.")
    return ""


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


@transaction.atomic
def revert(member: Member, change: Change, *, verb: Verb) -> Result:
    """Takes back a change of the member's job, sample by sample, where its result still stands.

    A run that is still at work on it is stopped first.
    """
    if does := change.params.get("does"):
        return reverters[does](member, change, verb=verb)
    bulk.stop(change)
    change = Change.objects.select_for_update(of=("self",), no_key=True).get(pk=change.pk)
    if Change.objects.filter(reverts=change).exists():
        raise Conflict(_("This was undone already."), code="undone")
    what = change.params.get("what") or _told(change)
    if what["verb"] in (Verb.TRASH, Verb.RESTORE):
        # The role can have changed since.
        require(member, Ability.DELETE_IMAGES)
    if change.sample_count > MOST_AT_ONCE:
        how, number = {"reverts": change.pk}, change.sample_count
        told = {"what": what}
        return bulk.start(
            member, None, verb=verb, how=how, number=number, told=told, reverts=change
        )
    edits, skipped = _backwards_all(member, change.items.all(), what["verb"])
    told = {"what": what} | ({"skipped": skipped} if skipped else {})
    if not edits:
        # Marks it as taken back all the same, so that the next undo goes on to the one before.
        Change.objects.create(
            job=member.job,
            actor=member.user,
            verb=verb,
            sample_count=0,
            reverts=change,
            params=told,
        )
    return apply(member, edits, verb=verb, reverts=change, skipped=skipped, told=told)


def _told(change: Change) -> dict[str, Any]:
    """What the history needs to say what was undone: of an undo that was undone, the first."""
    params = {name: value for name, value in change.params.items() if name not in OF_THE_RUN}
    return {
        "verb": change.verb,
        "actor": change.actor_id,
        "name": str(change.actor or ""),
        "number": change.sample_count,
        "params": params,
    }


def _items(job: Job, selection: Selection, how: dict[str, Any]) -> QuerySet[ChangeItem]:  # noqa: ARG001
    return ChangeItem.objects.filter(change=how["reverts"])


@bulk.carries_out(Verb.UNDO, Verb.REDO, rows=_items, at_once=ITEMS_AT_ONCE)
def revert_many(
    member: Member,
    change: Change,
    items: QuerySet[ChangeItem],
    how: dict[str, Any],  # noqa: ARG001
) -> in_sql.Written:
    verb = change.params["what"]["verb"]
    if verb not in _backwards_of:
        written = _revert_alike(member, change, items)
        if written is not None:
            return written
    edits, skipped = _backwards_all(member, items, verb)
    result = apply(member, edits, verb=change.verb, onto=change)
    return in_sql.Written(len(edits), skipped, counts=result.counts)


def _revert_alike(
    member: Member, change: Change, items: QuerySet[ChangeItem]
) -> in_sql.Written | None:
    """Takes items back in SQL, where many say the same: all of a large labeling of images that
    nobody had touched. None where there are too many kinds, or a label was deleted since."""
    texts = [Cast(name, TextField()) for name in ("added", "removed", "before")]
    rows = items.order_by("sample_id").select_for_update()
    columns = ("sample_id", "sample__last_change_id", "after", "sample__trashed_at")
    groups: dict[tuple[str, ...], list[int]] = {}
    number, ends = 0, trash_ends()
    for sample, points_at, after, trashed_at, *said in rows.values_list(*columns, *texts):
        number += 1
        if points_at == after and (trashed_at is None or trashed_at > ends):
            groups.setdefault(tuple(said), []).append(sample)
    labels = set(member.job.labels.values_list("pk", flat=True))
    parts = [_part_back(ids, *map(json.loads, said)) for said, ids in groups.items()]
    stand = sum(map(len, groups.values()))
    if len(parts) * ALIKE > stand or not all(labels >= used for _part, used in parts):
        return None
    written = in_sql.write(change, [part for part, _used in parts])
    written.skipped = number - stand
    return written


def _part_back(
    ids: list[int], added: list[Any], removed: list[Any], before: dict[str, Any]
) -> tuple[in_sql.Part, set[int]]:
    """What `backwards` does, for samples with the same history, and the labels in it."""
    gone = {label_in(row) for row in added}
    was_trashed = before.get("trashed_at") is not None
    columns = {
        "state": before["state"],
        "label_count": F("label_count") + len(removed) - len(gone),
        "last_by": before.get("by"),
        "last_at": in_sql.moment(before["at"]) if "at" in before else None,
        "is_hard": bool(before.get("is_hard")),
        "trashed_at": Coalesce(F("trashed_at"), timezone.now()) if was_trashed else None,
    }
    leaving = Q(label__in=gone) if gone else None
    part = in_sql.Part(ids, tuple(removed), leaving, columns, before.get("change"))
    return part, gone | {label_in(row) for row in removed}


def _backwards_all(
    member: Member, items: QuerySet[ChangeItem], verb: str
) -> tuple[list[Edit], int]:
    """The edits that take the items back, and how many samples others have changed since."""
    by_sample = {item.sample_id: item for item in items}
    stand = _standing(member.job, by_sample)
    back = _backwards_of.get(verb, _backwards)
    edits = back(member, [by_sample[sample.id] for sample in stand], stand)
    return edits, len(by_sample) - len(edits)


def edits_back(job: Job, found: Iterable[ChangeItem]) -> tuple[list[Edit], int]:
    """The edits that take these items back, and how many samples stay because others touched
    them since."""
    items = {item.sample_id: item for item in found}
    labels = set(job.labels.values_list("pk", flat=True))
    edits = [backwards(held, items[held.id], labels) for held in _standing(job, items)]
    return edits, len(items) - len(edits)


def _standing(job: Job, items: dict[int, ChangeItem]) -> list[Held]:
    """The samples that are as the items left them, locked."""
    within_reach = Sample.everything.filter(IS_LIVE | Q(trashed_at__gt=trash_ends()))
    held = hold(within_reach.filter(job=job, pk__in=items))
    return [sample for sample in held if sample.change == items[sample.id].after]


def _backwards(member: Member, items: list[ChangeItem], samples: list[Held]) -> list[Edit]:
    labels = set(member.job.labels.values_list("pk", flat=True))
    pairs = zip(samples, items, strict=True)
    return [backwards(sample, item, labels) for sample, item in pairs]


def backwards(sample: Held, item: ChangeItem, labels: Iterable[int], **extra: Any) -> Edit:
    """The edit that leads from what the item left to what it found. A label that was deleted in
    between (is not among `labels`) cannot come back."""
    gone = {label_in(row) for row in item.added}
    removed = [row for label, row in sample.annotations.items() if label in gone]
    back = [
        row
        for row in item.removed
        if row["label"] in labels and row["label"] not in sample.annotations
    ]
    left = len(sample.annotations) - len(removed) + len(back)
    before = item.before
    state = before["state"]
    if left:
        state = SampleState.LABELED
    elif len(back) < len(item.removed):
        state = SampleState.UNLABELED
    return sample.edit(
        added=back,
        removed=removed,
        state=state,
        by=before.get("by"),
        at=in_sql.moment(before["at"]) if "at" in before else None,
        is_hard=bool(before.get("is_hard")),
        trashed_at=_trashed(sample, before.get("trashed_at") is not None),
        points_at=before.get("change"),
        extra=extra,
    )


def label_in(row: dict[str, Any] | int) -> int:
    """The label of an annotation in a history, whose short form is the label alone."""
    return row if isinstance(row, int) else row["label"]


def _trashed(sample: Held, was_trashed: bool) -> datetime | None:
    """What goes back into the trash can be restored from now on as long as anything else there."""
    return (sample.trashed_at or timezone.now()) if was_trashed else None

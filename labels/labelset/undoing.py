"""Takes changes of a label set back, and does them again."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs import turns
from jobs.models import Change, ChangeItem, Job, Verb
from jobs.selection import MOST_AT_ONCE
from labelhub.errors import Conflict
from labels import undo
from labels.annotate import Result, apply
from labels.labelset import deletion, edits, merging
from labels.labelset.changes import LabelResult, gone, listed, record, refuse_while_busy, tell
from labels.labelset.removal import DELETE, MERGE, in_pieces, remove, submit
from labels.models import Annotation, Label

TEXTS = {
    MERGE: merging.merged_text,
    DELETE: deletion.deleted_text,
    edits.ADD: edits.added_text,
    edits.EDIT: edits.edited_text,
    edits.MOVE: edits.moved_text,
    edits.ORDER: lambda params: _("The labels are in a new order."),  # noqa: ARG005
}


def describe(change: Change) -> str:
    """What a change of labels did, in words."""
    return TEXTS[change.params["does"]](change.params)


def last_to_undo(member: Member) -> Change | None:
    """The member's own newest change of labels that stands, if it was their last of all."""
    change = undo.last_undoable(member)
    return change if change is not None and "does" in change.params else None


@transaction.atomic
def undo_change(member: Member, change_id: int) -> Result:
    """Takes back one change of the job's labels, whoever made it."""
    require(member, Ability.MANAGE_LABELS)
    found = (
        member.job.changes.select_for_update(of=("self",), no_key=True).filter(pk=change_id).first()
    )
    if found is None or "does" not in found.params or found.verb == Verb.UNDO:
        raise Conflict(_("Nothing to undo."), code="nothing")
    if Change.objects.filter(reverts=found).exists():
        raise Conflict(_("That was undone already."), code="nothing")
    return undo.revert(member, found, verb=Verb.UNDO)


def revert(member: Member, change: Change, *, verb: Verb) -> Result:
    """For `labels.undo`: what it does with a change of labels."""
    does = change.params["does"]
    require(member, Ability.CREATE_LABEL if does == edits.ADD else Ability.MANAGE_LABELS)
    is_again = change.verb == Verb.UNDO
    turns.alone(member.job)
    if Change.objects.filter(reverts=change).exists():
        # By somebody else, a moment ago.
        raise Conflict(_("This was undone already."), code="undone")
    if does in (MERGE, DELETE):
        if is_again:
            return said(remove(member, _told(change), verb=verb, reverts=change), change.params)
        return _bring_back(member, change, verb)
    made = record(member, verb, _told(change), reverts=change)
    act = {edits.ADD: _add, edits.EDIT: _edit, edits.MOVE: _move, edits.ORDER: _order}[does]
    message = act(member.job, change.params, is_again)
    tell(member.job)
    return LabelResult(made, [], {}, message=message)


# Lists, names, keys ------------------------------------------------------------------------------
def _edit(job: Job, params: dict[str, Any], is_again: bool) -> str:
    source, result = ("before", "after") if is_again else ("after", "before")
    label = job.labels.select_for_update(no_key=True).filter(pk=params["label"]).first()
    if label is None or any(getattr(label, f) != value for f, value in params[source].items()):
        return _("“%(name)s” was changed since and stays as it is.") % {"name": params["name"]}
    edits.write_fields(label, params[result])
    return _("“%(name)s” is again what it was.") % {"name": label.name}


def _move(job: Job, params: dict[str, Any], is_again: bool) -> str:
    if not job.labels.select_for_update(no_key=True).filter(pk=params["label"]).exists():
        raise gone()
    place = params["after" if is_again else "before"]
    edits.shift(job, params["label"], place)
    return edits.moved_text(params | {"after": place})


def _order(job: Job, params: dict[str, Any], is_again: bool) -> str:
    now = list(job.labels.select_for_update(no_key=True).values_list("pk", flat=True))
    edits.write_order(job, edits.reordered(now, params["after" if is_again else "before"]))
    return _("The labels are in the order from before.")


def _add(job: Job, params: dict[str, Any], is_again: bool) -> str:
    if is_again:
        _revive(job, params)
        return edits.added_text(params)
    added = job.labels.select_for_update(no_key=True).filter(pk__in=params["labels"])
    used = set(
        Annotation.objects.filter(label__in=params["labels"]).values_list("label", flat=True)
    )
    names = [label.name for label in added if label.pk not in used]
    job.labels.filter(pk__in=params["labels"]).exclude(pk__in=used).update(
        trashed_at=timezone.now()
    )
    removed = _("Removed %(names)s.") % {"names": listed(names)} if names else ""
    if not used:
        return removed
    left = ngettext(
        "%(n)d label is in use and stays.", "%(n)d labels are in use and stay.", len(used)
    )
    return f"{removed} {left % {'n': len(used)}}".strip()


def _revive(job: Job, params: dict[str, Any]) -> None:
    """Takes labels back into the list. A key that another label has by now is given up."""
    for label in Label.everything.filter(job=job, pk__in=params["labels"]).exclude(trashed_at=None):
        if label.key and job.labels.filter(key=label.key).exists():
            label.key = ""
        label.trashed_at = None
        try:
            with transaction.atomic():
                label.save(update_fields=["key", "trashed_at"])
        except IntegrityError:
            raise Conflict(
                _("“%(name)s” cannot come back: another label has that name now. Rename it first.")
                % {"name": label.name},
                code="label_exists",
            )


# Annotations -------------------------------------------------------------------------------------
def _bring_back(member: Member, change: Change, verb: Verb) -> LabelResult:
    """The labels at once; the images that nobody changed since with them, many in a run."""
    if change.params.get("policy") == deletion.Policy.IMAGES:
        require(member, Ability.DELETE_IMAGES)
    refuse_while_busy(member.job)
    _revive(member.job, change.params)
    tell(member.job)
    made = record(member, verb, _told(change), reverts=change)
    number = change.items.count()
    if number > MOST_AT_ONCE:
        run = submit(made, number)
        return said(LabelResult(made, [], {}, run=run), change.params, back=True)
    results = [take_back(member, made, ids) for ids in pieces(change)]
    ids = [pk for result in results for pk in result.sample_ids]
    counts = {key: value for result in results for key, value in result.counts.items()}
    skipped = sum(result.skipped for result in results)
    note_skipped(made, skipped)
    return said(LabelResult(made, ids, counts, skipped), change.params, back=True)


def _told(change: Change) -> dict[str, Any]:
    """What an undo keeps of what it undoes, and of who did that; of a redo, the first one."""
    name = str(change.actor or "")
    first = {"actor": change.actor_id, "name": name, "number": change.sample_count}
    kept = {key: value for key, value in change.params.items() if key not in undo.OF_THE_RUN}
    return {"first": first} | kept


def note_skipped(made: Change, number: int) -> None:
    """For the history: how many images others had changed since."""
    if number:
        made.params["skipped"] = number
        made.save(update_fields=["params"])


def pieces(change: Change) -> Iterable[list[int]]:
    """Ids of the change's items, so many at a time."""
    return in_pieces(list(change.items.order_by("pk").values_list("pk", flat=True)))


def take_back(member: Member, made: Change, item_ids: list[int]) -> Result:
    """Takes back these items of what `made` reverts."""
    rows = ChangeItem.objects.filter(change=made.reverts_id, pk__in=item_ids)
    edits_back, skipped = undo.edits_back(member.job, list(rows.order_by("pk")))
    return apply(member, edits_back, verb=made.verb, onto=made, skipped=skipped)


def said(result: LabelResult, params: dict[str, Any], *, back: bool = False) -> LabelResult:
    """The result with its words."""
    if not back:
        text = TEXTS[params["does"]](params)
    else:
        text = (
            _("%(names)s are there again.")
            if len(params["names"]) > 1
            else _("%(names)s is there again.")
        )
        text = text % {"names": listed(params["names"])}
    message = " ".join(filter(None, [text, _of_images(result)]))
    fields = {name: getattr(result, name) for name in ("change", "sample_ids", "counts", "skipped")}
    return LabelResult(**fields, run=result.run, message=message)


def _of_images(result: LabelResult) -> str:
    if result.run is not None:
        return _("The images follow in the background.")
    if not result.skipped:
        return ""
    return ngettext(
        "%(n)d image was changed since and left as it is.",
        "%(n)d images were changed since and left as they are.",
        result.skipped,
    ) % {"n": result.skipped}


for _does in TEXTS:
    undo.reverters[_does] = revert

"""The run that takes labels off many images, or brings them back: a transaction for each piece."""

from collections.abc import Iterator
from typing import Any

from annotators.models import Member
from annotators.roles import Role
from jobs import turns
from jobs.models import Change, Verb
from labels.labelset import removal, undoing
from labels.labelset.changes import tell
from runs.kinds import Heartbeat, Kind, Outcome, Piece, register
from runs.models import Run, RunKind


def _change_of(run: Run) -> Change:
    return Change.objects.select_related("job", "actor").get(pk=run.params["change"])


def _is_back(change: Change) -> bool:
    return change.verb == Verb.UNDO


def _member_of(change: Change) -> Member:
    """Who asked for it: what was begun is finished, whatever their role is by now."""
    # Of an account that was deleted the owner takes the place.
    user = change.actor or change.job.members.select_related("user").get(role=Role.OWNER).user
    return Member(job=change.job, user=user)


def plan(run: Run) -> Iterator[Piece]:
    change = _change_of(run)
    if _is_back(change):
        found = undoing.pieces(change.reverts)
    else:
        found = removal.pieces(change.params["labels"])
    for ids in found:
        yield Piece({"ids": ids}, len(ids))


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> list[int]:  # noqa: ARG001
    return payload["ids"]


def apply(run: Run, ids: list[int]) -> Outcome:
    # The last piece takes the labels away, in the same transaction.
    turns.alone(run.job_id)
    change = _change_of(run)
    if Change.objects.filter(reverts=change).exists():
        # Stopped, undone, and then taken up again.
        return Outcome()
    do = undoing.take_back if _is_back(change) else removal.work_off
    result = do(_member_of(change), change, ids)
    counts = {"images": len(result.sample_ids), "left": result.skipped}
    return Outcome({name: number for name, number in counts.items() if number})


def finish(run: Run) -> None:
    """What was labeled with the labels meanwhile follows; then they leave the list."""
    change = _change_of(run)
    if _is_back(change):
        undoing.note_skipped(change, run.counts.get("left", 0))
        tell(change.job)
        return
    if Change.objects.filter(reverts=change).exists():
        return
    rest = list(removal.pieces(change.params["labels"]))
    if sum(map(len, rest)) > removal.SAMPLES_IN_PIECE:
        removal.submit(change, sum(map(len, rest)))
        return
    for ids in rest:
        removal.work_off(_member_of(change), change, ids)
    removal.retire(change)


register(Kind(RunKind.LABELS, plan=plan, prepare=prepare, apply=apply, finish=finish))

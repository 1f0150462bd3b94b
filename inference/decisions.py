"""What people decide on suggestions of many samples at once: accept the best one of each, or reject
it. Either is one Change, and a run where there are many."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotators.models import Member
from annotators.roles import Ability
from inference.models import Prediction
from inference.services import Suggestion, newest, note_best, suggestions
from jobs.models import Change, ChangeItem, Mode, Sample, SampleState, Verb
from jobs.selection import Selection
from jobs.vocabulary import Vocabulary
from labelhub.errors import Conflict, DomainError
from labels import bulk
from labels.annotate import Edit, Held, Result, apply, hold, row
from labels.in_sql import Written
from labels.services import labels_named
from labels.undo import backwards, takes_back

SAMPLES_AT_ONCE = 500
# Of so many labels the history keeps the names.
MOST_TOLD = 20


# Accepting ---------------------------------------------------------------------------------------
@transaction.atomic
def accept_best(member: Member, selection: Selection, *, min_score: float = 0.0) -> Result:
    """Puts on each selected sample the label that the model suggests first for it, with a score of
    at least `min_score`. The job gets the labels that it lacks where the member may add labels;
    else those samples are left, and the result says how many."""
    _check(min_score)
    samples = selection.resolve(member.job)
    if number := bulk.number_if_large(selection, samples):
        how = {"min_score": min_score}
        return bulk.start(member, selection, verb=Verb.ACCEPT, how=how, number=number)
    edits, left, told = _accepted(member, hold(samples), min_score)
    result = apply(member, edits, verb=Verb.ACCEPT, told={"add": told})
    return Result(result.change, result.sample_ids, result.counts, left=left)


def _check(min_score: float) -> None:
    if not 0 <= min_score <= 1:
        raise DomainError(_("A score is between 0 and 1."), code="min_score")


@bulk.carries_out(Verb.ACCEPT, at_once=SAMPLES_AT_ONCE)
def accept_many(
    member: Member, change: Change, samples: QuerySet[Sample], how: dict[str, Any]
) -> Written:
    edits, left, _told = _accepted(member, hold(samples), how["min_score"])
    result = apply(member, edits, verb=Verb.ACCEPT, onto=change)
    return Written(len(edits), left=left, counts=result.counts)


def _accepted(
    member: Member, held: list[Held], min_score: float
) -> tuple[list[Edit], dict[str, int], list[list[Any]]]:
    """The edits, how many samples were left for which reason, and the labels for the history."""
    best = _best(member, held, min_score)
    labels = _labels_for(member, best.values())
    now, edits = timezone.now(), []
    left = {"no_suggestion": len(held) - len(best), "no_label": 0}
    told: dict[int, str] = {}
    for sample in held:
        if sample.id not in best:
            continue
        one = best[sample.id]
        label = labels.get(one.label_name)
        if label is None:
            left["no_label"] += 1
            continue
        has = sample.annotations
        if label in has:
            continue
        told[label] = one.label_name
        scores = {label: min(max(one.score, 0.0), 1.0)}
        gone = list(has.values()) if member.job.mode == Mode.SINGLE else []
        added = [row(label, member, now, scores)]
        labeled = {"state": SampleState.LABELED, "by": member.user.pk, "at": now}
        edits.append(sample.edit(added=added, removed=gone, **labeled))
    counted = {reason: number for reason, number in left.items() if number}
    return edits, counted, [list(pair) for pair in list(told.items())[:MOST_TOLD]]


def _best(member: Member, held: list[Held], min_score: float) -> dict[int, Suggestion]:
    known = Vocabulary(member.job.pk)
    found = {}
    for sample, prediction in newest(sample.id for sample in held).items():
        first = next(iter(suggestions(prediction, known)), None)
        if first is not None and first.score >= min_score:
            found[sample] = first
    return found


def _labels_for(member: Member, wanted: Iterable[Suggestion]) -> dict[str, int]:
    """Labels by name; those that lack are made, if the member may."""
    known = {one.label_name: one.label for one in wanted if one.label is not None}
    lacking = [one.label_name for one in wanted if one.label is None]
    if lacking and member.can(Ability.CREATE_LABEL):
        known |= labels_named(member.job, lacking)
    return known


# Rejecting ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Refused:
    """A suggestion that goes: of which prediction, and as the model wrote it."""

    prediction: Prediction
    pair: list[Any]


@transaction.atomic
def reject(member: Member, sample_id: int, name: str) -> Result:
    """Takes one suggestion (by the model's name) off the sample, for good: asked again, the model
    does not suggest it there any more."""
    held = hold(member.job.samples.filter(pk=sample_id))
    rows = Prediction.objects.filter(sample__in=[sample.id for sample in held])
    for prediction in rows.order_by("-created_at"):
        for pair in prediction.labels:
            if pair[0] == name:
                refused = {sample_id: Refused(prediction, pair)}
                return _rejected(member, held, refused)
    raise Conflict(_("The model no longer suggests “%(name)s”.") % {"name": name}, code="gone")


@transaction.atomic
def reject_best(member: Member, selection: Selection) -> Result:
    """The same for the best suggestion of each selected sample."""
    samples = selection.resolve(member.job)
    if number := bulk.number_if_large(selection, samples):
        return bulk.start(member, selection, verb=Verb.REJECT, how={}, number=number)
    held = hold(samples)
    return _rejected(member, held, _best_of(held))


@bulk.carries_out(Verb.REJECT, at_once=SAMPLES_AT_ONCE)
def reject_many(
    member: Member,
    change: Change,
    samples: QuerySet[Sample],
    how: dict[str, Any],  # noqa: ARG001
) -> Written:
    held = hold(samples)
    result = _rejected(member, held, _best_of(held), onto=change)
    return Written(len(result.sample_ids), left=result.left, counts=result.counts)


def _best_of(held: list[Held]) -> dict[int, Refused]:
    return {
        sample: Refused(prediction, prediction.labels[0])
        for sample, prediction in newest(sample.id for sample in held).items()
        if prediction.labels
    }


def _rejected(
    member: Member, held: list[Held], refused: dict[int, Refused], *, onto: Change | None = None
) -> Result:
    edits, told = [], {}
    for sample in held:
        if sample.id in refused:
            one = refused[sample.id]
            prediction, pair = one.prediction, one.pair
            prediction.labels = [other for other in prediction.labels if other != pair]
            prediction.rejected = [*prediction.rejected, pair]
            told[pair[0]] = [0, pair[0]]
            state = sample.state
            if state == SampleState.TO_CONFIRM and not prediction.labels:
                state = SampleState.UNLABELED
            moved = {"rejected": [prediction.pk, pair]}
            edits.append(sample.edit(state=state, extra=moved))
    _write(member, [one.prediction for one in refused.values()])
    how = {"onto": onto, "told": {"add": list(told.values())[:MOST_TOLD]}}
    result = apply(member, edits, verb=Verb.REJECT, **how)
    nothing = len(held) - len(edits)
    left = {"no_suggestion": nothing} if nothing else {}
    return Result(result.change, result.sample_ids, result.counts, left=left)


def _write(member: Member, predictions: list[Prediction]) -> None:
    """What is left of predictions, and what is best now."""
    Prediction.objects.bulk_update(predictions, ["labels", "rejected"], batch_size=500)
    note_best(member.job, newest({prediction.sample_id for prediction in predictions}))


@takes_back(Verb.REJECT)
def unreject(member: Member, items: list[ChangeItem], samples: list[Held]) -> list[Edit]:
    """Puts the suggestions back, or, for a redo, takes them off again."""
    moved = {item.before["rejected"][0]: item.before["rejected"][1] for item in items}
    predictions = list(Prediction.objects.filter(pk__in=moved))
    for prediction in predictions:
        pair = moved[prediction.pk]
        name = pair[0]
        if name in {one[0] for one in prediction.rejected}:
            came, went = prediction.labels, prediction.rejected
            prediction.rejected = [one for one in went if one[0] != name]
            both = [*came, pair]
            prediction.labels = sorted(both, key=lambda one: -one[1])
        else:
            prediction.labels = [one for one in prediction.labels if one[0] != name]
            prediction.rejected = [*prediction.rejected, pair]
    _write(member, predictions)
    pairs = zip(samples, items, strict=True)
    return [backwards(sample, item, (), rejected=item.before["rejected"]) for sample, item in pairs]

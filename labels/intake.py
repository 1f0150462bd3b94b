"""Turns the labels that came with images into annotations, or into suggestions to be confirmed.

What people did is never overwritten: a label is added beside theirs, and in a job with one label
per image an image that carries one keeps it.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from annotators.models import User
from datasets.formats import Record
from jobs.models import Change, Job, Mode, Sample, SampleState, Verb
from labels.annotate import Edit, Held, apply, hold
from labels.models import Origin
from labels.names import clean_label_name, is_valid, suggest
from labels.services import create_labels

# The model that suggestions are kept under which came with a file.
IMPORTED = "import"


@dataclass(frozen=True)
class Hand:
    """Who imports into which job: what `apply` needs of a member. Nobody, where it is due."""

    job: Job
    user: User | None


@dataclass(frozen=True)
class Wishes:
    """How labels are taken: `state` is unlabeled, labeled or to_confirm; `renames` gives names
    that cannot be labels the ones they get; `only`, where it is not empty, names those wanted."""

    state: str = SampleState.LABELED
    renames: Mapping[str, str] | None = None
    only: frozenset[str] = frozenset()
    only_hard: bool = False

    def name(self, raw: str) -> str:
        return (self.renames or {}).get(raw) or suggest(raw)

    def wants(self, raw: str) -> bool:
        return not self.only or raw in self.only


def take_labels(
    hand: Hand, records: Mapping[str, Record], wishes: Wishes, *, onto: Change | None = None
) -> tuple[Change | None, Tally[str]]:
    """Labels the samples of the job by their paths, in the caller's transaction; the change, and
    how many images were labeled, to be confirmed or kept as they are."""
    counts: Tally[str] = Tally()
    records = {
        path: record
        for path, record in records.items()
        if record.is_labeled and not (wishes.only_hard and not record.is_hard)
    }
    if not records or wishes.state == SampleState.UNLABELED:
        return onto, counts
    known = _labels(hand.job, records, wishes)
    rows = _samples(hand.job, records)
    paths = dict(rows.values_list("pk", "path"))
    edits: list[Edit] = []
    unconfirmed: dict[int, list[list]] = {}
    for held in hold(rows):
        record = records[paths[held.id]]
        scored = _scored(record, wishes, known)
        if wishes.state == SampleState.TO_CONFIRM or not record.is_confirmed:
            edit = _to_confirm(held, scored, record)
            if edit is not None:
                unconfirmed[held.id] = [[name, score or 0.0] for name, _pk, score in scored]
        else:
            edit = _labeled(hand, held, scored, record)
        if edit is None:
            counts["kept"] += 1
        else:
            edits.append(edit)
    _set_splits(hand.job, records)
    _suggest(unconfirmed)
    result = apply(hand, edits, verb=Verb.IMPORT, onto=onto)
    counts["to_confirm"] += len(unconfirmed)
    counts["labeled"] += len(edits) - len(unconfirmed)
    return result.change or onto, counts


def _labels(job: Job, records: Mapping[str, Record], wishes: Wishes) -> dict[str, int]:
    """The ids of all labels by name; those that lack are made, unless they only are suggested."""
    known = dict(job.labels.values_list("name", "pk"))
    wanted = {
        clean_label_name(wishes.name(raw)): None
        for record in records.values()
        if record.is_confirmed and wishes.state == SampleState.LABELED
        for raw in record.labels
        if wishes.wants(raw)
    }
    new = [name for name in wanted if name not in known and is_valid(name)]
    known.update((label.name, label.pk) for label in create_labels(job, new)) if new else None
    return known


def _scored(
    record: Record, wishes: Wishes, known: Mapping[str, int]
) -> list[tuple[str, int | None, float | None]]:
    """Name, id and confidence of the labels that are wanted, each once."""
    confidences = record.confidences or (None,) * len(record.labels)
    found = {}
    for raw, confidence in zip(record.labels, confidences, strict=True):
        if wishes.wants(raw):
            name = clean_label_name(wishes.name(raw))
            found.setdefault(name, (name, known.get(name), confidence))
    return list(found.values())


def _labeled(hand: Hand, held: Held, scored: list[tuple], record: Record) -> Edit | None:
    is_taken = held.state == SampleState.LABELED
    new = [one for one in scored if one[1] is not None and one[1] not in held.annotations]
    if hand.job.mode == Mode.SINGLE:
        new = [] if is_taken else new[:1]
    is_hard = held.is_hard or record.is_hard
    if not new and is_taken and is_hard == held.is_hard:
        return None
    now = timezone.now()
    return held.edit(
        added=[_row(hand, pk, confidence, now) for _name, pk, confidence in new],
        state=SampleState.LABELED,
        by=hand.user.pk if hand.user else None,
        at=now,
        is_hard=is_hard,
    )


def _to_confirm(held: Held, scored: list[tuple], record: Record) -> Edit | None:
    if held.state != SampleState.UNLABELED or not scored:
        return None
    return held.edit(state=SampleState.TO_CONFIRM, is_hard=held.is_hard or record.is_hard)


def _row(hand: Hand, label: int, confidence: float | None, now) -> dict[str, Any]:
    return {
        "label": label,
        "user": hand.user.pk if hand.user else None,
        "origin": Origin.IMPORT,
        "confidence": confidence,
        "at": now.isoformat(),
    }


def _suggest(unconfirmed: Mapping[int, list[list]]) -> None:
    """Keeps what came unconfirmed as a prediction; its best label is that of the sample."""
    predictions = Sample._meta.get_field("predictions").related_model.objects
    ranked = {pk: sorted(scores, key=lambda pair: -pair[1]) for pk, scores in unconfirmed.items()}
    model = predictions.model
    predictions.bulk_create(
        (
            model(sample_id=pk, model=IMPORTED, numeric_mode="", labels=scores)
            for pk, scores in ranked.items()
        ),
        update_conflicts=True,
        unique_fields=["sample", "model"],
        update_fields=["labels", "created_at"],
    )
    best = [Sample(pk=pk, top_name=s[0][0], top_score=s[0][1]) for pk, s in ranked.items()]
    Sample.objects.bulk_update(best, ["top_name", "top_score"], batch_size=500)


def _set_splits(job: Job, records: Mapping[str, Record]) -> None:
    for split in {record.split for record in records.values()} - {""}:
        paths = [path for path, record in records.items() if record.split == split]
        ids = _samples(job, paths).exclude(split=split).values_list("pk", flat=True)
        job.samples.filter(pk__in=list(ids)).update(split=split)


def _samples(job: Job, paths: Iterable[str]) -> QuerySet[Sample]:
    """By way of the images, whose paths have an index."""
    return job.samples.filter(image__dataset=job.dataset_id, image__path__in=list(paths))

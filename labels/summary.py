"""What a selection holds: how many images, in which states, with which labels."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Max, Q

from jobs.models import Job, SampleState
from jobs.selection import Selection
from labels.models import Annotation, Label


@dataclass(frozen=True)
class Summary:
    """`labels`: those that some of the samples carry, in the job's order, each with its `count`.
    `nothing`: labeled, with no label. `through`: of a query, the sample up to which was counted, so
    that a command can be kept from what came later."""

    count: int
    hard: int
    nothing: int
    states: dict[str, int]
    labels: list[Label]
    through: int | None


def summarize(job: Job, selection: Selection) -> Summary:
    """Counted by the database, in three statements whatever the size, four for a query."""
    if selection.query is not None and selection.through is None:
        newest = job.samples.aggregate(newest=Max("pk"))["newest"] or 0
        selection = replace(selection, through=newest)
    chosen = selection.resolve(job).order_by()
    counts: dict[str, Any] = chosen.aggregate(
        hard=Count("pk", filter=Q(is_hard=True)),
        nothing=Count("pk", filter=Q(state=SampleState.LABELED, label_count=0)),
        **{state.value: Count("pk", filter=Q(state=state)) for state in SampleState},
    )
    rows = Annotation.objects.filter(sample__in=chosen.values("pk")).order_by()
    carried = dict(rows.values_list("label").annotate(number=Count("pk")))
    labels = [label for label in job.labels.all() if label.pk in carried]
    for label in labels:
        label.count = carried[label.pk]
    states = {state.value: counts[state.value] for state in SampleState}
    number = sum(states.values())
    return Summary(
        number, counts["hard"], counts["nothing"], states, labels, through=selection.through
    )

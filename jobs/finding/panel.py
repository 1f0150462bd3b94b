"""What the panel with all filters shows. Numbers stand beside what a counter of the job knows; they
are of the whole job, whatever else is set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict

from annotators.models import Member, User
from annotators.roles import Ability
from datasets.models import Image
from jobs import counters
from jobs.conditions import ANY_PROBLEM, MISSING
from jobs.expressions import NotEmpty
from jobs.finding.values import MOST_CHOICES, folders_inside, predicted_names
from jobs.models import SampleState
from jobs.pages import DEFAULT_SIZE, Place
from jobs.sorting import ADDED

# More labels are found by their name.
LABELS_SHOWN = 40
MOST_PROBLEMS = 20
AGO = ("1d", "7d", "30d")


@dataclass(frozen=True, slots=True)
class LabelChoice:
    pk: int
    name: str
    colour: int
    count: int
    is_wanted: bool
    is_unwanted: bool


@dataclass(frozen=True, slots=True)
class Folders:
    """`inside`: name and path of the folders in the one that is chosen; `above`: the path of the
    one it is in, None at the top."""

    chosen: str
    above: str | None
    inside: list[tuple[str, str]]
    has_more: bool


def label_choices(
    member: Member, query: QueryDict, counts: Mapping[str, int], *, search: str, most: int | None
) -> tuple[list[LabelChoice], int]:
    """The labels that are chosen, then others with `search` in their names up to `most` in all;
    and how many more there are."""
    parts = set(",".join(query.getlist("label")).split(","))
    rows = list(member.job.labels.values_list("pk", "name", "colour"))
    choices = [
        LabelChoice(
            pk,
            name,
            colour,
            counts.get(counters.label_key(pk), 0),
            str(pk) in parts,
            f"-{pk}" in parts,
        )
        for pk, name, colour in rows
    ]
    chosen = [one for one in choices if one.is_wanted or one.is_unwanted]
    text = search.casefold()
    others = [one for one in choices if one not in chosen and text in one.name.casefold()]
    room = len(others) if most is None else max(most - len(chosen), 0)
    if not search and room >= len(others):
        # Nothing is left out: all in the order of the job.
        return choices, 0
    return chosen + others[:room], len(others) - len(others[:room])


def panel_of(
    member: Member, place: Place, counts: Mapping[str, int], *, search: str, is_whole: bool
) -> dict[str, Any]:
    query = QueryDict(place.filters)
    most = None if is_whole else LABELS_SHOWN
    labels, more = label_choices(member, query, counts, search=search, most=most)
    predicted = predicted_names(member.job)
    return {
        "asked": query.dict(),
        "sort": "" if place.sort is ADDED else place.sort.name,
        "size": "" if place.size == DEFAULT_SIZE else str(place.size),
        "labels": labels,
        "more_labels": more,
        "label_search": search,
        "is_unlabeled_wanted": query.get("label") == "none",
        "hard_count": counts.get(counters.HARD, 0),
        "labelless_count": counters.number_of(
            counts, (SampleState.UNLABELED, SampleState.TO_CONFIRM)
        ),
        "folders": folders_of(member, query.get("path", "")),
        "people": people_of(member, counts),
        "predicted": predicted if len(predicted) <= MOST_CHOICES else [],
        "has_predictions": bool(predicted),
        "problem_codes": _problems(member),
        "agos": AGO,
    }


def folders_of(member: Member, path: str) -> Folders:
    chosen = path.strip("/")
    chosen = "" if "\0" in chosen else chosen
    prefix = f"{chosen}/" if chosen else ""
    names = folders_inside(member.job, prefix)
    inside = [(name, f"{prefix}{name}".rstrip("/")) for name in names[:MOST_CHOICES]]
    above = chosen.rpartition("/")[0] if chosen else None
    return Folders(chosen, above, inside, len(names) > MOST_CHOICES)


def people_of(member: Member, counts: Mapping[str, int]) -> list[tuple[User, int]]:
    """Members, and who labeled here and left; with the number of images that each labeled last.
    Who may not see the members finds themselves alone."""
    people: QuerySet[User] = User.objects.filter(pk=member.user_id)
    if member.can(Ability.SEE_MEMBERS):
        prefix = counters.person_key(0).removesuffix("0")
        labeled = [int(key.removeprefix(prefix)) for key in counts if key.startswith(prefix)]
        people = User.objects.filter(Q(memberships__job=member.job) | Q(pk__in=labeled)).distinct()
    rows = [(person, counts.get(counters.person_key(person.pk), 0)) for person in people]
    return sorted(rows, key=lambda row: (row[0].pk != member.user_id, str(row[0]).casefold()))


def _problems(member: Member) -> list[str]:
    """What some image of the dataset has."""
    images = Image.objects.filter(NotEmpty("problem"), dataset_id=member.job.dataset_id)
    found = images.order_by().values_list("problem", flat=True).distinct()[:MOST_PROBLEMS]
    return [ANY_PROBLEM, MISSING, *sorted(found)]

"""The filters that are set, as words that can be taken away one by one, and what is wrong with
them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from annotators.models import User
from datasets import problems
from jobs.conditions import ANY_PROBLEM, MISSING
from jobs.counters import person_key
from jobs.filters import ALL, FILTERS, NONE, SampleFilter, asked_form, canonical
from jobs.models import Job, SampleState
from jobs.pages import Place
from labels.models import Label

TITLES = {
    "state": gettext_lazy("State"),
    "label": pgettext_lazy("noun", "Label"),
    "label_mode": gettext_lazy("Any or all labels"),
    "hard": gettext_lazy("Hard example"),
    "name": gettext_lazy("File name contains"),
    "path": gettext_lazy("Folder"),
    "exact": gettext_lazy("Only this folder"),
    "contains": gettext_lazy("Path contains"),
    "by": gettext_lazy("Labeled by"),
    "labeled_after": gettext_lazy("Labeled from"),
    "labeled_before": gettext_lazy("Labeled until"),
    "added_after": gettext_lazy("Added from"),
    "added_before": gettext_lazy("Added until"),
    "score_min": gettext_lazy("Score at least"),
    "score_max": gettext_lazy("Score at most"),
    "predicted": gettext_lazy("Predicted"),
    "agrees": gettext_lazy("Prediction and label agree"),
    "split": gettext_lazy("Split"),
    "problem": gettext_lazy("Problem with the file"),
}
SPLIT_NAMES = {
    "train": pgettext_lazy("split", "Training"),
    "val": pgettext_lazy("split", "Validation"),
    "test": pgettext_lazy("split", "Test"),
    NONE: pgettext_lazy("split", "in none"),
}
# State is a tab; what only says more about another filter goes with it.
_COMPANIONS = {"label": "label_mode", "path": "exact"}
_SHOWN_ELSEWHERE = {"state", "label_mode"}
_LONGEST_VALUE = 80


class Named(Protocol):
    pk: int
    name: str


@dataclass(frozen=True, slots=True)
class FilterChip:
    """An active filter that no tab shows, and the query string without it."""

    title: str
    value: str
    query: str
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class FilterProblem:
    """A filter that makes no sense, why, and the query string without it."""

    name: str
    title: str
    value: str
    reason: str
    query: str


@dataclass(frozen=True, slots=True)
class ActiveFilters:
    """`without`: the query string with the tab, the order and the page size alone."""

    chips: list[FilterChip]
    problems: list[FilterProblem]
    without: str


def active_filters(
    job: Job, place: Place, labels: Iterable[Named], counts: Mapping[str, int]
) -> ActiveFilters:
    """`labels`: those of the job, or at least those that the filters name."""
    if not place.filters:
        return ActiveFilters([], [], place.query())
    query = QueryDict(place.filters)
    reading = _Reading(job, query, {label.pk: label.name for label in labels}, counts)
    reading.read()
    chips = [
        FilterChip(
            str(TITLES["path" if name == "exact" else name]),
            reading.values.get(name, query[name]),
            without(place, name),
            name in reading.reasons,
        )
        for name in FILTERS
        if name in query and _has_chip(name, query)
    ]
    wrong = [
        FilterProblem(name, str(TITLES[name]), query[name][:_LONGEST_VALUE], reason, left)
        for name in FILTERS
        if (reason := reading.reasons.get(name))
        for left in [_mended(place, name, reading)]
    ]
    state = QueryDict(mutable=True)
    if "state" in query and "state" not in reading.reasons:
        state["state"] = query["state"]
    return ActiveFilters(chips, wrong, _start(place, state))


def filter_words(job: Job, filters: str, labels: Iterable[Label]) -> str:
    """All filters of a query string in one line: “State Labeled · Label cat”."""
    state = QueryDict(filters).get("state", "")
    parts = [f"{TITLES['state']} {SampleState(state).label}"] if state in SampleState else []
    chips = active_filters(job, Place(filters), labels, {}).chips
    return " · ".join([*parts, *(f"{chip.title} {chip.value}" for chip in chips)])


def _has_chip(name: str, query: QueryDict) -> bool:
    return name not in _SHOWN_ELSEWHERE and not (name == "exact" and "path" in query)


def without(place: Place, name: str) -> str:
    """The query string of the first page without that filter and what belongs to it."""
    left = QueryDict(place.filters, mutable=True)
    for gone in (name, _COMPANIONS.get(name, name)):
        left.pop(gone, None)
    return _start(place, left)


def _start(place: Place, query: QueryDict) -> str:
    return replace(place, filters=canonical(query), cursor=None).query()


def _mended(place: Place, name: str, reading: "_Reading") -> str:
    """Of several labels only those are taken away that are not there."""
    left = QueryDict(place.filters, mutable=True)
    kept = [part for part in left[name].split(",") if part.lstrip("-") not in reading.missing]
    if name != "label" or not reading.missing or not kept:
        return without(place, name)
    left[name] = ",".join(kept)
    return _start(place, left)


class _Reading:
    """What the filters of a query say: `values` in words, `reasons` why some make no sense."""

    def __init__(
        self, job: Job, query: QueryDict, labels: dict[int, str], counts: Mapping[str, int]
    ) -> None:
        self.job, self.query, self.labels, self.counts = job, query, labels, counts
        self.asked: dict[str, Any] = {}
        self.values: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.missing: set[str] = set()

    def read(self) -> None:
        form = asked_form(self.query)
        errors, self.asked = form.errors, form.cleaned_data
        self.reasons = {name: errors[name][0] for name in FILTERS if name in errors}
        for name in FILTERS:
            if name in self.query and name not in self.reasons:
                self.values[name] = self._said(name)

    def _said(self, name: str) -> str:
        value = self.query[name]
        match name:
            case "label":
                return self._labels(self.asked["label"])
            case "by":
                return self._person(self.asked["by"])
            case "hard" | "agrees":
                choices = SampleFilter.base_filters[name].extra["choices"]
                return str(dict(choices).get(value, value))
            case "split":
                return str(SPLIT_NAMES[value])
            case "problem":
                return problem_name(value)
            case "labeled_after" | "labeled_before" | "added_after" | "added_before":
                return ago(value)
        if "exact" in self.query and name in ("path", "exact"):
            folder = self.query.get("path", "").strip("/")
            return _("only %(folder)s") % {"folder": f"{folder}/"}
        return value

    def _labels(self, ids: tuple[int, ...] | str) -> str:
        """“cat or dog, not cow”."""
        if ids == NONE:
            return _("none")
        self._look_for(dict.fromkeys(abs(pk) for pk in ids if abs(pk) not in self.labels))
        wanted = [self.labels[pk] for pk in ids if pk > 0]
        is_all = self.query.get("label_mode") == ALL
        parts = [(_(" and ") if is_all else _(" or ")).join(wanted)] if wanted else []
        parts += [_("not %(label)s") % {"label": self.labels[-pk]} for pk in ids if pk < 0]
        return ", ".join(parts)

    def _look_for(self, missing: Iterable[int]) -> None:
        """Labels that the job does not have, or has no more."""
        missing = list(missing)
        if not missing:
            return
        rows = Label.everything.filter(job=self.job, pk__in=missing)
        deleted = dict(rows.values_list("pk", "name"))
        self.missing = {str(pk) for pk in missing}
        self.labels |= {pk: deleted.get(pk, str(pk)) for pk in missing}
        if deleted:
            names = ", ".join(f"“{name[:_LONGEST_VALUE]}”" for name in deleted.values())
            text = ngettext(
                "The label %(names)s was deleted.",
                "The labels %(names)s were deleted.",
                len(deleted),
            )
            self.reasons["label"] = text % {"names": names}
        else:
            text = _("This job has no label with the number %(number)s.")
            self.reasons["label"] = text % {"number": missing[0]}

    def _person(self, user_id: int) -> str:
        """A member, or who labeled here before leaving."""
        person = User.objects.filter(pk=user_id)
        if not self.counts.get(person_key(user_id)):
            person = person.filter(memberships__job=self.job)
        found = person.first()
        if found is None:
            text = _("Nobody in this job has the number %(number)s.")
            self.reasons["by"] = text % {"number": user_id}
        return str(found or user_id)


def ago(value: str) -> str:
    """`7d` in words; days and times as they are."""
    if not value[:-1].isdecimal():
        return value.replace("T", " ")
    number = int(value[:-1])
    match value[-1]:
        case "h":
            text = ngettext("%(number)d hour ago", "%(number)d hours ago", number)
        case "d":
            text = ngettext("%(number)d day ago", "%(number)d days ago", number)
        case _:
            text = ngettext("%(number)d week ago", "%(number)d weeks ago", number)
    return text % {"number": number}


def problem_name(code: str) -> str:
    """A problem in few words: the first sentence about it."""
    if code == ANY_PROBLEM:
        return _("any")
    if code == MISSING:
        return _("not in the storage any more")
    text = problems.describe(code)
    for end in (". ", "。", ": ", "："):
        text = text.partition(end)[0]
    return text.rstrip(".。")

"""The filters that are set, as words that can be taken away one by one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from jobs.filters import ALL, FILTERS, NONE, SampleFilter, canonical
from jobs.models import Job, SampleState
from jobs.pages import Place
from labels.models import Label

# State is a tab; what only says more about another filter goes with it.
_TITLES = {
    "label": pgettext_lazy("noun", "Label"),
    "hard": gettext_lazy("Hard example"),
    "name": gettext_lazy("File name contains"),
    "path": gettext_lazy("Folder"),
    "exact": gettext_lazy("Folder"),
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
_COMPANIONS = {"label": "label_mode", "path": "exact"}


@dataclass(frozen=True, slots=True)
class FilterChip:
    """An active filter that no tab shows, and the query string without it."""

    title: str
    value: str
    query: str


def filter_chips(job: Job, place: Place, labels: Iterable[Label]) -> list[FilterChip]:
    query = QueryDict(place.filters)
    known = {label.pk: label.name for label in labels}
    return [
        FilterChip(_title_of(name), _shown(job, name, query, known), _without(place, name))
        for name in FILTERS
        if name in query and name in _TITLES and not (name == "exact" and "path" in query)
    ]


def filter_words(job: Job, filters: str, labels: Iterable[Label]) -> str:
    """All filters of a query string in one line: “State Labeled · Label cat”."""
    state = QueryDict(filters).get("state", "")
    title = pgettext("of an image", "State")
    parts = [f"{title} {SampleState(state).label}"] if state in SampleState else []
    chips = filter_chips(job, Place(filters), labels)
    return " · ".join([*parts, *(f"{chip.title} {chip.value}" for chip in chips)])


def _title_of(name: str) -> str:
    return str(_TITLES[name])


def _without(place: Place, name: str) -> str:
    left = QueryDict(place.filters, mutable=True)
    for gone in (name, _COMPANIONS.get(name, name)):
        left.pop(gone, None)
    return replace(place, filters=canonical(left), cursor=None).query()


def _shown(job: Job, name: str, query: QueryDict, labels: dict[int, str]) -> str:
    value = query[name]
    if name == "label":
        return _labels(value, query.get("label_mode") == ALL, labels)
    if name == "by" and value.isdecimal():
        member = job.members.select_related("user").filter(user_id=value).first()
        return str(member.user) if member else value
    if name in ("hard", "agrees"):
        return str(dict(SampleFilter.base_filters[name].extra["choices"]).get(value, value))
    if "exact" in query and name in ("path", "exact"):
        folder = query.get("path", "").strip("/")
        return _("only %(folder)s") % {"folder": f"{folder}/"}
    if value == NONE:
        return _("none")
    return value


def _labels(value: str, is_all: bool, labels: dict[int, str]) -> str:
    """“cat or dog, not cow”."""
    if value == NONE:
        return _("none")
    given = [(part.startswith("-"), part.removeprefix("-")) for part in value.split(",")]
    named = [(is_not, labels.get(int(pk), pk) if pk.isdecimal() else pk) for is_not, pk in given]
    wanted = [name for is_not, name in named if not is_not]
    parts = [(_(" and ") if is_all else _(" or ")).join(wanted)] if wanted else []
    parts += [_("not %(label)s") % {"label": name} for is_not, name in named if is_not]
    return ", ".join(parts)

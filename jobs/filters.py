"""Which samples: the one list of filters for pages, API, selections and exports.

All given filters hold at once. The query string is the state: every value stands in the address
as people would write it, and what makes no sense is an error of the form, never left out.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from datasets.problems import codes
from datasets.splits import SPLITS
from jobs import conditions as means
from jobs.conditions import Condition
from jobs.models import Job, Sample, SampleState
from jobs.moments import MomentField
from jobs.vocabulary import Vocabulary

MOST_LABELS = 50
MAX_ID = 2**63 - 1
# In place of a label or a split: carries none, is in none.
NONE = "none"
ALL, ANY = "all", "any"
# What a filter means that is not there, where a form has to say something.
_SAYS_NOTHING = {("state", ALL), ("label_mode", ANY)}
YES_NO = [("1", _("Yes")), ("0", _("No"))]


class LabelsField(forms.CharField):
    """Ids of labels, `3,5`, with a minus those that must not be there, `3,-7`; or `none`."""

    default_error_messages = {"invalid": _("Write ids of labels: 3,5 or 3,-7; or “none”.")}

    def clean(self, value: Any) -> tuple[int, ...] | str | None:
        raw = super().clean(value)
        if not raw or raw == NONE:
            return raw or None
        parts = raw.split(",")
        if len(parts) > MOST_LABELS or not all(map(_is_id, parts)):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return tuple(dict.fromkeys(map(int, parts)))


def _is_id(raw: str) -> bool:
    digits = raw.removeprefix("-")
    return digits.isascii() and digits.isdigit() and 0 < int(digits[:20]) <= MAX_ID


def _choice(choices: Any) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(choices=choices, empty_label=None)


class _Labels(django_filters.Filter):
    field_class = LabelsField


class _Moment(django_filters.Filter):
    field_class = MomentField


class _Number(django_filters.Filter):
    field_class = forms.IntegerField


class _Share(django_filters.Filter):
    field_class = forms.FloatField


class _Text(django_filters.Filter):
    field_class = forms.CharField


class SampleFilter(django_filters.FilterSet):
    state = _choice(SampleState.choices)
    label = _Labels()
    label_mode = _choice([(ANY, _("Any of them")), (ALL, _("All of them"))])
    hard = _choice(YES_NO)
    name = _Text(max_length=200, strip=False)
    path = _Text(max_length=1024, strip=False)
    exact = _choice([("1", _("Only this folder"))])
    contains = _Text(max_length=200, strip=False)
    by = _Number(min_value=1, max_value=MAX_ID)
    labeled_after = _Moment()
    labeled_before = _Moment(is_end=True)
    added_after = _Moment()
    added_before = _Moment(is_end=True)
    score_min = _Share(min_value=0, max_value=1)
    score_max = _Share(min_value=0, max_value=1)
    predicted = _Text(max_length=1024, strip=False)
    agrees = _choice(YES_NO)
    split = _choice([(name, name) for name in (*SPLITS, NONE)])
    problem = _choice(
        lambda: [(one, one) for one in (means.ANY_PROBLEM, means.MISSING, *sorted(codes()))]
    )

    class Meta:
        model = Sample
        fields: list[str] = []

    def __init__(self, query: Mapping[str, str], *, job: Job) -> None:
        super().__init__(query, queryset=job.samples.order_by("id"))
        self.job = job

    def conditions(self) -> list[Condition]:
        """What was asked for; the form is valid."""
        return _meant(self.job, self.form.cleaned_data)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        for condition in self.conditions():
            queryset = queryset.filter(condition.on(""))
        return queryset


Asked = Mapping[str, Any]


def _labels(asked: Asked) -> list[Condition]:
    given = asked.get("label", ())
    if given == NONE:
        return [means.in_states(SampleState.UNLABELED, SampleState.TO_CONFIRM)]
    wanted = tuple(label for label in given if label > 0)
    unwanted = tuple(-label for label in given if label < 0)
    if asked.get("label_mode") == ALL:
        found = [means.carries_any((label,)) for label in wanted]
    else:
        found = [means.carries_any(wanted)] if wanted else []
    return found + ([means.lacks(unwanted)] if unwanted else [])


def _folder(asked: Asked) -> list[Condition]:
    path = asked.get("path", "").strip("/")
    if path or "exact" in asked:
        return [means.in_folder(path and f"{path}/", exact="exact" in asked)]
    return []


def _range(column: str, first: str, end: str) -> Callable[[Asked], list[Condition]]:
    def read(asked: Asked) -> list[Condition]:
        limits = asked.get(first), asked.get(end)
        return [means.between(column, *limits)] if limits != (None, None) else []

    return read


def _scores(asked: Asked) -> list[Condition]:
    limits = asked.get("score_min"), asked.get("score_max")
    return [means.scored(*limits)] if limits != (None, None) else []


def _predicted(asked: Asked) -> list[Condition]:
    if "predicted" not in asked:
        return []
    return [means.predicted(Vocabulary(asked["job"].pk).alike(asked["predicted"]))]


def _agrees(asked: Asked) -> list[Condition]:
    if "agrees" not in asked:
        return []
    return [means.agrees(asked["agrees"] == "1", Vocabulary(asked["job"].pk).former)]


def _one(name: str, meaning: Callable[[Any], Condition]) -> Callable[[Asked], list[Condition]]:
    return lambda asked: [meaning(asked[name])] if name in asked else []


_READERS = (
    _one("state", means.in_states),
    _labels,
    _one("hard", lambda value: means.is_hard(value == "1")),
    _one("name", lambda value: means.path_has(value, in_name=True)),
    _one("contains", means.path_has),
    _folder,
    _one("by", means.labeled_by),
    _range("last_at", "labeled_after", "labeled_before"),
    _range("added_at", "added_after", "added_before"),
    _scores,
    _predicted,
    _agrees,
    _one("split", lambda value: means.in_split("" if value == NONE else value)),
    _one("problem", means.has_problem),
)
FILTERS = tuple(SampleFilter.base_filters)


def _meant(job: Job, cleaned: Asked) -> list[Condition]:
    asked = {name: value for name, value in cleaned.items() if value is not None and value != ""}
    asked["job"] = job
    return [condition for read in _READERS for condition in read(asked)]


def read_conditions(job: Job, query: QueryDict) -> list[Condition] | None:
    """What a query string asks for; None: it makes no sense."""
    form = asked_form(query)
    return _meant(job, form.cleaned_data) if form.is_valid() else None


def asked_form(query: QueryDict) -> forms.Form:
    """A form of the filters that are in the query string alone: that of all of them would take a
    tenth of the time of a page."""
    asked = _joined(query)
    return _form_of(tuple(asked))(asked)


@lru_cache(maxsize=128)
def _form_of(names: tuple[str, ...]) -> type[forms.Form]:
    fields = {name: SampleFilter.base_filters[name].field for name in names}
    return type("AskedForm", (forms.Form,), fields)


def read_filter(job: Job, query: QueryDict) -> SampleFilter:
    """The filter that a query string asks for, checked by its `form`."""
    return SampleFilter(_joined(query), job=job)


def filter_samples(job: Job, query: QueryDict) -> tuple[QuerySet, forms.Form]:
    """The job's samples that the query string asks for, by their ids, and the checked form.

    A value that makes no sense is not ignored: the form has errors and nothing is found.
    """
    found = read_filter(job, query)
    return (found.qs if found.form.is_valid() else job.samples.none()), found.form


def canonical(query: QueryDict) -> str:
    """The query string with the filters alone, in one order: the key of a selection."""
    kept = QueryDict(mutable=True)
    for name, value in _joined(query).items():
        if value:
            kept[name] = value
    return encoded(kept)


def encoded(query: QueryDict) -> str:
    """As people would write it: the commas of lists and the slashes of folders stay."""
    return query.urlencode(safe=",/:")


def _joined(query: QueryDict) -> dict[str, str]:
    """The filters alone, in their order. Labels that a form sends one by one are one list; of
    anything else it says several times, such as a field and a button, the last that is not empty
    counts."""
    found = {name: list(filter(None, query.getlist(name))) for name in FILTERS if name in query}
    said = {
        name: ",".join(values) if name == "label" else (values or [""])[-1]
        for name, values in found.items()
    }
    return {name: value for name, value in said.items() if (name, value) not in _SAYS_NOTHING}

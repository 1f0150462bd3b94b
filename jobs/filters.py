"""Which samples: the one list of filters for pages, API and selections."""

import django_filters
from django.http import QueryDict

from jobs.models import Sample, SampleState


class SampleFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=SampleState.choices)
    label = django_filters.NumberFilter(field_name="annotations__label_id")
    by = django_filters.NumberFilter(field_name="last_by_id")
    path = django_filters.CharFilter(field_name="path", lookup_expr="icontains", max_length=200)

    class Meta:
        model = Sample
        fields: list[str] = []


FILTERS = tuple(SampleFilter.base_filters)


def filter_samples(job, query: QueryDict):
    """The job's samples that the query string asks for, in grid order, and the checked form.

    A value that makes no sense is not ignored: the form has errors and nothing is found.
    """
    found = SampleFilter(query, queryset=job.samples.order_by("id"))
    return (found.qs if found.form.is_valid() else job.samples.none()), found.form


def canonical(query: QueryDict) -> str:
    """The query string with the filters alone, in one order: the key of a selection."""
    kept = QueryDict(mutable=True)
    for name in FILTERS:
        if query.get(name):
            kept[name] = query[name]
    return kept.urlencode()

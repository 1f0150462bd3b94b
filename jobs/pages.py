"""One page of a job's samples, and the neighbours of one sample.

Keyset, never offset: whoever labels on "Unlabeled" takes rows out of the query, and an offset
would skip as many on the next page as were labeled on this one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import QueryDict

from jobs import counters
from jobs.filters import canonical, filter_samples
from jobs.models import Job, Sample, SampleState

PAGE_SIZES = (50, 100, 200)
DEFAULT_SIZE = 100
# What the viewer shows of the list, in either direction.
AHEAD, BEHIND = 5, 5


@dataclass(frozen=True)
class Place:
    """Where in a job somebody is: the filters, the page size and where the page starts."""

    filters: str = ""
    size: int = DEFAULT_SIZE
    after: int | None = None
    before: int | None = None

    def query(self, *, with_page: bool = True) -> str:
        """The query string; without the page it is what the viewer's addresses carry."""
        query = QueryDict(self.filters, mutable=True)
        if with_page and self.size != DEFAULT_SIZE:
            query["size"] = self.size
        for name, value in (("after", self.after), ("before", self.before)):
            if with_page and value is not None:
                query[name] = value
        return query.urlencode()

    @property
    def state(self) -> str:
        return QueryDict(self.filters).get("state", "")


def read_place(query: QueryDict, *, size: int = DEFAULT_SIZE) -> Place:
    """`size` is the one that the person chose last."""
    chosen = read_number(query.get("size"))
    after = read_number(query.get("after"))
    before = read_number(query.get("before")) if after is None else None
    return Place(canonical(query), chosen if chosen in PAGE_SIZES else size, after, before)


def read_number(raw: str | None) -> int | None:
    """What can be an id, or nothing."""
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 19 else None


def start_of(place: Place, *, size: int | None = None, state: str | None = None) -> Place:
    """The first page under the same filters, with another size or state where one is given."""
    query = QueryDict(place.filters, mutable=True)
    if state is not None:
        query["state"] = state
    return Place(canonical(query), size or place.size)


class TileRow(NamedTuple):
    """What a tile shows of a sample, read without models: a page has up to two hundred.

    `top_labels` is the newest prediction, of whatever model, and `labels` the ids it carries.
    """

    pk: int
    path: str
    state: str
    dataset_id: int
    etag: str
    top_labels: list | None
    labels: frozenset[int]


@dataclass(frozen=True)
class Page:
    """`previous` and `next` are places, None where there is nothing in that direction."""

    rows: list[TileRow]
    previous: Place | None
    next: Place | None


def read_page(job: Job, place: Place) -> Page:
    """Two statements, whatever the size: samples with image and suggestion, and their labels."""
    found, _form = filter_samples(job, QueryDict(place.filters))
    if place.before is not None:
        rows = tile_rows(found.filter(pk__lt=place.before).order_by("-pk"), place.size + 1)
        has_more, rows = len(rows) > place.size, rows[: place.size][::-1]
        has_previous, has_next = has_more, True
    else:
        if place.after is not None:
            found = found.filter(pk__gt=place.after)
        rows = tile_rows(found, place.size + 1)
        has_previous, has_next = place.after is not None, len(rows) > place.size
        rows = rows[: place.size]
    start = start_of(place)
    if not rows:
        return Page([], start if has_previous or has_next else None, None)
    return Page(
        rows,
        replace(start, before=rows[0].pk) if has_previous else None,
        replace(start, after=rows[-1].pk) if has_next else None,
    )


def tile_rows(samples: QuerySet[Sample], most: int) -> list[TileRow]:
    predictions = Sample._meta.get_field("predictions").related_model.objects
    newest = predictions.filter(sample=OuterRef("pk")).order_by("-created_at")
    fields = ["pk", "path", "state", "image__dataset_id", "image__etag"]
    # As a subquery the prediction costs no statement of its own.
    found = samples.values_list(*fields, Subquery(newest.values("labels")[:1]))[:most]
    read = list(found)
    carried: dict[int, set[int]] = {row[0]: set() for row in read}
    annotations = Sample._meta.get_field("annotations").related_model.objects
    pairs = annotations.filter(sample__in=carried).values_list("sample_id", "label_id")
    for sample_id, label_id in pairs if carried else ():
        carried[sample_id].add(label_id)
    return [TileRow(*row, frozenset(carried[row[0]])) for row in read]


@dataclass(frozen=True)
class Neighbours:
    """Ids of the samples around one, nearest first, under the same filters."""

    before: list[int]
    after: list[int]

    @property
    def previous(self) -> int | None:
        return next(iter(self.before), None)

    @property
    def next(self) -> int | None:
        return next(iter(self.after), None)


def neighbours(job: Job, place: Place, sample: Sample) -> Neighbours:
    """The sample itself may have left the query since: its place in it stays."""
    found, _form = filter_samples(job, QueryDict(place.filters))
    ids = found.values_list("pk", flat=True)
    return Neighbours(
        before=list(ids.filter(pk__lt=sample.pk).order_by("-pk")[:BEHIND]),
        after=list(ids.filter(pk__gt=sample.pk)[:AHEAD]),
    )


def total(job: Job, place: Place, counts: dict[str, int]) -> int:
    """How many samples the filters find: from the counters where one says it, else counted."""
    query = QueryDict(place.filters)
    if not query:
        return total_of(counts)
    if list(query) == ["state"] and query["state"] in SampleState.values:
        return counts.get(counters.state_key(query["state"]), 0)
    found, _form = filter_samples(job, query)
    return found.count()


def total_of(counts: dict[str, int], states: Iterable[str] = SampleState.values) -> int:
    return sum(counts.get(counters.state_key(state), 0) for state in states)

"""One page of a job's samples, and the neighbours of one sample.

Keyset, never offset: whoever labels on "Unlabeled" takes rows out of the query, and an offset
would skip as many on the next page as were labeled on this one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import CharField, JSONField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import QueryDict

from jobs import counters
from jobs.filters import ALL, canonical, encoded, read_conditions
from jobs.models import Job, Sample, SampleState
from jobs.plans import Plan, Total
from jobs.sorting import ADDED, SORTS, Cursor, Part, Sort, decode, parts

PAGE_SIZES = (50, 100, 200)
DEFAULT_SIZE = 100
SIZE_COOKIE = "labelhub_page_size"
EVERYTHING = f"state={ALL}"
# What the viewer shows of the list, in either direction.
AHEAD, BEHIND = 5, 5


@dataclass(frozen=True)
class Place:
    """Where in a job somebody is: the filters, the order, the page size, where the page starts."""

    filters: str = ""
    size: int = DEFAULT_SIZE
    sort: Sort = ADDED
    cursor: Cursor | None = None

    def query(self) -> str:
        """What the address of the grid carries. It is never empty: without anything that address
        opens "Unlabeled", see `opened`."""
        query = self._listed()
        if self.size != DEFAULT_SIZE:
            query["size"] = self.size
        if self.cursor is not None:
            query["cursor"] = self.cursor.encode()
        return encoded(query) or EVERYTHING

    def viewer_query(self, there: Cursor | None = None) -> str:
        """What addresses of the viewer carry: the list, and where the sample stands in it if that
        can change while somebody looks at it."""
        query = self._listed()
        if there is not None and self.sort.has_gaps:
            query["cursor"] = there.encode()
        return encoded(query)

    def _listed(self) -> QueryDict:
        query = QueryDict(self.filters, mutable=True)
        if self.sort is not ADDED:
            query["sort"] = self.sort.name
        return query

    @property
    def state(self) -> str:
        return QueryDict(self.filters).get("state", "")


def opened(query: QueryDict) -> QueryDict:
    """What the address of the grid asks for. Without anything in it that is "Unlabeled", where the
    work is; "All" says so."""
    return query or QueryDict(f"state={SampleState.UNLABELED}")


def is_plain(query: QueryDict) -> bool:
    """Whether an address is as this site writes it: each name once and with a value, "all" only
    where there is nothing else. Those that a form without scripts makes are not."""
    is_alone = len(query) == 1 or query.get("state") != ALL
    return is_alone and all(len(values) == 1 and values[0] for _name, values in query.lists())


def read_place(query: QueryDict, *, size: int = DEFAULT_SIZE) -> Place:
    """`size` is the one that the person chose last."""
    chosen = read_number(query.get("size"))
    sort = SORTS.get(query.get("sort", ""), ADDED)
    cursor = decode(query.get("cursor", ""), sort)
    return Place(canonical(query), chosen if chosen in PAGE_SIZES else size, sort, cursor)


def kept_size(cookies: Mapping[str, str]) -> int:
    """The page size that the person chose last."""
    kept = cookies.get(SIZE_COOKIE, "")
    return int(kept) if kept in map(str, PAGE_SIZES) else DEFAULT_SIZE


def read_number(raw: str | None) -> int | None:
    """What can be an id, or nothing."""
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 19 else None


def start_of(
    place: Place, *, size: int | None = None, state: str | None = None, sort: Sort | None = None
) -> Place:
    """The first page under the same filters, with what is given changed."""
    query = QueryDict(place.filters, mutable=True)
    if state is not None:
        query["state"] = state
    return Place(canonical(query), size or place.size, sort or place.sort)


class TileRow(NamedTuple):
    """What a tile shows of a sample, read without models: a page has up to two hundred.

    `top_labels` is the newest prediction, of whatever model, and `labels` the ids it carries.
    """

    pk: int
    path: str
    state: str
    last_at: datetime | None
    top_score: float | None
    dataset_id: int
    etag: str
    top_labels: list | None
    is_hard: bool
    labels: frozenset[int]


@dataclass(frozen=True)
class Page:
    """`previous` and `next` are places, None where there is nothing in that direction."""

    rows: list[TileRow]
    previous: Place | None
    next: Place | None
    total: Total


def read_page(job: Job, place: Place, counts: Mapping[str, int] | None = None) -> Page:
    """Two statements, whatever the size: how many there are, unless the counters of the job say
    it, and the samples with all that a tile shows. At the end of an order with gaps, three."""
    plan = plan_of(job, place, counts)
    rows = read_rows(plan, place.sort, place.cursor, place.size + 1) if plan else []
    is_back = place.cursor is not None and place.cursor.is_before
    has_more, rows = len(rows) > place.size, rows[: place.size]
    if is_back:
        rows = rows[::-1]
    has_previous, has_next = (has_more, True) if is_back else (place.cursor is not None, has_more)
    start = start_of(place)
    total = _total_of(plan, rows, is_whole=not (has_previous or has_next))
    if not rows:
        return Page([], start if has_previous or has_next else None, None, total)
    return Page(
        rows,
        replace(start, cursor=cursor_of(rows[0], place.sort).turned()) if has_previous else None,
        replace(start, cursor=cursor_of(rows[-1], place.sort)) if has_next else None,
        total,
    )


def _total_of(plan: Plan | None, rows: list[TileRow], *, is_whole: bool) -> Total:
    if plan is None or is_whole:
        return Total(len(rows))
    total = plan.total
    return Total(max(total.number, len(rows)), total.is_capped)


def plan_of(job: Job, place: Place, counts: Mapping[str, int] | None = None) -> Plan | None:
    """How to find what the filters ask for; None: they make no sense, and find nothing."""
    asked = read_conditions(job, QueryDict(place.filters))
    return None if asked is None else Plan(job, asked, counts)


def read_rows(plan: Plan, sort: Sort, cursor: Cursor | None, number: int) -> list[TileRow]:
    """The next samples of an order, from the cursor on in its direction."""
    rows: list[TileRow] = []
    for part in parts(sort, cursor):
        if len(rows) < number:
            rows += tile_rows(in_part(plan, part, number - len(rows)), number)
    return rows


def read_samples(plan: Plan, sort: Sort, cursor: Cursor | None, number: int) -> list[Sample]:
    """As `read_rows`, whole samples with all that belongs to them."""
    found: list[Sample] = []
    for part in parts(sort, cursor):
        if len(found) < number:
            found += in_part(plan, part, number - len(found)).with_tile()
    return found


def in_part(plan: Plan, part: Part, number: int) -> QuerySet[Sample]:
    found = Sample.everything.filter(pk__in=plan.ids(part, number))
    columns = [part.sort.column, "pk"] if part.is_by_value else ["pk"]
    return found.order_by(*(f"-{one}" if part.is_descending else one for one in columns))


def cursor_of(row: "TileRow | Sample", sort: Sort) -> Cursor:
    """The place right behind a sample."""
    return Cursor(sort, getattr(row, sort.column) if sort.column else None, row.pk)


def tile_rows(samples: QuerySet[Sample], most: int) -> list[TileRow]:
    """In one statement: the prediction and the labels are subqueries of it."""
    rows = samples.values_list(
        *("pk", "path", "state", "last_at", "top_score", "image__dataset_id", "image__etag"),
        RawSQL(_newest_labels(), [], output_field=JSONField()),
        "is_hard",
        RawSQL(_carried_ids(), [], output_field=CharField()),
    )
    return [
        TileRow(*row[:-1], frozenset(map(int, row[-1].split(","))) if row[-1] else frozenset())
        for row in rows[:most]
    ]


# In SQL: to have the ORM say them anew would take as long as to read them.
def _newest_labels() -> str:
    table = Sample._meta.get_field("predictions").related_model._meta.db_table
    return (
        f"SELECT labels FROM {table} WHERE sample_id = jobs_sample.id "
        "ORDER BY created_at DESC LIMIT 1"
    )


def _carried_ids() -> str:
    table = Sample._meta.get_field("annotations").related_model._meta.db_table
    listed = "string_agg(label_id::text, ',')"
    if connection.vendor == "sqlite":
        listed = "group_concat(label_id)"
    return f"SELECT {listed} FROM {table} WHERE sample_id = jobs_sample.id"


@dataclass(frozen=True)
class Neighbours:
    """The places of the samples around one, nearest first, under the same filters."""

    here: Cursor
    before: list[Cursor]
    after: list[Cursor]

    @property
    def previous(self) -> Cursor | None:
        return next(iter(self.before), None)

    @property
    def next(self) -> Cursor | None:
        return next(iter(self.after), None)


def neighbours(
    job: Job, place: Place, sample: Sample, counts: Mapping[str, int] | None = None
) -> Neighbours:
    """The sample itself may have left the list since, or moved in it: its place stays."""
    plan, at = plan_of(job, place, counts), here(place, sample)
    return Neighbours(
        here=at,
        before=_around(plan, at.turned(), BEHIND),
        after=_around(plan, at, AHEAD),
    )


def here(place: Place, sample: Sample) -> Cursor:
    """The place of a sample: where samples can move, the cursor that its address carries."""
    if place.cursor is not None and place.cursor.pk == sample.pk:
        return replace(place.cursor, is_before=False)
    return cursor_of(sample, place.sort)


def _around(plan: Plan | None, here: Cursor, number: int) -> list[Cursor]:
    found: list[Cursor] = []
    for part in parts(here.sort, here) if plan else ():
        if len(found) < number:
            rows = in_part(plan, part, number - len(found))
            found += [
                cursor_of(row, here.sort) for row in rows.only("pk", "last_at", "top_score", "path")
            ]
    return found


def total(job: Job, place: Place, counts: Mapping[str, int]) -> Total:
    """How many samples the filters find: from the counters where one says it, else counted up to a
    limit."""
    plan = plan_of(job, place, counts)
    return plan.total if plan else Total(0)


def total_of(counts: dict[str, int], states: Iterable[str] = SampleState.values) -> int:
    return counters.number_of(counts, states)

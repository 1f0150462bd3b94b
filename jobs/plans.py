"""How a page of samples is found without looking at all of them.

A database alone guesses from averages, and guesses wrong where labels, folders and times go with
the ids; SQLite has no averages at all. So one filter leads: its index hands out samples in the order
of the page, and the others are looked up row by row. The one that leads is the smallest set, by the
counters of the job where one says it.

- In the order of ids every filter with an index of its own can lead. One with several values is as
  many index ranges, of which each is read up to the length of a page.
- In another order the index of that order leads, unless what is looked for is rare in it: then the
  smallest set is read whole, and sorted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.db.models import Case, Count, F, OrderBy, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from jobs import counters
from jobs.conditions import Condition, Stream
from jobs.expressions import Checked
from jobs.models import Job, Sample, SampleState
from jobs.sorting import Part
from jobs.text_index import TextRow

# Counting ends at so many found, or where others have to be looked up, at so many looked at.
MOST_COUNTED = 10_000
MOST_CHECKED = 5_000
# A row of a set that is sorted costs so many of an index that is in order.
SET_COST = 2


@dataclass(frozen=True)
class Total:
    """How many samples were found; `is_capped`: that many were, and counting ended."""

    number: int
    is_capped: bool = False

    @property
    def shown(self) -> str:
        """For people: 9,876, or 10,000+. What is not exact is not made to look so: 150+."""
        if not self.is_capped:
            return intcomma(self.number)
        step = 10 ** max(len(str(self.number)) - 2, 0)
        return f"{intcomma(self.number // step * step)}+"


@dataclass(frozen=True)
class Lead:
    """What hands out samples: a stream, about so long, and the conditions that it stands for."""

    stream: Stream
    size: int
    covers: tuple[Condition, ...] = ()


class Plan:
    """For one job and what is asked of it; `counts` are the counters of the job, if they were read
    already."""

    def __init__(
        self, job: Job, conditions: Sequence[Condition], counts: Mapping[str, int] | None = None
    ) -> None:
        self.job = job
        self.conditions = conditions
        if counts is not None:
            self.counts = counts

    @cached_property
    def counts(self) -> Mapping[str, int]:
        return counters.read(self.job)

    # How many ----------------------------------------------------------------------------------
    @cached_property
    def _size(self) -> int:
        """Of the whole job."""
        return self._size_of_states(SampleState.values)

    def _size_of_states(self, states: Sequence[str]) -> int:
        return sum(self.counts.get(counters.state_key(state), 0) for state in states)

    def _size_of(self, condition: Condition) -> int:
        known = condition.known(self.counts) if condition.known else None
        return int(condition.share * self._size) if known is None else min(known, self._size)

    @cached_property
    def total(self) -> Total:
        """From the counters where one says it, else counted up to a limit."""
        if not self.conditions:
            return Total(self._size)
        only = self.conditions[0] if len(self.conditions) == 1 else None
        if only is not None and only.known and not self._smallest.stream.repeats:
            return Total(only.known(self.counts))
        lead = self._smallest
        wanted = self._looked_up(lead, "")
        most = MOST_CHECKED if wanted else MOST_COUNTED

        def some(rows: QuerySet) -> QuerySet:
            return _named(rows, lead.stream)[: most + 1]

        ids, params = _merged(lead.stream, some, "", most + 1)
        if not wanted:
            number = _number_of(ids, params)
            return Total(min(number, most), number > most)
        looked_at = Sample.everything.filter(pk__in=RawSQL(ids, params))
        found = looked_at.order_by().aggregate(
            rows=Count("pk"), found=Count(Case(When(Q(*wanted), then=Value(1))))
        )
        return Total(found["found"], found["rows"] > most)

    # What leads --------------------------------------------------------------------------------
    @cached_property
    def _everything(self) -> Lead:
        return Lead(Stream((self.job.pk,), lambda pk: Sample.objects.filter(job=pk)), self._size)

    @cached_property
    def _smallest(self) -> Lead:
        """The filter that leads in the order of ids; without one that could, all samples."""
        for condition in sorted(self.conditions, key=self._size_of):
            stream = condition.stream(self.job)
            if stream is not None:
                covers = (condition,) if stream.holds_all else ()
                return Lead(stream, self._size_of(condition), covers)
        return self._everything

    def _ordered(self, part: Part) -> Lead:
        """The index of the order: the states one by one, in each from value to value."""
        chosen = [set(one.states) for one in self.conditions if one.states is not None]
        states = [state for state in SampleState.values if all(state in one for one in chosen)]
        ranges = [one for one in self.conditions if one.orders == part.sort.column]
        within = [one.on("") for one in ranges]
        covers = [one for one in self.conditions if one.states is not None]

        def rows(state: str) -> QuerySet:
            return self.job.samples.filter(*within, state=state)

        return Lead(Stream(tuple(states), rows), self._size_of_states(states), (*ranges, *covers))

    def _is_found_soon(self, ordered: Lead, number: int) -> bool:
        """Whether reading in order finds a page sooner than the smallest set is read."""
        rest = [one for one in self.conditions if one not in ordered.covers]
        if not rest:
            return True
        found = self.total.number
        if self.total.is_capped:
            expected = float(ordered.size)
            for condition in rest:
                expected *= self._size_of(condition) / max(self._size, 1)
            found = max(found, int(expected))
        looked_at = ordered.size * min(1.0, (number + 1) / max(found, 1))
        return looked_at <= SET_COST * self._smallest.size

    # Pages -------------------------------------------------------------------------------------
    def ids(self, part: Part, number: int) -> RawSQL:
        """The ids of the next samples in a part of an order, as a subquery."""
        lead = self._smallest
        if part.is_by_value:
            ordered = self._ordered(part)
            if lead is self._everything or self._is_found_soon(ordered, number):
                return self._read(ordered, part, number, is_sorted=False)
            return self._read(lead, part, number, is_sorted=True)
        if lead.stream.is_set and self.total.is_capped:
            lead = self._everything
        return self._read(lead, part, number, is_sorted=lead.stream.is_set)

    def _looked_up(self, lead: Lead, at: str) -> list[Any]:
        """What is checked on every row that the lead hands out."""
        wanted = [one.on(at) for one in self.conditions if one not in lead.covers]
        if not lead.stream.is_own:
            wanted.append(Q(**{f"{at}job_id": self.job.pk, f"{at}trashed_at__isnull": True}))
        return [Checked(one) for one in wanted]

    def _read(self, lead: Lead, part: Part, number: int, *, is_sorted: bool) -> RawSQL:
        """`is_sorted`: no index is in order, and none of the order shall be taken for it."""
        stream, at = lead.stream, lead.stream.prefix

        def page(rows: QuerySet) -> QuerySet:
            behind, within = part.behind(at, stream.id), part.of(at)
            if is_sorted:
                behind = Checked(behind) if behind else behind
            if is_sorted or not part.has_value:
                within = Checked(within) if within else within
            rows = rows.filter(behind, within, *self._looked_up(lead, at))
            if stream.seek and part.cursor and not part.is_by_value:
                sign = "<" if part.is_descending else ">"
                rows = rows.extra(where=[f"{stream.seek} {sign} %s"], params=[part.cursor.pk])
            rows = _named(rows, stream, f"{at}{part.sort.column}" if part.is_by_value else None)
            return rows.order_by(*_order(stream, part, is_sorted))[:number]

        way = "DESC" if part.is_descending else "ASC"
        columns = ("found_value", "found_id") if part.is_by_value else ("found_id",)
        order = "ORDER BY " + ", ".join(f"{column} {way}" for column in columns)
        return RawSQL(*_merged(stream, page, order, number))


def _order(stream: Stream, part: Part, is_sorted: bool) -> list[OrderBy]:
    pk = TextRow() if stream.seek and not part.is_by_value else F(stream.id)
    expressions = [pk]
    if part.is_by_value:
        expressions.insert(0, F(f"{stream.prefix}{part.sort.column}"))
    if is_sorted:
        expressions = [Coalesce(one, one) for one in expressions]
    return [OrderBy(one, descending=part.is_descending) for one in expressions]


def _named(rows: QuerySet, stream: Stream, value: str | None = None) -> QuerySet:
    """With nothing but the id of the sample and the value that it is ordered by."""
    columns = {"found_id": F(stream.id)} | ({"found_value": F(value)} if value else {})
    return rows.order_by().annotate(**columns).values(*columns)


# SQL ---------------------------------------------------------------------------------------------
def _merged(
    stream: Stream, page: Callable[[QuerySet], QuerySet], order: str, number: int
) -> tuple[str, list[Any]]:
    """The first ids of all values of a stream, where `page` reads those of one."""
    if not stream.values:
        return "SELECT 0 WHERE 1 = 0", []
    branches = _branches(stream, page)
    what = "found_id"
    if stream.repeats:
        what = "DISTINCT found_id, found_value" if "found_value" in order else "DISTINCT found_id"
    if len(branches) == 1:
        return f"SELECT {what} FROM ({branches[0][0]}) AS branch", list(branches[0][1])
    union = " UNION ALL ".join(
        f"SELECT * FROM ({sql}) AS branch_{at}" for at, (sql, _params) in enumerate(branches)
    )
    params = [param for _sql, given in branches for param in given]
    merged = f"SELECT {what} FROM ({union}) AS branches {order} LIMIT {number}"
    if "," in what:
        merged = f"SELECT found_id FROM ({merged}) AS several"
    return merged, params


def _branches(
    stream: Stream, page: Callable[[QuerySet], QuerySet]
) -> list[tuple[str, Sequence[Any]]]:
    """SQL and parameters for each value: made twice, then copied where only one parameter differs."""

    def made(value: Any) -> tuple[str, Sequence[Any]]:
        return page(stream.rows(value)).query.sql_with_params()

    first, *others = stream.values
    sql, params = made(first)
    if not others:
        return [(sql, params)]
    second_sql, second = made(others[0])
    differing = [
        at for at, pair in enumerate(zip(params, second, strict=False)) if pair[0] != pair[1]
    ]
    if sql != second_sql or len(differing) != 1:
        return [(sql, params), (second_sql, second), *map(made, others[1:])]
    (at,) = differing
    return [(sql, (*params[:at], _adapted(one), *params[at + 1 :])) for one in stream.values]


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def _number_of(ids: str, params: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({ids}) AS found", params)
        return cursor.fetchone()[0]

"""How a page of samples is found without looking at all of them.

A database alone guesses from averages, and guesses wrong where labels, folders and times go with
the ids; SQLite has no averages at all. So one filter leads: its index hands out samples in the
order of the page, and the others are looked up row by row. The one that leads is that of which the
least has to be read, by the counters of the job where one says it.

- In the order of ids every filter with an index of its own can lead. One with several values is as
  many index ranges, of which each is read up to the length of a page.
- In another order the index of that order leads, unless what is looked for is rare in it: then the
  smallest set is read whole, and sorted.

CONTRIBUTING.md has the rules, the indexes and what pages take.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.db.models import Case, F, OrderBy, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from jobs import counters
from jobs.conditions import Condition, Stream, samples_of
from jobs.expressions import Checked, Finds
from jobs.models import Job, Sample, SampleState
from jobs.sorting import Part
from jobs.text_index import TextRow

# Counting ends at so many found, or where others have to be looked up, at so many looked at.
MOST_COUNTED = 10_000
MOST_CHECKED = 1_000
# So many are read of a set, and not even tried where so many are all over the job: then they turn
# up sooner than they are read.
MOST_IN_SET = 20_000
MOST_SPREAD = 8_000
# A set that is larger by this than was thought is given up.
MANY_MORE = 8
# A row of a set that is sorted costs so many of an index that is in order.
SET_COST = 3
# Filters can go together, or with the ids: then more is read than the sizes say, up to all of a
# stream. So much of that is reckoned with; more for what does go with the ids.
DOUBT, DOUBT_WITH_IDS = 0.1, 0.5
PAGE = 100


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
    """What hands out samples: a stream, about so long, the conditions that it stands for, and the
    columns of its index's order where that is not the id alone."""

    stream: Stream
    size: int
    covers: tuple[Condition, ...] = ()
    order: tuple[str, ...] = ()
    # The condition that it comes from: nearly all of the stream meets it.
    within: Condition | None = None


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
        return counters.number_of(self.counts, states)

    def _size_of(self, condition: Condition) -> int:
        known = condition.known(self.counts) if condition.known else None
        return int(condition.share * self._size) if known is None else min(known, self._size)

    @cached_property
    def total(self) -> Total:
        """From the counters where one says it, else counted up to a limit."""
        if not self.conditions:
            return Total(self._size)
        only = self.conditions[0] if len(self.conditions) == 1 else None
        if only is not None and only.known:
            least = (only.least or only.known)(self.counts)
            if only.least is None or least > MOST_CHECKED:
                return Total(least, is_capped=only.least is not None)
        lead = self._counting
        if lead.stream.is_set:
            number = len(self._set_ids)
            return Total(min(number, MOST_COUNTED), number > MOST_COUNTED)
        most = MOST_CHECKED if self._looked_up(lead) else MOST_COUNTED
        sql, params = self._some(lead, most + 1)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*), SUM(found_ok) FROM ({sql}) AS looked_at", params)
            looked_at, found = cursor.fetchone()
        return Total(min(found or 0, most), looked_at > most)

    @property
    def _counting(self) -> Lead:
        """The index of an order, where it holds all that is asked for; else what leads anyway."""
        for condition in self.conditions:
            if condition.orders:
                lead = self._ordered(condition.orders)
                if set(lead.covers) >= set(self.conditions):
                    return lead
        return self._leading

    def _some(self, lead: Lead, number: int) -> tuple[str, list[Any]]:
        """SQL of the first samples of a lead, with 1 or 0: whether the other conditions hold."""
        stream = lead.stream
        wanted = Q(*self._is_wanted(lead))
        is_wanted = Case(When(wanted, then=Value(1)), default=Value(0)) if wanted else Value(1)

        def some(rows: QuerySet) -> QuerySet:
            columns = {"found_id": F(stream.id), "found_ok": is_wanted}
            rows = rows.order_by().annotate(**columns).values(*columns)
            if not stream.is_set:
                # By the index that is meant.
                rows = rows.order_by(*(lead.order or _ids_of(stream)))
            return rows[:number]

        return _merged(stream, some, "found_id, found_ok", "", number)

    def _ids_in(self, lead: Lead) -> list[int] | None:
        """Of a lead that is a set: ids that are found in it, unless it is too large."""
        most = min(MOST_IN_SET, MANY_MORE * max(lead.size, PAGE))
        sql, params = self._some(lead, most + 1)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT found_id, found_ok FROM ({sql}) AS looked_at", params)
            rows = cursor.fetchall()
        if len(rows) > most:
            return None
        return sorted(pk for pk, is_wanted in rows if is_wanted)

    # What leads --------------------------------------------------------------------------------
    @cached_property
    def _everything(self) -> Lead:
        stream = Stream((self.job.pk,), lambda pk: samples_of(self.job))  # noqa: ARG005
        return Lead(stream, self._size)

    @cached_property
    def _leading(self) -> Lead:
        """What leads in the order of ids: the filter of which the least has to be read."""
        able = [lead for one in self.conditions if not one.asks and (lead := self._lead_of(one))]
        best = self._best(able)
        if best.size > self._size // 5:
            asked = [lead for one in self.conditions if one.asks and (lead := self._lead_of(one))]
            best = self._best([*able, *asked])
        if best.stream.is_set:
            found = self._ids_in(best)
            if found is None:
                return self._best([one for one in able if not one.stream.is_set])
            self._set_ids = found
        return best

    def _best(self, able: list[Lead]) -> Lead:
        return min(able, key=self._cost, default=self._everything)

    def _lead_of(self, condition: Condition) -> Lead | None:
        stream = condition.stream(self.job)
        if stream is None:
            return None
        size = self._size_of(condition)
        if stream.share is not None:
            size = int(stream.share * max(stream.of or 0, self._size))
            if stream.is_set and size > (MOST_SPREAD if stream.is_spread else MOST_IN_SET):
                return None
        covers = (condition,) if stream.holds_all else ()
        return Lead(stream, size, covers, within=condition)

    def _cost(self, lead: Lead) -> float:
        """About how many rows are read for a page."""
        if lead.stream.is_set:
            return SET_COST * lead.size
        share, doubt = 1.0, 0.0
        for condition in self.conditions:
            if condition not in lead.covers and condition is not lead.within:
                share *= self._share_of(condition)
                doubt = max(doubt, DOUBT_WITH_IDS if condition.goes_with_ids else DOUBT)
        expected = PAGE * len(lead.stream.values) / max(share, 1e-6)
        return min(lead.size, expected) + doubt * lead.size

    def _share_of(self, condition: Condition) -> float:
        return self._size_of(condition) / max(self._size, 1)

    def _ordered(self, column: str) -> Lead:
        """The index of an order, of the whole job or of the states that are in question."""
        chosen = [set(one.states) for one in self.conditions if one.states is not None]
        states = [state for state in SampleState.values if all(state in one for one in chosen)]
        ranges = tuple(one for one in self.conditions if one.orders == column)
        covers = (*ranges, *(one for one in self.conditions if one.is_state))
        rows = self.job.samples.filter(*(one.on("") for one in ranges))
        if len(states) == len(SampleState):
            stream = Stream((self.job.pk,), lambda pk: rows.filter(job=pk))
        else:
            stream = Stream(tuple(states), lambda state: rows.filter(state=state))
        return Lead(stream, self._size_of_states(states), covers, (column, "pk"))

    def _is_found_soon(self, ordered: Lead, number: int) -> bool:
        """Whether reading in order finds a page sooner than the leading set is read."""
        rest = [one for one in self.conditions if one not in ordered.covers]
        if not rest:
            return True
        found = float(self.total.number)
        if self.total.is_capped:
            expected = float(self._size)
            for condition in self.conditions:
                expected *= self._share_of(condition)
            found = max(found, expected)
        looked_at = ordered.size * min(1.0, (number + 1) / max(found, 1.0))
        return looked_at <= SET_COST * self._leading.size

    # Pages -------------------------------------------------------------------------------------
    def ids(self, part: Part, number: int) -> RawSQL:
        """The ids of the next samples in a part of an order, as a subquery."""
        lead = self._leading
        if lead.stream.is_set:
            found = self._set_ids if part.is_by_value else _next(self._set_ids, part, number)
            lead = Lead(_these(found), len(self._set_ids), tuple(self.conditions))
        if part.is_by_value:
            ordered = self._ordered(part.sort.column)
            if lead is self._everything or self._is_found_soon(ordered, number):
                return self._read(ordered, part, number, is_sorted=False)
            return self._read(lead, part, number, is_sorted=True)
        return self._read(lead, part, number, is_sorted=False)

    def _looked_up(
        self, lead: Lead, at: str = "", *, but: Sequence[Condition] = ()
    ) -> list[Checked]:
        """What is checked on every row that the lead hands out; `at` leads to the sample."""
        done = (*lead.covers, *but)
        wanted = [one.check(at) for one in self.conditions if one not in done]
        if not lead.stream.is_own:
            own = Q(**{f"{at}job_id": self.job.pk, f"{at}trashed_at__isnull": True})
            wanted.append(Checked(own))
        return wanted

    def _is_wanted(self, lead: Lead) -> list[Checked]:
        """As `_looked_up`. Beside samples nothing is joined: each is looked up when it is its
        turn, where a join could begin with all there are."""
        stream = lead.stream
        if not stream.prefix:
            return self._looked_up(lead)
        # Labels first: they stand in the index that is being read, the sample elsewhere.
        beside = [one for one in self.conditions if one.beside and one not in lead.covers]
        wanted = self._looked_up(lead, but=beside)
        samples = Sample.everything.filter(*wanted, pk=OuterRef(stream.id))
        return [*(Checked(one.beside(stream.id)) for one in beside), Checked(Finds(samples))]

    def _read(self, lead: Lead, part: Part, number: int, *, is_sorted: bool) -> RawSQL:
        """`is_sorted`: the lead is in another order, and no index of this one shall be taken."""
        stream, at = lead.stream, lead.stream.prefix
        wanted = self._looked_up(lead, at) if part.is_by_value else self._is_wanted(lead)

        def page(rows: QuerySet) -> QuerySet:
            behind, within = part.behind(at, stream.id), part.of(at)
            if is_sorted:
                behind = Checked(behind) if behind else behind
            if is_sorted or not part.has_value:
                within = Checked(within) if within else within
            rows = rows.filter(behind, within, *wanted)
            if stream.seek and part.cursor and not part.is_by_value:
                sign = "<" if part.is_descending else ">"
                rows = rows.extra(where=[f"{stream.seek} {sign} %s"], params=[part.cursor.pk])
            columns = {"found_id": F(stream.id)}
            if part.is_by_value:
                columns["found_value"] = F(f"{at}{part.sort.column}")
            rows = rows.order_by().annotate(**columns).values(*columns)
            return rows.order_by(*_order(stream, part, is_sorted))[:number]

        way = "DESC" if part.is_descending else "ASC"
        names = ("found_value", "found_id") if part.is_by_value else ("found_id",)
        order = "ORDER BY " + ", ".join(f"{name} {way}" for name in names)
        sql, params = _merged(stream, page, ", ".join(names), order, number)
        return RawSQL(f"SELECT found_id FROM ({sql}) AS page", params)


def _next(ids: list[int], part: Part, number: int) -> list[int]:
    """Of ids in order, those that the page can have."""
    if part.sort.has_gaps:
        return ids
    if part.cursor is not None:
        pk = part.cursor.pk
        ids = ids[: bisect_left(ids, pk)] if part.is_descending else ids[bisect_right(ids, pk) :]
    return ids[-number:] if part.is_descending else ids[:number]


def _these(ids: list[int]) -> Stream:
    values = (tuple(ids),) if ids else ()
    return Stream(values, lambda some: Sample.everything.filter(pk__in=some))


def _ids_of(stream: Stream) -> list[F | TextRow]:
    """The order of ids, said so that the stream's own index is read in it. SQLite's text table has
    its row numbers; with PostgreSQL indexes begin with the job."""
    if stream.seek:
        return [TextRow()]
    if connection.vendor == "postgresql" and stream.is_own and not stream.prefix:
        return [F("job_id"), F(stream.id)]
    return [F(stream.id)]


def _order(stream: Stream, part: Part, is_sorted: bool) -> list[OrderBy]:
    if part.is_by_value:
        expressions = [F(f"{stream.prefix}{part.sort.column}"), F(stream.id)]
    else:
        expressions = _ids_of(stream)
    if is_sorted:
        expressions = [Coalesce(one, one) for one in expressions]
    return [OrderBy(one, descending=part.is_descending) for one in expressions]


# SQL ---------------------------------------------------------------------------------------------
Page = Callable[[QuerySet], QuerySet]
# So many branches PostgreSQL plans one by one; of more, one for all.
MOST_BRANCHES = 3


def _merged(
    stream: Stream, page: Page, columns: str, order: str, number: int
) -> tuple[str, list[Any]]:
    """The first rows of all values of a stream together, where `page` reads those of one."""
    if not stream.values:
        none = columns.replace("found", "0 AS found")
        return f"SELECT {none} WHERE 1 = 0", []

    def made(value: Any) -> tuple[str, Sequence[Any]]:
        return page(stream.rows(value)).query.sql_with_params()

    first = made(stream.values[0])
    if len(stream.values) == 1:
        return f"SELECT {columns} FROM ({first[0]}) AS branch", list(first[1])
    second = made(stream.values[1])
    at = _place_of_value(first, second)
    if at is None:
        union, params = _union([first, second, *map(made, stream.values[2:])])
    elif connection.vendor == "postgresql" and len(stream.values) > MOST_BRANCHES:
        union, params = _lateral(stream, first, at)
    else:
        sql, given = first
        union, params = _union(
            [(sql, (*given[:at], _adapted(one), *given[at + 1 :])) for one in stream.values]
        )
    what = f"DISTINCT {columns}" if stream.repeats else columns
    return f"SELECT {what} FROM {union} {order} LIMIT {number}", params


Made = tuple[str, Sequence[Any]]


def _place_of_value(first: Made, second: Made) -> int | None:
    """Where the value stands among the parameters, if it is nothing but one of them."""
    (sql, params), (other_sql, others) = first, second
    if sql != other_sql:
        return None
    differing = [at for at, one in enumerate(params) if one != others[at]]
    return differing[0] if len(differing) == 1 else None


def _union(branches: list[Made]) -> tuple[str, list[Any]]:
    every = " UNION ALL ".join(
        f"SELECT * FROM ({sql}) AS branch_{at}" for at, (sql, _params) in enumerate(branches)
    )
    return f"({every}) AS branches", [param for _sql, params in branches for param in params]


_SQL_TYPES = {str: "text", int: "bigint", date: "date"}


def _lateral(stream: Stream, first: Made, at: int) -> tuple[str, list[Any]]:
    """The branches as one, that runs once for each value."""
    sql, params = first
    pieces = sql.split("%s")
    kind = _SQL_TYPES[type(stream.values[0])]
    # The columns of text that have many values are compared by their bytes.
    value = 'each_of.value COLLATE "C"' if kind == "text" else "each_of.value"
    inner = "%s".join(pieces[: at + 1]) + value + "%s".join(pieces[at + 1 :])
    every = f"unnest(%s::{kind}[]) AS each_of(value) CROSS JOIN LATERAL ({inner}) AS branch"
    return every, [list(stream.values), *params[:at], *params[at + 1 :]]


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value

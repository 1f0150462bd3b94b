"""Writes the same edit of many samples in SQL: what `apply` of labels/annotate.py does sample by
sample, at a fraction of the cost. A test holds the two against each other.

History can be kept in a short form: a new annotation is the label's id alone, which stands for one
by the change's person at the change's time.
"""

import json
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import (
    Aggregate,
    BooleanField,
    F,
    Func,
    JSONField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, JSONObject, NullIf

from jobs import counters
from jobs.models import Change, ChangeItem, Sample
from labels.models import Annotation, Origin


@dataclass(frozen=True)
class Part:
    """Samples to which the same happens.

    `added`: annotations that they get, in full or as the label alone. `removed`: which of theirs
    go. `columns`: what is set. `points_at`: of a change that takes another back, the change that
    the samples go back to.
    """

    ids: list[int]
    added: tuple[int | dict[str, Any], ...] = ()
    removed: Q | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    points_at: int | None = None


@dataclass
class Written:
    """How many samples changed, how many were left since others had changed them, how many for
    other reasons, and the counters that moved."""

    edited: int = 0
    skipped: int = 0
    left: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class Rows(Aggregate):
    """All rows of a subquery as one JSON list."""

    function = "jsonb_agg"
    output_field = JSONField()

    def as_sqlite(self, compiler, connection, **context):  # noqa: ANN001, ANN003, ANN201
        return self.as_sql(compiler, connection, function="json_group_array", **context)


class WithoutNulls(Func):
    function = "jsonb_strip_nulls"
    output_field = JSONField()

    def as_sqlite(self, compiler, connection, **context):  # noqa: ANN001, ANN003, ANN201
        template = "json_patch('{}', %(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)


def among(ids: list[int]) -> RawSQL:
    """For `pk__in`: thousands of ids as one parameter, where each of its own costs Django time."""
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])
    return RawSQL("SELECT unnest(%s::bigint[])", [ids])


def locked(samples: QuerySet[Sample]) -> QuerySet[Sample]:
    """In the order in which everybody locks samples."""
    return samples.order_by("pk").select_for_update(of=("self",))


def write(
    change: Change, parts: Sequence[Part], deltas: Mapping[str, int] | None = None
) -> Written:
    """Makes the parts belong to the change: rows, history, counters. `deltas` is how the counters
    move; without it, the rows are counted before and after."""
    ids = [pk for part in parts for pk in part.ids]
    if not ids:
        return Written()
    samples = Sample.everything.filter(pk__in=among(ids))
    counted = counters.of(samples) if deltas is None else None
    for part in parts:
        points_at = change.pk if change.reverts_id is None else part.points_at
        rows = Sample.everything.filter(pk__in=among(part.ids)).order_by("pk")
        _write_items(change, part, rows, points_at)
        if part.removed is not None:
            Annotation.objects.filter(part.removed, sample__in=among(part.ids)).delete()
        for row in part.added:
            _insert(Annotation, rows, _annotation(change, row))
        rows.update(**part.columns, last_change=points_at, version=F("version") + 1)
    if counted is not None:
        deltas = Tally(counters.of(samples))
        deltas.subtract(counted)
    Change.objects.filter(pk=change.pk).update(sample_count=F("sample_count") + len(ids))
    return Written(len(ids), counts=counters.add(change.job, deltas))


def _write_items(change: Change, part: Part, rows: QuerySet[Sample], points_at: int | None) -> None:
    columns = {
        "change": change.pk,
        "sample": F("pk"),
        "added": list(part.added),
        "removed": [] if part.removed is None else _removed_rows(part.removed),
        "before": _before(),
        "after": points_at,
    }
    _insert(ChangeItem, rows, columns)


def _removed_rows(removed: Q) -> Coalesce:
    """The condition stands in the aggregate: as one of the subquery's, PostgreSQL without
    statistics of the table would look through all that carry the label, for each sample."""
    row = JSONObject(
        label="label_id", user="user_id", origin="origin", confidence="confidence", at="created_at"
    )
    of_sample = Annotation.objects.filter(sample=OuterRef("pk")).order_by().values("sample")
    rows = Subquery(of_sample.annotate(rows=Rows(row, filter=removed)).values("rows"))
    return Coalesce(rows, Value([], output_field=JSONField()))


def _before() -> WithoutNulls:
    """What `Held.before` says."""
    return WithoutNulls(
        JSONObject(
            state="state",
            by="last_by_id",
            at="last_at",
            change="last_change_id",
            is_hard=NullIf("is_hard", Value(False), output_field=BooleanField()),
            trashed_at="trashed_at",
        )
    )


def _annotation(change: Change, row: int | dict[str, Any]) -> dict[str, Any]:
    if isinstance(row, int):
        label, user, origin, confidence = row, change.actor_id, Origin.HUMAN.value, None
        created_at = change.created_at
    else:
        label, user, origin = row["label"], row["user"], row["origin"]
        confidence, created_at = row["confidence"], moment(row["at"])
    return {
        "sample": F("pk"),
        "label": label,
        "user": user,
        "origin": origin,
        "confidence": confidence,
        "created_at": created_at,
    }


def moment(text: str) -> datetime:
    """A moment in a history. Those that SQLite wrote lack their zone, which is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Columns of samples that each can have its own value of, with their types in PostgreSQL.
_OWN = {
    "state": "text",
    "last_by": "bigint",
    "last_at": "timestamptz",
    "is_hard": "boolean",
    "trashed_at": "timestamptz",
}


def set_each(groups: Mapping[tuple, Sequence[int]], stands: Q) -> int:
    """Sets columns of many samples, of each to its own values, where `stands` holds; how many. A
    group says how many labels its samples (by id) gain, the change that they point at, and pairs of
    a column and its value."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for (growth, points_at, *outcome), ids in groups.items():
        values = {name: _as_json(value) for name, value in outcome}
        values |= {"growth": growth, "points_at": points_at}
        by_columns[tuple(name for name, _value in outcome)] += [{"id": pk} | values for pk in ids]
    return sum(_set_each(columns, rows, stands) for columns, rows in by_columns.items())


def _as_json(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return str(connection.ops.adapt_datetimefield_value(value))


def _set_each(columns: tuple[str, ...], rows: list[dict[str, Any]], stands: Q) -> int:
    types = {"id": "bigint", "growth": "integer", "points_at": "bigint"}
    types |= {name: _OWN[name] for name in columns}
    if connection.vendor == "sqlite":
        read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in types)
        source = f"(SELECT {read} FROM json_each(%s)) AS own"
    else:
        read = ", ".join(f"{name} {kind}" for name, kind in types.items())
        source = f"jsonb_to_recordset(%s::jsonb) AS own({read})"
    fields = {name: Sample._meta.get_field(name).column for name in columns}
    sets = ", ".join(f"{column} = own.{name}" for name, column in fields.items())
    standing = Sample.everything.filter(stands, pk__in=among([row["id"] for row in rows]))
    which, params = standing.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE jobs_sample SET {sets}, label_count = label_count + own.growth, "
            "last_change_id = own.points_at, version = version + 1 "
            f"FROM {source} WHERE jobs_sample.id = own.id AND jobs_sample.id IN ({which})",
            [json.dumps(rows), *params],
        )
        return cursor.rowcount


def _insert(model: type[Model], rows: QuerySet[Sample], columns: dict[str, Any]) -> None:
    """INSERT … SELECT, which the ORM does not have. Columns are expressions or plain values."""
    fields = [model._meta.get_field(name) for name in columns]
    expressions = [
        value
        if hasattr(value, "resolve_expression")
        else Value(value, output_field=getattr(field, "target_field", field))
        for field, value in zip(fields, columns.values(), strict=True)
    ]
    select, params = rows.values_list(*expressions).query.sql_with_params()
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({names}) {select}", params)

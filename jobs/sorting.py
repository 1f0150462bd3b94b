"""The orders of a job's samples, and the places in them that pages start from.

Samples that have no value of an order (nobody labeled them, no model saw them) come last in it,
whichever way it goes. Equal ones stand in the order of their ids, so that no order is ever unsure.
"""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, F, FloatField, Q, Value
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from jobs.expressions import Behind
from jobs.models import Sample

MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Sort:
    """`column` is None for the order of ids, in which samples came into the job."""

    name: str
    column: str | None = None
    is_descending: bool = False

    @property
    def has_gaps(self) -> bool:
        """Some samples have no value."""
        return self.column is not None and Sample._meta.get_field(self.column).null


ADDED = Sort("added")
SORTS = {
    sort.name: sort
    for sort in (
        ADDED,
        Sort("-added", is_descending=True),
        Sort("path", "path"),
        Sort("-path", "path", True),
        Sort("time", "last_at"),
        Sort("-time", "last_at", True),
        Sort("score", "top_score"),
        Sort("-score", "top_score", True),
    )
}
# The model is least certain where its best label has the smallest score.
SORTS["uncertain"] = SORTS["score"]


@dataclass(frozen=True)
class Cursor:
    """A place between samples: behind the one with this value and id or, `is_before`, before it.

    It is the values that count, not the sample: that may have left the list, or moved in it.
    """

    sort: Sort
    value: Any
    pk: int
    is_before: bool = False

    def encode(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        text = json.dumps([self.pk, int(self.is_before), value], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def turned(self) -> "Cursor":
        return replace(self, is_before=not self.is_before)


def decode(raw: str, sort: Sort) -> Cursor | None:
    """The place that a text stands for in this order; None: it stands for none."""
    try:
        padded = raw + "=" * (-len(raw) % 4)
        pk, is_before, value = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    if type(pk) is not int or not 0 <= pk <= MAX_ID or type(is_before) is not int:
        return None
    if sort.column == "last_at" and isinstance(value, str):
        value = _moment(value)
        if value is None:
            return None
    kind = {None: type(None), "path": str, "last_at": datetime, "top_score": float}[sort.column]
    if sort.column == "top_score" and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) and not (value is None and sort.has_gaps):
        return None
    if isinstance(value, str) and "\0" in value:
        return None
    return Cursor(sort, value, pk, bool(is_before))


def _moment(raw: str) -> datetime | None:
    try:
        moment = parse_datetime(raw)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


@dataclass(frozen=True)
class Part:
    """Samples with a value, or those without: read one after the other."""

    sort: Sort
    has_value: bool
    cursor: Cursor | None
    is_backwards: bool

    @property
    def is_descending(self) -> bool:
        return self.sort.is_descending != self.is_backwards

    def of(self, at: str) -> Q:
        """What belongs to this part; `at` leads to the sample."""
        if not self.sort.has_gaps:
            return Q()
        return Q(**{f"{at}{self.sort.column}__isnull": not self.has_value})

    def behind(self, at: str, pk: str) -> Any:
        """What comes after the cursor; `pk` is the id of the sample where `at` leads from."""
        if self.cursor is None:
            return Q()
        sign = "lt" if self.is_descending else "gt"
        if not self.is_by_value:
            return Q(**{f"{pk}__{sign}": self.cursor.pk})
        value = Value(self.cursor.value, output_field=_FIELDS.get(self.sort.column))
        expressions = (F(f"{at}{self.sort.column}"), F(pk), value, Value(self.cursor.pk))
        return Q(Behind(*expressions, sign="<" if sign == "lt" else ">"))

    @property
    def is_by_value(self) -> bool:
        return self.sort.column is not None and self.has_value


_FIELDS = {"last_at": DateTimeField(), "top_score": FloatField()}


def parts(sort: Sort, cursor: Cursor | None) -> list[Part]:
    """What has to be read from the cursor on, nearest first."""
    is_backwards = cursor is not None and cursor.is_before
    if not sort.has_gaps:
        return [Part(sort, True, cursor, is_backwards)]
    both = [True, False][:: -1 if is_backwards else 1]
    if cursor is None:
        return [Part(sort, has_value, None, is_backwards) for has_value in both]
    at = both.index(cursor.value is not None)
    return [
        Part(sort, has_value, cursor if number == 0 else None, is_backwards)
        for number, has_value in enumerate(both[at:])
    ]

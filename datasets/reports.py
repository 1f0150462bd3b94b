"""The report of a run as a table for a spreadsheet: a line for each item that needs a look."""

import csv
import io
from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.http import content_disposition_header

from datasets import problems
from runs.models import Problem, Run

LINES_AT_ONCE = 1_000
MEDIA_TYPE = "text/csv; charset=utf-8"
# Without it Excel takes UTF-8 for something else.
_MARK = "\ufeff"
# What spreadsheets take for the start of a formula; a file can have any name.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def response(run: Run, name: str) -> StreamingHttpResponse:
    """The report for downloading; `name` begins that of the file."""
    made = StreamingHttpResponse(report(run), content_type=MEDIA_TYPE)
    made["Content-Disposition"] = content_disposition_header(True, f"{name}-{run.pk}.csv")
    made["Cache-Control"] = "private, no-cache"
    return made


async def report(run: Run) -> AsyncIterator[bytes]:
    """The table piece by piece, in the language of the one who asks: a run of a million files can
    have as many problems."""
    language = translation.get_language()
    yield (_MARK + _lines([("item", "code", "message")])).encode()
    after = 0
    while rows := await sync_to_async(_rows)(run, after):
        after = rows[-1].pk
        with translation.override(language):
            yield _lines(
                (row.item, row.code, problems.describe(row.code, row.params)) for row in rows
            ).encode()


def _rows(run: Run, after: int) -> list[Problem]:
    return list(run.problems.filter(pk__gt=after).order_by("pk")[:LINES_AT_ONCE])


def _lines(rows) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell

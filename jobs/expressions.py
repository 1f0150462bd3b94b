"""What indexes and queries of samples are made of, said once: a query uses an index over an
expression only when it has that expression word for word."""

from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    CharField,
    DateField,
    Exists,
    F,
    Field,
    Func,
    IntegerField,
    Q,
    Value,
)


class Folder(Func):
    """What a path says before the name of the file, with the slash; "" at the top."""

    template = "rtrim(%(expressions)s, replace(%(expressions)s, '/', ''))"
    arity = 1
    output_field = CharField()


class BaseName(Func):
    """The name of the file alone."""

    template = (
        "substr(%(expressions)s, "
        "length(rtrim(%(expressions)s, replace(%(expressions)s, '/', ''))) + 1)"
    )
    arity = 1
    output_field = CharField()


class Day(Func):
    """The day of a time, in UTC."""

    arity = 1
    output_field = DateField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        # Times are kept as text that begins with the day.
        template = "substr(%(expressions)s, 1, 10)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        template = "(%(expressions)s AT TIME ZONE 'UTC')::date"
        return self.as_sql(compiler, connection, template=template, **context)


class Percent(Func):
    """A share from 0 to 1 in whole percent, rounded down: of an index that was."""

    arity = 1
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        template = "CAST(%(expressions)s * 100 AS integer)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        template = "trunc(%(expressions)s * 100)::integer"
        return self.as_sql(compiler, connection, template=template, **context)


class Twentieth(Func):
    """Where a share from 0 to 1 stands among the twentieths: 2 n on the n-th, 2 n + 1 behind it.
    So a range from one to another is made of whole steps."""

    arity = 1
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        whole = "CAST(%(expressions)s * 20 AS integer)"
        template = f"{whole} * 2 + (%(expressions)s * 20 > {whole})"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        whole = "trunc(%(expressions)s * 20)"
        template = f"({whole}::integer * 2 + (%(expressions)s * 20 > {whole})::integer)"
        return self.as_sql(compiler, connection, template=template, **context)

    @staticmethod
    def of(share: float) -> int:
        return int(share * 20) * 2 + (share * 20 > int(share * 20))


class NotEmpty(Func):
    """Of a text. The empty one stands in the SQL itself: SQLite takes a partial index only then."""

    template = "NOT (%(expressions)s = '')"
    arity = 1
    output_field = BooleanField()


class OfJob(Func):
    """Whether a sample is of a job, by the job's id in a list: `of_job` makes it."""

    template = "%(expressions)s::bigint[])"
    arg_joiner = " = ANY("
    arity = 2
    output_field = BooleanField()


def of_job(job_id: int) -> Q:
    """The condition that a sample is of the job. In a list PostgreSQL does not know it for the only
    one, so that it can be asked for samples in the order of jobs and ids, which the indexes have
    that begin with the job. In the order of ids alone it may walk through all other jobs first."""
    if connection.vendor == "postgresql":
        return Q(OfJob(F("job_id"), Value([job_id], output_field=Field())))
    return Q(job=job_id)


class Checked(Func):
    """A condition that is looked up row by row, so that it decides nothing about the index used.

    Without this, PostgreSQL guesses how rare it is, and guesses wrong where it goes with the id.
    """

    template = "COALESCE((%(expressions)s), FALSE)"
    arity = 1
    output_field = BooleanField()


class Finds(Exists):
    """EXISTS for looking up row by row: of that one, PostgreSQL may make a table of all rows."""

    template = "((%(subquery)s) IS NOT NULL)"


class Behind(Func):
    """Whether the first half of the expressions, as a row, comes after the second half."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, sign: str) -> None:
        super().__init__(*expressions, sign=sign)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:  # noqa: ARG002
        parts, params = [], []
        for expression in self.source_expressions:
            sql, values = compiler.compile(expression)
            parts.append(sql)
            params.extend(values)
        half = len(parts) // 2
        left, right = ", ".join(parts[:half]), ", ".join(parts[half:])
        return f"({left}) {self.extra['sign']} ({right})", params

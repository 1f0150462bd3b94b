"""The index behind searches for a part of a path: which samples have three letters in a row.

SQLite keeps a table of its full-text search beside the samples, written by triggers; PostgreSQL an
index of its extension pg_trgm. Where neither is to be had, paths are read one by one. Upper and
lower case are the same for A to Z alone, as SQLite's LIKE has it.
"""

from collections import Counter as Tally
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.models import BigIntegerField, Expression
from django.db.models.functions import Lower
from django.db.models.lookups import Contains, IContains

from jobs.models import Job

TABLE, INDEX = "jobs_sample_text", "sample_text"
GRAM = 3
# The rarest grams of a text decide; more of them cost more than they leave out.
MOST_GRAMS = 3
# So many paths of a job tell which grams are rare in it, and so long they are believed.
PROBES = 400
SECONDS_KEPT = 3600

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_OLD = f"INSERT INTO {TABLE} ({TABLE}, rowid, path) VALUES ('delete', old.id, old.path);"
_NEW = f"INSERT INTO {TABLE} (rowid, path) VALUES (new.id, new.path);"
_TRIGGERS = {
    f"{TABLE}_insert": f"AFTER INSERT ON jobs_sample BEGIN {_NEW} END",
    f"{TABLE}_delete": f"AFTER DELETE ON jobs_sample BEGIN {_OLD} END",
    f"{TABLE}_update": f"AFTER UPDATE OF path ON jobs_sample BEGIN {_OLD} {_NEW} END",
}


# The index itself --------------------------------------------------------------------------------
def create(connection) -> None:
    """In a new database, and where another migration wrote the table of samples anew."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            _create_sqlite(cursor)
        else:
            _create_postgresql(cursor)


def _create_sqlite(cursor) -> None:
    try:
        cursor.execute(
            f"CREATE VIRTUAL TABLE {TABLE} USING "
            "fts5(path, content='', detail=none, columnsize=0, tokenize='trigram')"
        )
    except DatabaseError as error:
        # This SQLite was built without full-text search.
        if "no such" not in str(error):
            raise
        return
    cursor.execute(f"INSERT INTO {TABLE} (rowid, path) SELECT id, path FROM jobs_sample")
    for name, what in _TRIGGERS.items():
        cursor.execute(f"CREATE TRIGGER {name} {what}")


def _create_postgresql(cursor) -> None:
    cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if cursor.fetchone() is None:
        return
    try:
        with transaction.atomic():
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        # Only the owner of the database may; everything works without it, searches slower.
        return
    cursor.execute(f"CREATE INDEX {INDEX} ON jobs_sample USING gin (lower(path) gin_trgm_ops)")


def drop(connection) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        else:
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def restore(**_signal) -> None:
    """After migrations. SQLite cannot alter a table: Django writes it anew, and its triggers go."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'jobs\\_sample%' ESCAPE '\\'"
        )
        there = {name for (name,) in cursor.fetchall()}
    if TABLE in there and not there.issuperset(_TRIGGERS):
        with transaction.atomic():
            drop(connection)
            create(connection)


def is_there() -> bool:
    """Asked once for each process and database."""
    name = str(connection.settings_dict["NAME"])
    if name not in _is_there:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TABLE])
            else:
                cursor.execute("SELECT 1 FROM pg_indexes WHERE indexname = %s", [INDEX])
            _is_there[name] = cursor.fetchone() is not None
    return _is_there[name]


_is_there: dict[str, bool] = {}


# Asking it ---------------------------------------------------------------------------------------
def has_text(expression: Expression, text: str) -> Expression:
    """The condition that a text holds this one."""
    if connection.vendor == "sqlite":
        return IContains(expression, text)
    return Contains(Lower(expression), text.translate(_LOWER))


def all_of(grams: list[str]) -> str:
    """What the full-text table is asked for rows that have all of these."""
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams)


class TextRow(Expression):
    """The id of a sample as the full-text table has it, which is read in this order."""

    output_field = BigIntegerField()

    def as_sql(self, compiler, connection) -> tuple[str, list]:  # noqa: ARG002
        return f"{TABLE}.rowid", []


@dataclass(frozen=True)
class Rarity:
    """What some paths of a job, evenly from all of it, tell of a text. `is_spread`: it is in paths
    from everywhere, not in those of some stretch of the job alone. `of`: of how many samples the
    index finds it, where that does not part the jobs."""

    share: float
    grams: list[str]
    is_spread: bool
    of: int | None


def rarity(job: Job, text: str) -> Rarity:
    """How rare the text is in the paths of the job, and its rarest grams."""
    text = text.translate(_LOWER)
    paths = _some_paths(job)
    grams = {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}
    seen = Tally(gram for path in paths for gram in grams if gram in path)
    rarest = sorted(grams, key=lambda gram: (seen[gram], gram))[:MOST_GRAMS]
    places = [at for at, path in enumerate(paths) if text in path]
    # Few that were seen can be more than they stand for, none can be some.
    share = (len(places) + 1) / (len(paths) + 1)
    is_spread = bool(places) and places[-1] - places[0] > len(paths) / 2
    return Rarity(share, rarest, is_spread, _number_of_rows())


def _number_of_rows() -> int | None:
    """About how many samples of all jobs PostgreSQL's index holds."""
    if connection.vendor == "sqlite":
        return None

    def ask() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'jobs_sample'::regclass")
            return max(int(cursor.fetchone()[0]), 0)

    return cache.get_or_set("samples-of-all-jobs", ask, SECONDS_KEPT)


def _some_paths(job: Job) -> list[str]:
    key = f"some-paths-{job.pk}"
    paths = cache.get(key)
    if paths is None:
        with connection.cursor() as cursor:
            cursor.execute(_SOME_PATHS, {"job": job.pk, "probes": PROBES})
            paths = [path.translate(_LOWER) for (path,) in cursor.fetchall() if path]
        cache.set(key, paths, SECONDS_KEPT)
    return paths


_LIVE = "FROM jobs_sample WHERE job_id = %(job)s AND trashed_at IS NULL"
# Not all as far from one another: folders can be as regular.
_SOME_PATHS = f"""
WITH RECURSIVE ends(first, last) AS (SELECT
    (SELECT id {_LIVE} ORDER BY id LIMIT 1), (SELECT id {_LIVE} ORDER BY id DESC LIMIT 1)
), probe(at) AS (
    SELECT 0 UNION ALL SELECT at + 1 FROM probe WHERE at + 1 < %(probes)s
)
SELECT (SELECT path {_LIVE}
    AND id >= first + (last - first) * (1000 * at + (at * 617) %% 1000) / (1000 * %(probes)s)
    ORDER BY id LIMIT 1)
FROM probe, ends
"""

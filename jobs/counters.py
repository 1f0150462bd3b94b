"""Stored counters of a job: per state, per label, per person, of hard examples and of the trash.

Keys: `state:<state>`, `label:<id>` (samples that carry it), `person:<id>` (labeled samples that
the person labeled last), `hard`; and `trash`. A sample in the trash counts in that one alone, and
when the trash was emptied of it in none. The one service that makes a change adds to them in
the same transaction; `manage.py recount` compares them with the rows.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet

from jobs.models import PURGED, Counter, Job, Sample, SampleState

HARD = "hard"
TRASH = "trash"


def state_key(state: str) -> str:
    return f"state:{state}"


def number_of(counts: Mapping[str, int], states: Iterable[str]) -> int:
    """Samples in these states."""
    return sum(counts.get(state_key(state), 0) for state in states)


def progress(counts: Mapping[str, int]) -> dict[str, int]:
    """How far a job is, from its counters: samples that are labeled, of how many, in percent."""
    labeled, total = counts.get(state_key(SampleState.LABELED), 0), number_of(counts, SampleState)
    return {"labeled": labeled, "total": total, "percent": 100 * labeled // total if total else 0}


def label_key(label_id: int) -> str:
    return f"label:{label_id}"


def person_key(user_id: int) -> str:
    return f"person:{user_id}"


def keys_of(
    state: str,
    by: int | None,
    labels: Iterable[int],
    is_hard: bool,
    trashed_at: datetime | None,
) -> list[str]:
    """The counters in which a sample is one."""
    if trashed_at is not None:
        return [] if trashed_at == PURGED else [TRASH]
    keys = [state_key(state), *map(label_key, labels)]
    if state == SampleState.LABELED and by:
        keys.append(person_key(by))
    if is_hard:
        keys.append(HARD)
    return keys


def read(job: Job) -> dict[str, int]:
    """All counters of the job, by key."""
    return dict(Counter.objects.filter(job=job).values_list("key", "value"))


def read_many(jobs: Iterable[Job]) -> dict[int, dict[str, int]]:
    """The state counters of several jobs, in one statement."""
    found: dict[int, dict[str, int]] = {job.pk: {} for job in jobs}
    rows = Counter.objects.filter(job__in=found, key__startswith="state:")
    for job_id, key, value in rows.values_list("job_id", "key", "value"):
        found[job_id][key] = value
    return found


def add(job: Job, deltas: Mapping[str, int]) -> dict[str, int]:
    """Adds to the counters in one statement; the new values of those that changed.

    Keys are written in one order by everybody, so that two writers wait and never deadlock.
    """
    rows = [(job.pk, key, delta) for key, delta in sorted(deltas.items()) if delta]
    if not rows:
        return {}
    table = Counter._meta.db_table
    values = ", ".join(["(%s, %s, %s)"] * len(rows))
    sql = (
        f"INSERT INTO {table} (job_id, key, value) VALUES {values} "
        f"ON CONFLICT (job_id, key) DO UPDATE SET value = {table}.value + excluded.value "
        "RETURNING key, value"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in rows for value in row])
        return dict(cursor.fetchall())


def count(job: Job) -> dict[str, int]:
    """What the counters should say, counted from the rows."""
    tally: Tally[str] = Tally()
    for state, number in _group(job.samples, "state"):
        tally[state_key(state)] = number
    for label, number in _group(job.samples.exclude(annotations=None), "annotations__label"):
        tally[label_key(label)] = number
    labeled = job.samples.filter(state=SampleState.LABELED).exclude(last_by=None)
    for person, number in _group(labeled, "last_by"):
        tally[person_key(person)] = number
    tally[HARD] = job.samples.filter(is_hard=True).count()
    tally[TRASH] = Sample.everything.filter(job=job).in_trash().count()
    return dict(tally)


def of(samples: QuerySet[Sample]) -> Tally[str]:
    """In which counters these samples (of `Sample.everything`) are, in two statements."""
    tally: Tally[str] = Tally()
    is_live = ExpressionWrapper(Q(trashed_at=None), output_field=BooleanField())
    there = samples.exclude(trashed_at=PURGED).order_by()
    plain = there.values_list("state", "last_by", "is_hard", is_live)
    for state, by, is_hard, live, number in plain.annotate(number=Count("pk")):
        for key in keys_of(state, by, (), is_hard, None) if live else [TRASH]:
            tally[key] += number
    labels = samples.filter(trashed_at=None, annotations__isnull=False)
    for label, number in _group(labels, "annotations__label"):
        tally[label_key(label)] += number
    return tally


def _group(rows, field: str):
    return rows.order_by().values_list(field).annotate(number=Count("pk"))


def drift(job: Job) -> dict[str, int]:
    """Rows minus counter, for each key where they differ."""
    stored, counted = read(job), count(job)
    return {
        key: counted.get(key, 0) - stored.get(key, 0)
        for key in stored.keys() | counted.keys()
        if counted.get(key, 0) != stored.get(key, 0)
    }

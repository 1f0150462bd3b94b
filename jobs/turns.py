"""Who waits for whom in a job, on PostgreSQL: people who change images work beside each other, and
who changes what all of them rely on, the labels, does so alone.

Without this somebody could put a label on an image in the moment in which it is merged away, and
two who lock images and counters in different orders would wait for each other. Locks are taken
before all others of a transaction, and end with it. SQLite lets one person write at a time anyway.
"""

from django.db import connection
from django.db.models import BooleanField, Func

from jobs.models import Job, SampleQuerySet

# A lock's name is a number; this one sets them apart from others of the database.
_FIRST = 7_105 << 48


def beside(job: Job | int) -> None:
    """Waits until nobody changes the labels of the job, and keeps them as they are."""
    _take("pg_advisory_xact_lock_shared", job)


def alone(job: Job | int) -> None:
    """Waits until nobody changes anything in the job, and lets nobody begin."""
    _take("pg_advisory_xact_lock", job)


def _take(function: str, job: Job | int) -> None:
    if connection.vendor == "postgresql":
        pk = job.pk if isinstance(job, Job) else job
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_FIRST + pk])


def all_beside(samples: SampleQuerySet) -> SampleQuerySet:
    """Does what `beside` does in the statement that reads the samples. That statement sees what
    there was before it waited: see `hold` in labels/annotate.py."""
    return samples.filter(_Beside("job_id")) if connection.vendor == "postgresql" else samples


class _Beside(Func):
    """True, once the lock is there: rows are looked at before they are locked."""

    function = "pg_advisory_xact_lock_shared"
    template = f"(%(function)s({_FIRST} + %(expressions)s)::text = '')"
    arity = 1
    output_field = BooleanField()

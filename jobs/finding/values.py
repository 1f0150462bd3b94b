"""What there is to choose from: folders and predicted labels that some image has.

Read by the index from one value to the next: as many steps as values, however many images there
are.
"""

from typing import Any

from django.db import connection

from jobs.expressions import Folder
from jobs.models import Job

MOST_CHOICES = 100
_LIVE = "FROM jobs_sample WHERE job_id = %(job)s AND trashed_at IS NULL"


def folders_inside(job: Job, folder: str) -> list[str]:
    """The names of the folders right inside `folder` ("" or with a slash at its end) that have
    images somewhere, with their slash; one more than `MOST_CHOICES` where there are more."""
    path = Folder.template % {"expressions": "path"}
    place = "instr" if connection.vendor == "sqlite" else "strpos"
    tail = f"substr({path}, %(start)s)"
    # Of a/b/c/ below a/ the part b/.
    child = f"substr({tail}, 1, {place}({tail}, '/'))"
    # "0" comes right behind "/": the first folder that is not inside the last one.
    behind = "%(folder)s || substr(found.name, 1, length(found.name) - 1) || '0'"
    inside = f"{_LIVE} AND {path} < %(end)s AND {path}"
    order = f"ORDER BY {path} LIMIT 1"
    return _walked(
        f"(SELECT {child} {inside} > %(folder)s {order})",
        f"(SELECT {child} {inside} >= {behind} {order})",
        job=job.pk,
        folder=folder,
        start=len(folder) + 1,
        end=f"{folder[:-1]}0" if folder else chr(0x10FFFF),
    )


def predicted_names(job: Job) -> list[str]:
    """The best labels of predictions; one more than `MOST_CHOICES` where there are more."""
    there = f"SELECT top_name {_LIVE} AND NOT (top_name = '') AND top_name"
    order = "ORDER BY top_name LIMIT 1"
    return _walked(f"({there} > '' {order})", f"({there} > found.name {order})", job=job.pk)


def _walked(first: str, following: str, **params: Any) -> list[str]:
    """Values by an index: the first, and each time the one behind the last."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(name) AS (SELECT {first} UNION ALL SELECT {following} "
            "FROM found WHERE found.name IS NOT NULL) "
            "SELECT name FROM found WHERE name IS NOT NULL LIMIT %(most)s",
            params | {"most": MOST_CHOICES + 1},
        )
        return [name for (name,) in cursor.fetchall()]

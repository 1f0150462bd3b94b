"""Writes rows of images and samples by the thousand, in SQL.

The library's own way costs three times as much, more than all else that an object of a bucket costs
a synchronization.
"""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.utils import timezone

from datasets.models import Dataset, Image
from jobs import counters
from jobs.models import Job, Sample, SampleState

# Two thousand rows would have more values than SQLite takes in a statement.
ROWS_AT_ONCE = 1_000

_IMAGE = Image._meta.db_table
_FIELDS = [field for field in Image._meta.concrete_fields if not field.primary_key]
_VALUES = attrgetter(*(field.attname for field in _FIELDS))
# Of these the database wants other values than Python has.
_TIMES = [at for at, one in enumerate(_FIELDS) if isinstance(one, models.DateTimeField)]
_JSON = [at for at, one in enumerate(_FIELDS) if isinstance(one, models.JSONField)]


def insert(images: Sequence[Image]) -> list[Image]:
    """Makes the rows of images that are not there yet; those get their ids and come back."""
    now = timezone.now()
    for image in images:
        image.added_at = now
    for at in range(0, len(images), ROWS_AT_ONCE):
        _insert(images[at : at + ROWS_AT_ONCE])
    return [image for image in images if image.pk is not None]


def _insert(images: Sequence[Image]) -> None:
    columns = ", ".join(field.column for field in _FIELDS)
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    sql = (
        f"INSERT INTO {_IMAGE} ({columns}) VALUES {', '.join([row] * len(images))} "
        "ON CONFLICT (dataset_id, path) DO NOTHING RETURNING path, id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for image in images for value in _adapted(image)])
        ids = dict(cursor.fetchall())
    for image in images:
        image.pk = ids.get(image.path)


def _adapted(image: Image) -> list[Any]:
    values = list(_VALUES(image))
    for at in _TIMES:
        values[at] = connection.ops.adapt_datetimefield_value(values[at])
    for at in _JSON:
        values[at] = json.dumps(values[at]) if values[at] else "{}"
    return values


def twins(dataset: Dataset, *, first: int, last: int) -> dict[int, int]:
    """Of the images with these ids, those that have the bytes of an older one: the oldest's id."""
    sql = (
        f"SELECT new.id, MIN(old.id) FROM {_IMAGE} new JOIN {_IMAGE} old ON "
        "old.dataset_id = new.dataset_id AND old.content = new.content AND old.id < new.id "
        "AND NOT (old.content = '') WHERE new.dataset_id = %s AND new.id BETWEEN %s AND %s "
        "GROUP BY new.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [dataset.pk, first, last])
        return dict(cursor.fetchall())


def give_samples(job: Job, image_ids: Sequence[int]) -> None:
    """A sample for each of the images that has none in the job; one in the trash counts."""
    if not image_ids:
        return
    sample = Sample._meta.db_table
    wanted = ", ".join(["%s"] * len(image_ids))
    sql = (
        f"INSERT INTO {sample} (job_id, image_id, path, state, label_count, version, is_hard, "
        f"top_name, split) SELECT %s, image.id, image.path, %s, 0, 0, %s, '', '' "
        f"FROM {_IMAGE} image "
        f"WHERE image.id IN ({wanted}) AND NOT EXISTS "
        f"(SELECT 1 FROM {sample} old WHERE old.job_id = %s AND old.image_id = image.id) "
        "ORDER BY image.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [job.pk, SampleState.UNLABELED, False, *image_ids, job.pk])
        counters.add(job, {counters.state_key(SampleState.UNLABELED): cursor.rowcount})

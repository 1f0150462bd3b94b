"""Files that belong to rows of the database, and go when those are gone, whoever deletes them."""

import shutil
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from jobs import exports
from jobs.description import pictures
from jobs.models import Job
from runs.models import Run, RunKind


@receiver(post_delete, sender=Job)
def remove_pictures(instance: Job, **kwargs: Any) -> None:  # noqa: ARG001
    """Those of the labeling description."""
    folder = pictures.folder_of(instance)
    transaction.on_commit(partial(shutil.rmtree, folder, ignore_errors=True))


@receiver(post_delete, sender=Run)
def remove_export(instance: Run, **kwargs: Any) -> None:  # noqa: ARG001
    if instance.kind == RunKind.EXPORT:
        file = exports.file_of(instance)
        transaction.on_commit(partial(file.unlink, missing_ok=True), robust=True)

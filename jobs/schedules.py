"""Synchronizations that come by themselves, every so many minutes."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.models import Dataset
from jobs.services import synchronize
from labelhub.errors import DomainError
from runs.clock import regularly

LEAST_MINUTES, MOST_MINUTES = 5, 7 * 24 * 60
# Runs submitted at a time: the rest is due ten seconds later.
AT_ONCE = 20


def schedule(dataset: Dataset, minutes: int | None) -> None:
    """Synchronizes the dataset every so many minutes from now on; None: no more by itself."""
    if minutes is not None and not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise DomainError(
            _("Synchronize every %(least)d to %(most)d minutes, or not at all.")
            % {"least": LEAST_MINUTES, "most": MOST_MINUTES},
            code="sync_minutes",
        )
    dataset.sync_minutes = minutes
    dataset.next_sync_at = _after(minutes) if minutes else None
    dataset.save(update_fields=["sync_minutes", "next_sync_at"])


@regularly
def synchronize_what_is_due() -> None:
    due = Dataset.objects.filter(next_sync_at__lte=timezone.now(), sync_minutes__isnull=False)
    for dataset in due.order_by("next_sync_at")[:AT_ONCE]:
        with transaction.atomic():
            # Of several workers that see it due, the one whose update finds the old time takes it.
            same = Dataset.objects.filter(pk=dataset.pk, next_sync_at=dataset.next_sync_at)
            if same.update(next_sync_at=_after(dataset.sync_minutes)):
                synchronize(dataset, by=None)


def _after(minutes: int):
    return timezone.now() + timedelta(minutes=minutes)

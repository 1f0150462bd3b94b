"""After its time the trash is emptied: of what people knew, not of the row."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inference.models import Prediction
from jobs import counters, services
from jobs.models import PURGED, ChangeItem, Sample
from jobs.selection import Selection
from labels import trash as trashing
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.models import Annotation
from labels.trash import purge, restore, trash
from labels.undo import undo_last
from runs import clock
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    return make.job(owner=alice)


def trashed(job, user, number: int, *, days: int) -> list[Sample]:
    """New images with a label, a mark and a suggestion, deleted so many days ago."""
    samples = make.images(job, number, files=True)
    member = make.membership(job, user)
    selection = Selection(ids=tuple(sample.pk for sample in samples))
    annotate(member, selection, add=[job.labels.first().pk])
    mark_hard(member, selection, is_hard=True)
    for sample in samples:
        Prediction.objects.create(
            sample=sample, model="m", numeric_mode="fp32", labels=[["cat", 0.5]]
        )
    trash(member, selection)
    then = timezone.now() - timedelta(days=days)
    Sample.everything.filter(pk__in=selection.ids).update(trashed_at=then)
    return list(Sample.everything.filter(pk__in=selection.ids).order_by("pk"))


def test_what_is_too_long_in_the_trash_loses_all_but_its_row(job, alice):
    (old,) = trashed(job, alice, 1, days=31)
    (young,) = trashed(job, alice, 1, days=29)

    purge()

    assert list(Annotation.objects.values_list("sample", flat=True)) == [young.pk]
    assert list(Prediction.objects.values_list("sample", flat=True)) == [young.pk]
    assert set(ChangeItem.objects.values_list("sample", flat=True)) == {young.pk}
    old.refresh_from_db()
    assert (old.trashed_at, old.state, old.is_hard) == (PURGED, "unlabeled", False)
    assert (old.last_by, old.last_at, old.last_change) == (None, None, None)
    assert counters.read(job)["trash"] == 1
    assert counters.drift(job) == {}


def test_what_was_purged_comes_back_neither_by_hand_nor_by_undo_nor_by_a_synchronization(
    job, alice
):
    (old,) = trashed(job, alice, 1, days=31)
    purge()
    member = make.membership(job, alice)

    assert restore(member, Selection(ids=(old.pk,))).change is None
    assert undo_last(member).sample_ids == []
    services.synchronize(job.dataset, job=job, by=None)
    make.finish_runs()

    assert not job.samples.exists()
    assert counters.drift(job) == {}


def test_a_synchronization_does_not_bring_back_what_is_in_the_trash(job, alice):
    trashed(job, alice, 2, days=1)

    services.synchronize(job.dataset, job=job, by=None)
    make.finish_runs()

    assert not job.samples.exists()
    assert counters.drift(job) == {}


def test_much_is_purged_in_pieces_and_in_turns(job, alice, monkeypatch):
    monkeypatch.setattr(trashing, "PURGED_AT_ONCE", 2)
    monkeypatch.setattr(trashing, "BATCHES_AT_ONCE", 2)
    trashed(job, alice, 5, days=31)

    purge()
    assert counters.read(job)["trash"] == 1
    purge()

    assert counters.read(job)["trash"] == 0
    assert counters.drift(job) == {}


def test_it_happens_by_itself(job, alice):
    trashed(job, alice, 1, days=31)

    clock.tick(at_once=True)

    assert not Annotation.objects.exists()


def test_the_time_is_a_setting(job, alice, settings):
    settings.TRASH_DAYS = 7
    trashed(job, alice, 1, days=8)

    purge()

    assert counters.read(job)["trash"] == 0

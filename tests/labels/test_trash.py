"""Deleting images from a job, and restoring them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from jobs import counters
from jobs.models import Sample, Verb
from jobs.selection import Selection
from labelhub.errors import Conflict
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import restore, trash
from labels.undo import redo_last, undo_last
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "manager")
    return job


def ids(*samples) -> Selection:
    return Selection(ids=tuple(sample.pk for sample in samples))


def test_an_image_in_the_trash_counts_nowhere_but_there(job, alice):
    first, second = make.images(job, 2)
    member, cat = make.membership(job, alice), job.labels.first()
    annotate(member, ids(first, second), add=[cat.pk])
    mark_hard(member, ids(first), is_hard=True)

    result = trash(member, ids(first))

    assert list(job.samples.all()) == [second]
    assert result.counts == {
        "state:labeled": 1,
        f"label:{cat.pk}": 1,
        f"person:{alice.pk}": 1,
        "hard": 0,
        "trash": 1,
    }
    assert counters.drift(job) == {}


def test_a_restored_image_is_what_it_was(job, alice, bob):
    (sample,) = make.images(job, 1)
    annotate(make.membership(job, bob), ids(sample), add=[job.labels.first().pk])
    member = make.membership(job, alice)
    trash(member, ids(sample))

    result = restore(member, ids(sample))

    restored = job.samples.get()
    assert (result.change.verb, result.sample_ids) == (Verb.RESTORE, [sample.pk])
    assert (restored.state, restored.last_by, restored.annotations.count()) == ("labeled", bob, 1)
    assert counters.drift(job) == {}


def test_deleting_is_undone_and_done_again(job, alice):
    samples = make.images(job, 3)
    member = make.membership(job, alice)
    trash(member, ids(*samples[:2]))

    undone = undo_last(member)
    assert (job.samples.count(), len(undone.sample_ids)) == (3, 2)

    redo_last(member)
    assert list(job.samples.all()) == samples[2:]
    assert counters.drift(job) == {}


def test_undo_leaves_deleted_images_that_others_restored(job, alice, bob):
    first, second = make.images(job, 2)
    trash(make.membership(job, alice), ids(first, second))
    restore(make.membership(job, bob), ids(first))

    result = undo_last(make.membership(job, alice))

    assert (result.sample_ids, result.skipped) == ([second.pk], 1)
    assert counters.drift(job) == {}


def test_an_undo_of_labels_leaves_images_that_others_deleted(job, alice, bob):
    (sample,) = make.images(job, 1)
    annotate(make.membership(job, alice), ids(sample), add=[job.labels.first().pk])
    trash(make.membership(job, bob), ids(sample))

    result = undo_last(make.membership(job, alice))

    assert (result.sample_ids, result.skipped) == ([], 1)
    assert Sample.everything.get().label_count == 1


def test_who_may_no_longer_delete_images_cannot_undo_a_deletion(job, bob):
    (sample,) = make.images(job, 1)
    trash(make.membership(job, bob), ids(sample))
    job.members.filter(user=bob).update(role="labeler")

    with pytest.raises(PermissionDenied):
        undo_last(make.membership(job, bob))

    assert not job.samples.exists()


def test_what_is_too_long_in_the_trash_is_neither_restored_nor_undone(job, alice):
    first, second = make.images(job, 2)
    member = make.membership(job, alice)
    trash(member, ids(first, second))
    late = timezone.now() - timedelta(days=31)
    Sample.everything.filter(pk=first.pk).update(trashed_at=late)

    assert restore(member, ids(first)).change is None
    assert undo_last(member).sample_ids == [second.pk]


def test_all_of_the_trash_is_restored_but_the_exceptions_and_what_came_later(job, alice):
    samples = make.images(job, 4)
    member = make.membership(job, alice)
    trash(member, ids(*samples))

    selection = Selection(query="", excluded=(samples[1].pk,), through=samples[2].pk)
    restore(member, selection)

    assert list(job.samples.order_by("pk")) == [samples[0], samples[2]]


def test_the_trash_of_another_job_is_out_of_reach(job, alice, dan):
    other = make.job(owner=dan)
    (foreign,) = make.images(other, 1)
    trash(make.membership(other, dan), ids(foreign))

    assert restore(make.membership(job, alice), ids(foreign)).change is None
    assert not other.samples.exists()


def test_a_query_that_finds_another_number_than_was_seen_deletes_nothing(job, alice):
    make.images(job, 2)

    with pytest.raises(Conflict) as refused:
        trash(make.membership(job, alice), Selection(query="state=unlabeled", expected=3))

    assert (refused.value.code, job.samples.count()) == ("selection", 2)


def test_what_is_done_in_parts_is_one_change_and_undone_as_one(job, alice):
    samples = make.images(job, 4)
    member = make.membership(job, alice)
    change = trash(member, ids(*samples[:2])).change

    second = trash(member, ids(*samples[2:]), onto=change)

    change.refresh_from_db()
    assert (second.change, change.sample_count, job.changes.count()) == (change, 4, 1)
    undo_last(member)
    assert job.samples.count() == 4
    assert counters.drift(job) == {}

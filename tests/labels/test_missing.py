"""Images whose files are gone are kept, or put into the trash of jobs, as people decide."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from annotators.roles import Role
from datasets.models import Image
from jobs import counters
from jobs.models import Job, Sample, Verb
from labelhub.errors import DomainError
from labels.missing import settle_missing
from labels.undo import undo_last
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    job = make.job(owner=alice)
    make.images(job, 5)
    return job


def lose(job: Job, number: int) -> list[int]:
    """The files of that many images are gone."""
    ids = list(job.dataset.images.order_by("pk").values_list("pk", flat=True)[:number])
    Image.objects.filter(pk__in=ids).update(missing_since=timezone.now())
    return ids


def waiting(job: Job) -> int:
    return job.dataset.images.exclude(missing_since=None).filter(is_settled=False).count()


def test_kept_images_stay_and_are_not_asked_about_again(job, alice):
    ids = lose(job, 2)

    settled = settle_missing(job.dataset, by=alice, keep=True, ids=ids[:1])

    assert (settled.images, settled.removed) == (1, 0)
    assert waiting(job) == 1
    assert job.samples.count() == 5


def test_removed_images_are_in_the_trash_as_one_change_and_come_back(job, alice, monkeypatch):
    monkeypatch.setattr("labels.missing.IMAGES_AT_ONCE", 2)
    lose(job, 5)

    settled = settle_missing(job.dataset, by=alice, keep=False, everything=True)

    assert (settled.images, settled.removed, settled.others) == (5, 5, 0)
    change = job.changes.get()
    assert (change.verb, change.sample_count, settled.changes) == (Verb.TRASH, 5, {job.pk: change})
    assert (waiting(job), job.samples.count()) == (0, 0)
    assert counters.drift(job) == {}
    undo_last(make.membership(job, alice))
    assert job.samples.count() == 5
    assert counters.drift(job) == {}


def test_one_request_removes_so_many_and_says_how_many_wait(job, alice, monkeypatch):
    monkeypatch.setattr("labels.missing.IMAGES_AT_ONCE", 1)
    monkeypatch.setattr("labels.missing.MOST_AT_ONCE", 2)
    lose(job, 5)
    client, address = make.client(alice), f"/datasets/{job.dataset_id}/missing/"

    page = client.post(address, {"remove": "all"}, follow=True).content.decode()
    assert "3 more wait: remove them too." in page
    assert (waiting(job), job.samples.count(), job.changes.count()) == (3, 3, 1)

    answers = [
        client.post(
            f"/api{address}", {"action": "remove", "all": True}, content_type="application/json"
        ).json()
        for _time in range(2)
    ]
    assert [(one["removed"], one["left"]) for one in answers] == [(2, 1), (1, 0)]
    assert (waiting(job), job.samples.count()) == (0, 0)
    assert counters.drift(job) == {}


def test_jobs_in_which_the_person_deletes_nothing_keep_them(job, alice, bob, dan):
    labeling, foreign = (make.job(owner=bob, dataset=job.dataset) for _ in range(2))
    make.member(labeling, alice, Role.LABELER)
    managed = make.job(owner=dan, dataset=job.dataset)
    make.member(managed, alice, Role.MANAGER)
    for other in (labeling, foreign, managed):
        for image in job.dataset.images.all():
            Sample.objects.create(job=other, image=image, path=image.path)
    lose(job, 3)

    settled = settle_missing(job.dataset, by=alice, keep=False, everything=True)

    assert (settled.images, settled.removed, settled.others) == (3, 6, 2)
    counts = [one.samples.count() for one in (job, managed, labeling, foreign)]
    assert counts == [2, 2, 5, 5]
    assert set(settled.changes) == {job.pk, managed.pk}


def test_who_deletes_nothing_anywhere_removes_nothing_but_may_keep(job, bob):
    make.member(job, bob, Role.LABELER)
    ids = lose(job, 1)

    with pytest.raises(PermissionDenied):
        settle_missing(job.dataset, by=bob, keep=False, ids=ids)

    assert waiting(job) == 1
    assert settle_missing(job.dataset, by=bob, keep=True, ids=ids).images == 1


def test_an_image_that_is_there_is_left_alone(job, alice):
    lost, there = lose(job, 2)
    Image.objects.filter(pk=there).update(missing_since=None)

    settled = settle_missing(job.dataset, by=alice, keep=False, ids=[lost, there])

    assert (settled.images, settled.removed, job.samples.count()) == (1, 1, 4)
    assert not Image.objects.get(pk=there).is_settled


def test_images_of_another_dataset_are_not_touched(job, alice, dan):
    other = make.job(owner=dan)
    make.images(other, 1)
    (foreign,) = lose(other, 1)

    assert settle_missing(job.dataset, by=alice, keep=False, ids=[foreign]).images == 0
    assert other.samples.count() == 1


@pytest.mark.parametrize("chosen", [{}, {"ids": [1], "everything": True}])
def test_nothing_given_never_means_all(job, alice, chosen):
    lose(job, 2)

    with pytest.raises(DomainError):
        settle_missing(job.dataset, by=alice, keep=False, **chosen)

    assert waiting(job) == 2


def test_a_kept_image_can_be_removed_later_and_a_refused_file_is_no_question(job, alice):
    kept, refused = lose(job, 2)
    Image.objects.filter(pk=refused).update(is_refused=True)
    settle_missing(job.dataset, by=alice, keep=True, everything=True)

    assert not Image.objects.get(pk=refused).is_settled
    assert settle_missing(job.dataset, by=alice, keep=False, ids=[kept]).removed == 1

"""The question whether to delete, and the trash, as pages and by the API."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Storage
from jobs.models import Sample
from jobs.selection import Selection
from labels import views
from labels.trash import trash
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "manager")
    return job


def post(client, address: str, body: dict):
    return client.post(address, body, content_type="application/json")


def question(user, job, samples, **more) -> str:
    body = {"ids": [sample.pk for sample in samples]} | more
    response = post(make.client(user), f"/jobs/{job.pk}/deletion/", body)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def put_away(job, user, samples) -> None:
    ids = tuple(sample.pk for sample in samples)
    trash(make.membership(job, user), Selection(ids=ids))


# API


def test_the_api_deletes_restores_and_says_so(job, alice):
    samples = make.images(job, 3)
    client, ids = make.client(alice), [sample.pk for sample in samples[:2]]

    deleted = post(client, f"/api/jobs/{job.pk}/trash/", {"ids": ids}).json()
    restored = post(client, f"/api/jobs/{job.pk}/restore/", {"query": ""}).json()

    assert (deleted["message"], deleted["samples"]) == ("Deleted 2 images.", ids)
    assert deleted["counts"] == {"state:unlabeled": 1, "trash": 2}
    assert (restored["message"], restored["counts"]["trash"]) == ("Restored 2 images.", 0)


def test_the_api_marks_hard_examples(job, alice):
    (sample,) = make.images(job, 1)
    client, address = make.client(alice), f"/api/jobs/{job.pk}/hard/"

    marked = post(client, address, {"ids": [sample.pk], "is_hard": True}).json()
    unmarked = post(client, address, {"ids": [sample.pk], "is_hard": False}).json()

    assert (marked["message"], marked["counts"]) == (
        "Marked 1 image as hard example.",
        {"hard": 1},
    )
    assert unmarked["message"] == "1 image is no hard example any more."


@pytest.mark.parametrize("what", ["trash", "restore", "hard", "deletion", "deletion/preview"])
def test_nothing_given_never_means_all(job, alice, what):
    make.images(job, 1)

    response = post(make.client(alice), f"/api/jobs/{job.pk}/{what}/", {"is_hard": True})

    assert (response.status_code, response.json()["code"]) == (400, "selection")
    assert job.samples.count() == 1


def test_a_trash_that_is_asked_with_a_filter_says_that_it_has_none(job, alice):
    response = post(make.client(alice), f"/api/jobs/{job.pk}/restore/", {"query": "state=labeled"})

    assert (response.status_code, response.json()["code"]) == (400, "query")


# The question


def test_the_question_says_how_many_and_for_how_long_they_can_be_restored(job, alice):
    text = question(alice, job, make.images(job, 3))

    assert "Delete 3 images?" in text
    assert "can be restored for 30 days" in text


def test_a_manager_is_told_that_files_are_the_owners(job, bob):
    text = question(bob, job, make.images(job, 1))

    assert "Source files are deleted by the owner alone." in text
    assert "Type" not in text


def test_an_untested_storage_can_be_tested_by_who_may(job, alice):
    samples = make.images(job, 1)

    assert "Its owner or an administrator can do that." in question(alice, job, samples)
    alice.is_superuser = True
    alice.save()
    text = question(alice, job, samples)
    assert "was not tested yet" in text
    assert "Test it now" in text

    tested = post(make.client(alice), f"/api/jobs/{job.pk}/deletion/test/", {}).json()
    assert tested == {"is_allowed": True, "message": "", "can_test": False}
    assert "Type 1 to confirm" in question(alice, job, samples)


def test_the_question_names_who_else_uses_the_files(job, alice):
    Storage.objects.update(can_delete=True)
    make.job(owner=alice, name="Second look", dataset=job.dataset)

    text = question(alice, job, make.images(job, 2))

    assert "Job Second look" in text
    assert job.dataset.storage.root in text
    assert "This cannot be undone." in text


def test_a_selection_that_changed_is_said_in_words(job, alice):
    (sample,) = make.images(job, 1)
    body = {"ids": [sample.pk], "expected": 2}

    response = post(make.client(alice), f"/jobs/{job.pk}/deletion/", body)

    assert (response.status_code, response["Content-Type"]) == (409, "text/plain")
    assert "2 images were selected, now there are 1" in response.content.decode()


def test_what_is_no_selection_is_no_question(job, alice):
    client = make.client(alice)

    nonsense = client.post(f"/jobs/{job.pk}/deletion/", "{", content_type="application/json")

    assert nonsense.status_code == 400
    assert post(client, f"/jobs/{job.pk}/deletion/", {}).status_code == 400


# The trash


def test_the_trash_shows_what_who_and_how_long(job, alice, bob):
    first, second, _third = make.images(job, 3)
    put_away(job, bob, [first])
    put_away(job, alice, [second])
    Sample.everything.filter(pk=first.pk).update(trashed_at=timezone.now() - timedelta(days=10.5))

    response = make.client(alice).get(f"/jobs/{job.pk}/trash/")

    shown = [(row.name, row.by, row.days_left) for row in response.context["rows"]]
    assert shown == [(second.path, alice, 30), (first.path, bob, 20)]
    assert "Restore all 2" in response.content.decode()


def test_an_image_in_the_trash_still_has_its_thumbnail_and_no_page(job, alice):
    (sample,) = make.images(job, 1, files=True)
    put_away(job, alice, [sample])
    client = make.client(alice)

    (row,) = client.get(f"/jobs/{job.pk}/trash/").context["rows"]

    assert client.get(row.thumbnail).status_code == 200
    assert client.get(f"/jobs/{job.pk}/samples/{sample.pk}/").status_code == 404


def test_the_empty_trash_says_so(job, alice):
    assert "The trash is empty" in make.client(alice).get(f"/jobs/{job.pk}/trash/").content.decode()


def test_the_trash_comes_in_pages_without_a_gap_though_many_went_at_once(job, alice, monkeypatch):
    monkeypatch.setattr(views, "ROWS_PER_PAGE", 2)
    samples = make.images(job, 5)
    put_away(job, alice, samples[:2])
    put_away(job, alice, samples[2:])
    client, address, seen = make.client(alice), f"/jobs/{job.pk}/trash/", []

    after = ""
    while True:
        context = client.get(address, {"after": after} if after else {}).context
        seen += [row.pk for row in context["rows"]]
        after = context["next"]
        if not after:
            break

    assert seen == [samples[number].pk for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("after", ["x", "1-", "-1", "1-x", "9" * 18 + "-1", "１-1"])
def test_a_page_that_makes_no_sense_is_the_first(job, alice, after):
    (sample,) = make.images(job, 1)
    put_away(job, alice, [sample])

    response = make.client(alice).get(f"/jobs/{job.pk}/trash/", {"after": after})

    assert len(response.context["rows"]) == 1


def test_what_is_ticked_is_restored(job, alice):
    samples = make.images(job, 3)
    put_away(job, alice, samples)

    response = make.client(alice).post(
        f"/jobs/{job.pk}/trash/",
        {"restore": "selected", "sample": [samples[0].pk, samples[2].pk]},
        follow=True,
    )

    assert list(job.samples.order_by("pk")) == [samples[0], samples[2]]
    assert "Restored 2 images." in response.content.decode()


def test_nothing_ticked_restores_nothing(job, alice):
    put_away(job, alice, make.images(job, 2))

    response = make.client(alice).post(
        f"/jobs/{job.pk}/trash/", {"restore": "selected"}, follow=True
    )

    assert not job.samples.exists()
    assert "Nothing to change." in response.content.decode()


def test_all_of_the_trash_is_restored(job, alice):
    put_away(job, alice, make.images(job, 3))

    make.client(alice).post(f"/jobs/{job.pk}/trash/", {"restore": "all"})

    assert job.samples.count() == 3


@pytest.mark.parametrize("number", [1, 40])
def test_the_trash_takes_the_same_few_statements_whatever_is_in_it(
    job, alice, number, django_assert_num_queries
):
    put_away(job, alice, make.images(job, number))
    client = make.client(alice)

    with django_assert_num_queries(4):
        client.get(f"/jobs/{job.pk}/trash/")


def test_the_job_links_to_the_trash_for_who_may_restore(job, alice, carol):
    make.member(job, carol, "reviewer")
    put_away(job, alice, make.images(job, 1))

    owners = make.client(alice).get(f"/jobs/{job.pk}/").content.decode()
    reviewers = make.client(carol).get(f"/jobs/{job.pk}/").content.decode()

    assert re.search(r'data-count="trash">1<', owners)
    assert "/trash/" not in reviewers
    assert 'data-command="delete"' not in reviewers

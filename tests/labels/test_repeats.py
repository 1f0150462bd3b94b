"""An edit that a browser sends again, because it got no answer, is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Answer, Change, Verb
from labels.repeats import forget_answers
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "labeler")
    return job


def post(job, user, verb, body, *, key=None, **headers):
    if key:
        headers["Idempotency-Key"] = str(key)
    address = f"/api/jobs/{job.pk}/{verb}/"
    client = make.client(user)
    return client.post(address, body, content_type="application/json", headers=headers)


def cat(job):
    return job.labels.get(name="cat").pk


def test_a_repeated_edit_gets_the_first_answer_and_is_done_once(job, alice, bob):
    (sample,) = make.images(job, 1)
    key, body = uuid4(), {"ids": [sample.pk], "add": [cat(job)]}
    first = post(job, alice, "annotate", body, key=key).json()
    post(job, bob, "annotate", {"ids": [sample.pk], "clear": True})

    again = post(job, alice, "annotate", body, key=key)

    assert again.json() == first
    assert first["changed"] == 1
    assert sample.annotations.count() == 0
    assert Change.objects.count() == 2


def test_a_repeated_undo_undoes_no_more(job, alice):
    (sample,) = make.images(job, 1)
    for label in job.labels.all():
        post(job, alice, "annotate", {"ids": [sample.pk], "add": [label.pk]})
    key = uuid4()

    answers = [post(job, alice, "undo", {}, key=key).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert [one.label.name for one in sample.annotations.all()] == ["cat"]


def test_a_repeated_undo_that_found_nothing_left_to_do_undoes_no_more(job, alice, bob):
    first, second = make.images(job, 2)
    post(job, alice, "annotate", {"ids": [first.pk], "add": [cat(job)]})
    post(job, alice, "annotate", {"ids": [second.pk], "add": [cat(job)]})
    post(job, bob, "annotate", {"ids": [second.pk], "clear": True})
    key = uuid4()

    for _ in range(2):
        assert post(job, alice, "undo", {}, key=key).json()["skipped"] == 1

    assert first.annotations.count() == 1


def test_a_repeated_redo_and_mark_are_done_once(job, alice):
    (sample,) = make.images(job, 1)
    key, body = uuid4(), {"ids": [sample.pk], "is_hard": True}
    first = post(job, alice, "hard", body, key=key).json()
    post(job, alice, "undo", {})
    assert post(job, alice, "hard", body, key=key).json() == first
    key = uuid4()

    answers = [post(job, alice, "redo", {}, key=key).json() for _ in range(2)]

    assert answers[0] == answers[1]
    verbs = [change.verb for change in job.changes.order_by("pk")]
    assert verbs == [Verb.HARD, Verb.UNDO, Verb.REDO]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one_change_and_one_answer(job, alice):
    (sample,) = make.images(job, 1)
    for label in job.labels.all():
        post(job, alice, "annotate", {"ids": [sample.pk], "add": [label.pk]})
    key = uuid4()

    def undo(_):
        try:
            return post(job, alice, "undo", {}, key=key).json()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(undo, range(2)))

    assert answers[0] == answers[1]
    assert answers[0]["verb"] == Verb.UNDO
    assert sample.annotations.count() == 1


def test_a_key_is_of_one_person_in_one_job(job, alice, bob):
    (sample,) = make.images(job, 1)
    key, body = uuid4(), {"ids": [sample.pk], "add": [cat(job)]}
    post(job, alice, "annotate", body, key=key)

    answer = post(job, bob, "annotate", {"ids": [sample.pk], "clear": True}, key=key)

    assert answer.json()["changed"] == 1
    assert sample.annotations.count() == 0


def test_what_was_refused_may_be_tried_again(job, alice):
    (sample,) = make.images(job, 1)
    key = uuid4()
    assert post(job, alice, "annotate", {"ids": [sample.pk]}, key=key).status_code == 400

    body = {"ids": [sample.pk], "add": [cat(job)]}
    assert post(job, alice, "annotate", body, key=key).json()["changed"] == 1


def test_a_key_that_is_none_is_refused(job, alice):
    answer = post(job, alice, "undo", {}, key="first")

    assert (answer.status_code, answer.json()["code"]) == (400, "key")


def test_the_edit_of_one_person_is_not_taken_for_another(job, alice, bob):
    (sample,) = make.images(job, 1)
    body = {"ids": [sample.pk], "add": [cat(job)]}

    answer = post(job, bob, "annotate", body, key=uuid4(), **{"Labelhub-User": str(alice.pk)})

    assert (answer.status_code, answer.json()["code"]) == (409, "other_user")
    assert sample.annotations.count() == 0


def test_answers_are_forgotten_after_a_week(job, alice):
    (sample,) = make.images(job, 1)
    for _ in range(2):
        post(job, alice, "hard", {"ids": [sample.pk], "is_hard": True}, key=uuid4())
    old = Answer.objects.order_by("pk").first()
    Answer.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))

    forget_answers()

    assert Answer.objects.exclude(pk=old.pk).count() == 1
    assert not Answer.objects.filter(pk=old.pk).exists()

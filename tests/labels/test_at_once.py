"""Two people who write the same image at the same moment: the second sees what the first did."""

from threading import Thread

import pytest
from django.db import connection, transaction

from jobs import counters
from jobs.selection import Selection
from labels.annotate import annotate
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough to get as far as waiting for the other one.
SECONDS = 0.5


def test_the_same_label_from_two_people_at_the_same_moment_is_there_once(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    cat, results = job.labels.first(), []
    selection = Selection(ids=(sample.pk,))

    def label_too() -> None:
        try:
            results.append(annotate(make.membership(job, bob), selection, add=[cat.pk]))
        finally:
            connection.close()

    other = Thread(target=label_too)
    with transaction.atomic():
        annotate(make.membership(job, alice), selection, add=[cat.pk])
        other.start()
        other.join(SECONDS)
    other.join()

    assert [result.change for result in results] == [None]
    assert sample.annotations.get().user == alice
    assert counters.drift(job) == {}

"""`manage.py recount`: the stored counters against the rows."""

from io import StringIO

import pytest
from django.core.management import call_command

from jobs import counters
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import trash
from tests import make

pytestmark = pytest.mark.django_db


def recount(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("recount", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_right_counters_are_reported_as_right():
    make.images(make.job(), 3)

    assert recount() == (0, "The counters of 1 jobs are right.\n")


def test_a_wrong_counter_is_named_and_left_alone():
    job = make.job()
    make.images(job, 3)
    counters.add(job, {"state:unlabeled": 2})

    code, text = recount()

    assert code == 1
    assert f"Job {job.pk}, state:unlabeled: stored 5, counted 3" in text
    assert counters.read(job) == {"state:unlabeled": 5}


def test_repair_corrects_all_that_is_wrong():
    jobs = [make.job(), make.job()]
    for job in jobs:
        make.images(job, 3)
        counters.add(job, {"state:unlabeled": -1, "label:999": 4})

    code, text = recount("--repair")

    assert code == 0
    assert "4 counters were corrected" in text
    assert [counters.drift(job) for job in jobs] == [{}, {}]
    assert counters.read(jobs[0])["state:unlabeled"] == 3
    assert recount()[0] == 0


def test_all_kinds_of_counters_are_counted_and_made_anew(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "manager")
    samples = make.images(job, 6)
    cat, dog = job.labels.all()

    def of(*numbers: int) -> Selection:
        return Selection(ids=tuple(samples[number].pk for number in numbers))

    annotate(make.membership(job, alice), of(0, 1, 2), add=[cat.pk])
    annotate(make.membership(job, bob), of(2), add=[dog.pk])
    mark_hard(make.membership(job, bob), of(0, 3, 5), is_hard=True)
    trash(make.membership(job, bob), of(1, 5))
    right = counters.read(job)
    expected = {
        "state:unlabeled": 2,
        "state:labeled": 2,
        f"label:{cat.pk}": 2,
        f"label:{dog.pk}": 1,
        f"person:{alice.pk}": 1,
        f"person:{bob.pk}": 1,
        "hard": 2,
        "trash": 2,
    }
    assert right == expected

    job.counters.all().delete()
    assert recount()[0] == 1
    assert recount("--repair")[0] == 0

    assert counters.read(job) == expected
    assert make.client(alice).get(f"/api/jobs/{job.pk}/").json()["counts"] == expected

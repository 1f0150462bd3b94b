"""`manage.py recount`: the stored counters against the rows."""

from io import StringIO

import pytest
from django.core.management import call_command

from jobs import counters
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

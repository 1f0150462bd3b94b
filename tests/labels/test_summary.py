"""What is selected: numbers of images, states and labels."""

import json
import re

import pytest

from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.summary import summarize
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    """Five images: cat, cat and dog, nothing, and two untouched, one of them hard."""
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    samples = make.images(job, 5)
    cat, dog, _cow = job.labels.all()
    member = make.membership(job, alice)
    annotate(member, Selection(ids=(samples[0].pk, samples[1].pk)), add=[cat.pk])
    annotate(member, Selection(ids=(samples[1].pk,)), add=[dog.pk])
    annotate(member, Selection(ids=(samples[2].pk,)), nothing=True)
    mark_hard(member, Selection(ids=(samples[3].pk,)), is_hard=True)
    return job


def test_a_selection_says_how_many_carry_which_label(job, alice):
    cat, dog, _cow = job.labels.all()

    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/selection/", {"query": ""}, content_type="application/json"
    )

    said = answer.json()
    assert (said["count"], said["hard"], said["nothing"]) == (5, 1, 1)
    assert said["states"] == {"unlabeled": 2, "labeled": 3, "to_confirm": 0}
    assert [(one["id"], one["name"], one["count"]) for one in said["labels"]] == [
        (cat.pk, "cat", 2),
        (dog.pk, "dog", 1),
    ]


def test_only_the_selection_is_counted(job):
    samples = list(job.samples.order_by("pk"))

    some = summarize(job, Selection(ids=(samples[1].pk, samples[4].pk)))
    labeled = summarize(job, Selection(query="state=labeled", excluded=(samples[1].pk,)))

    assert (some.count, [label.name for label in some.labels]) == (2, ["cat", "dog"])
    assert (labeled.count, [label.count for label in labeled.labels]) == (2, [1])


def test_what_comes_after_the_counting_can_be_kept_out(job):
    seen = summarize(job, Selection(query=""))
    make.images(job, 2, folder="later/")

    assert seen.through == max(job.samples.order_by("pk").values_list("pk", flat=True)[:5])
    assert Selection(query="", through=seen.through).resolve(job).count() == seen.count == 5
    assert summarize(job, Selection(ids=(1,))).through is None


def test_what_was_deleted_and_what_belongs_to_another_job_is_not_counted(job, dan):
    other = make.job(owner=dan)
    foreign = make.images(other, 1)[0]

    assert summarize(job, Selection(ids=(foreign.pk,))).count == 0


def test_the_number_of_statements_is_the_same_for_all(job, django_assert_num_queries):
    make.images(job, 50)

    with django_assert_num_queries(4):
        assert summarize(job, Selection(query="")).count == 55


def test_without_a_selection_nothing_is_counted(job, alice):
    answer = make.client(alice).post(
        f"/api/jobs/{job.pk}/selection/", {}, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "selection")


def test_the_panel_of_a_selection_names_its_labels_with_their_numbers(job, alice):
    address = f"/jobs/{job.pk}/selected/"
    body = json.dumps({"query": "", "except": [job.samples.last().pk]})

    page = make.client(alice).post(address, body, content_type="application/json")
    refused = make.client(alice).post(address, "{}", content_type="application/json")
    broken = make.client(alice).post(address, "[", content_type="application/json")

    text = page.content.decode()
    assert 'data-count="4"' in text
    assert re.findall(r'<td class="numbers">(\d+)</td>', text) == ["2", "1"]
    assert "nothing applies: 1" in text
    assert (refused.status_code, "either ids or a query" in refused.content.decode()) == (400, True)
    assert broken.status_code == 400

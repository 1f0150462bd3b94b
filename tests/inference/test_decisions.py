"""Accepting and rejecting what a model said, for one image and for many."""

import pytest

from annotators.access import member_or_404
from inference import decisions, services
from inference.client import Answer, Scored
from inference.models import Prediction
from jobs import counters
from jobs.models import Sample, Verb
from jobs.selection import Selection
from labelhub.errors import Conflict
from labels.annotate import annotate
from labels.undo import redo_last, undo_last
from tests import make

pytestmark = pytest.mark.django_db

EVERYTHING = Selection(query="")


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "labeler")
    return job


def says(sample, *labels, model="M"):
    """The model's word on a sample: names with scores, best first."""
    return Prediction.objects.create(
        sample=sample, model=model, numeric_mode="fp32", labels=[list(one) for one in labels]
    )


def carried(sample) -> dict[str, float | None]:
    return dict(sample.annotations.values_list("label__name", "confidence"))


def test_every_image_gets_its_own_best_suggestion_as_one_change(job, alice):
    first, second, third = make.images(job, 3)
    says(first, ("cat", 0.9), ("dog", 0.1))
    says(second, ("dog", 0.8))
    says(third, ("dog", 0.4))

    result = decisions.accept_best(member_or_404(alice, job.pk), EVERYTHING, min_score=0.5)

    assert [carried(one) for one in (first, second, third)] == [{"cat": 0.9}, {"dog": 0.8}, {}]
    assert (result.change.verb, result.sample_ids) == (Verb.ACCEPT, [first.pk, second.pk])
    assert result.left == {"no_suggestion": 1}
    assert job.changes.count() == 1
    assert counters.drift(job) == {}


def test_images_that_wait_for_confirmation_are_confirmed(job, alice):
    (sample,) = make.images(job, 1)
    Sample.objects.update(state="to_confirm")
    counters.add(job, {"state:to_confirm": 1, "state:unlabeled": -1})
    says(sample, ("cat", 0.9))

    decisions.accept_best(member_or_404(alice, job.pk), EVERYTHING)

    sample.refresh_from_db()
    assert sample.state == "labeled"
    assert counters.drift(job) == {}


def test_labels_that_the_job_lacks_are_made_by_who_may(job, alice):
    first, second = make.images(job, 2)
    says(first, ("Egyptian cat", 0.9))
    says(second, ("Egyptian cat", 0.8))

    decisions.accept_best(member_or_404(alice, job.pk), EVERYTHING)

    assert carried(first) == {"Egyptian_cat": 0.9}
    assert job.labels.filter(name="Egyptian_cat").count() == 1


def test_else_those_images_are_left_and_the_answer_says_how_many(job, bob):
    first, second = make.images(job, 2)
    says(first, ("zebra", 0.9))
    says(second, ("cat", 0.9))

    answer = make.client(bob).post(
        f"/api/jobs/{job.pk}/accept/", {"query": ""}, content_type="application/json"
    )

    said = answer.json()
    assert (said["changed"], said["left"], said["label"]) == (1, {"no_label": 1}, None)
    assert said["message"].startswith("Accepted for 1 image. 1 was left: the job lacks its label")
    assert not job.labels.filter(name="zebra").exists()


def test_a_selection_has_to_be_there(job, alice):
    client = make.client(alice)
    for address in ("accept", "reject"):
        response = client.post(
            f"/api/jobs/{job.pk}/{address}/", {}, content_type="application/json"
        )
        assert (response.status_code, response.json()["code"]) == (400, "selection")


@pytest.mark.parametrize("number", [2, 20])
def test_accepting_takes_the_same_few_statements(job, alice, number, django_assert_max_num_queries):
    for sample in make.images(job, number):
        says(sample, ("cat", 0.9))
    member = member_or_404(alice, job.pk)

    with django_assert_max_num_queries(12):
        result = decisions.accept_best(member, EVERYTHING)

    assert len(result.sample_ids) == number


def test_a_rejected_suggestion_makes_way_for_the_next(job, alice):
    (sample,) = make.images(job, 1)
    says(sample, ("cat", 0.9), ("dog", 0.1))

    decisions.reject(member_or_404(alice, job.pk), sample.pk, "cat")

    sample.refresh_from_db()
    assert (sample.top_name, sample.top_score) == ("dog", 0.1)
    assert Prediction.objects.get().labels == [["dog", 0.1]]
    with pytest.raises(Conflict, match="no longer suggests"):
        services.accept(member_or_404(alice, job.pk), sample.pk, "cat")


def test_what_was_rejected_stays_so_when_the_same_model_is_asked_again(job, alice, monkeypatch):
    (sample,) = make.images(job, 1, files=True)
    says(sample, ("cat", 0.9), ("dog", 0.1))
    member = member_or_404(alice, job.pk)
    decisions.reject(member, sample.pk, "cat")

    def ask(model: str) -> list[str]:
        scored = Scored((("cat", 0.95), ("dog", 0.2)), "")
        monkeypatch.setattr(services.client, "classify", lambda _: Answer(model, "fp32", [scored]))
        found = services.predict(member, [sample.pk])
        return [one.name for one in found.suggestions[sample.pk]]

    assert ask("M") == ["dog"]
    assert ask("Another") == ["cat", "dog"]


def test_a_rejection_is_undone_and_done_again(job, alice):
    (sample,) = make.images(job, 1)
    says(sample, ("cat", 0.9), ("dog", 0.1))
    member = member_or_404(alice, job.pk)
    decisions.reject(member, sample.pk, "cat")

    undo_last(member)
    sample.refresh_from_db()
    assert Prediction.objects.get().labels == [["cat", 0.9], ["dog", 0.1]]
    assert (sample.top_name, sample.top_score) == ("cat", 0.9)

    redo_last(member)
    sample.refresh_from_db()
    assert Prediction.objects.get().labels == [["dog", 0.1]]
    assert sample.top_name == "dog"

    undo_last(member)
    assert Prediction.objects.get().labels == [["cat", 0.9], ["dog", 0.1]]


def test_who_rejects_the_only_suggestion_of_an_image_leaves_it_unlabeled(job, alice):
    (sample,) = make.images(job, 1)
    Sample.objects.update(state="to_confirm")
    counters.add(job, {"state:to_confirm": 1, "state:unlabeled": -1})
    says(sample, ("cat", 0.9))

    decisions.reject_best(member_or_404(alice, job.pk), EVERYTHING)

    sample.refresh_from_db()
    assert (sample.state, sample.top_score) == ("unlabeled", None)
    assert counters.drift(job) == {}


def test_a_rejection_leaves_labels_as_they_are_and_who_set_them(job, alice, bob):
    (sample,) = make.images(job, 1)
    says(sample, ("cat", 0.9))
    dog = job.labels.get(name="dog")
    annotate(member_or_404(bob, job.pk), Selection(ids=(sample.pk,)), add=[dog.pk])

    decisions.reject(member_or_404(alice, job.pk), sample.pk, "cat")

    sample.refresh_from_db()
    assert (sample.last_by, carried(sample)) == (bob, {"dog": None})


def test_many_are_accepted_and_rejected_by_a_run(job, alice, monkeypatch):
    monkeypatch.setattr("labels.bulk.MOST_AT_ONCE", 3)
    monkeypatch.setattr("labels.undo.MOST_AT_ONCE", 3)
    monkeypatch.setattr("labels.bulk.LARGEST_PART", 2)
    samples = make.images(job, 5)
    for sample in samples[:4]:
        says(sample, ("cat", 0.9), ("dog", 0.1))
    member = member_or_404(alice, job.pk)

    accepted = decisions.accept_best(member, EVERYTHING)
    rejected = decisions.reject_best(member, EVERYTHING)
    make.finish_runs()

    accepted.run.refresh_from_db()
    assert accepted.run.counts == {"edited": 4, "no_suggestion": 1}
    assert [carried(sample) for sample in samples] == [{"cat": 0.9}] * 4 + [{}]
    assert job.samples.filter(top_name="dog").count() == 4
    for step in (undo_last, undo_last):
        step(member)
        make.finish_runs()
    assert [carried(sample) for sample in samples] == [{}] * 5
    assert job.samples.filter(top_name="cat").count() == 4
    rejected.change.refresh_from_db()
    assert rejected.change.sample_count == 4
    assert counters.drift(job) == {}

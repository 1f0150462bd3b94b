"""Putting labels on samples and taking them off."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotators.access import member_or_404
from jobs import counters
from jobs.models import Change, Mode, SampleState
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate, set_labels
from labels.models import Annotation, Origin
from tests import make

pytestmark = pytest.mark.django_db


def names(sample) -> set[str]:
    return set(sample.annotations.values_list("label__name", flat=True))


def ids(samples) -> Selection:
    return Selection(ids=tuple(sample.pk for sample in samples))


def test_a_label_is_put_on_every_selected_image(alice):
    job = make.job(owner=alice, labels=("cat", "dog"))
    samples = make.images(job, 3)
    cat = job.labels.get(name="cat")

    result = annotate(member_or_404(alice, job.pk), ids(samples[:2]), add=[cat.pk])

    assert [names(sample) for sample in samples] == [{"cat"}, {"cat"}, set()]
    assert result.sample_ids == [samples[0].pk, samples[1].pk]
    assert counters.read(job)["state:labeled"] == 2
    assert counters.read(job)[f"label:{cat.pk}"] == 2
    assert counters.read(job)[f"person:{alice.pk}"] == 2


def test_two_people_who_label_the_same_image_both_keep_their_label(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    cat, dog = job.labels.all()

    annotate(member_or_404(alice, job.pk), ids([sample]), add=[cat.pk])
    annotate(member_or_404(bob, job.pk), ids([sample]), add=[dog.pk])

    assert names(sample) == {"cat", "dog"}
    assert counters.drift(job) == {}


def test_in_a_single_label_job_a_label_replaces_the_other(alice):
    job = make.job(owner=alice, labels=("cat", "dog"), mode=Mode.SINGLE)
    (sample,) = make.images(job, 1)
    cat, dog = job.labels.all()
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), add=[cat.pk])

    annotate(member, ids([sample]), add=[dog.pk])

    assert names(sample) == {"dog"}
    assert counters.drift(job) == {}


def test_a_single_label_job_refuses_two_labels_at_once(alice):
    job = make.job(owner=alice, labels=("cat", "dog"), mode=Mode.SINGLE)
    (sample,) = make.images(job, 1)
    both = list(job.labels.values_list("pk", flat=True))

    with pytest.raises(DomainError, match="one label each"):
        annotate(member_or_404(alice, job.pk), ids([sample]), add=both)

    assert names(sample) == set()


def test_an_image_without_its_last_label_is_unlabeled_again(alice):
    job = make.job(owner=alice, labels=("cat",))
    (sample,) = make.images(job, 1)
    cat = job.labels.get()
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), add=[cat.pk])

    annotate(member, ids([sample]), clear=True)

    sample.refresh_from_db()
    assert (sample.state, sample.label_count) == (SampleState.UNLABELED, 0)
    assert counters.drift(job) == {}


def test_labeling_what_is_labeled_so_already_makes_no_change(alice):
    job = make.job(owner=alice, labels=("cat",))
    (sample,) = make.images(job, 1)
    cat = job.labels.get()
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), add=[cat.pk])

    result = annotate(member, ids([sample]), add=[cat.pk])

    assert result.change is None
    assert Change.objects.count() == 1


def test_a_label_of_another_job_is_refused(alice):
    job, other = make.job(owner=alice, labels=("cat",)), make.job(owner=alice, labels=("cat",))
    (sample,) = make.images(job, 1)

    with pytest.raises(DomainError, match="not a label of this job"):
        annotate(member_or_404(alice, job.pk), ids([sample]), add=[other.labels.get().pk])

    assert names(sample) == set()


def test_samples_of_another_job_are_not_touched(alice, dan):
    job, other = make.job(owner=alice, labels=("cat",)), make.job(owner=dan, labels=("cat",))
    (foreign,) = make.images(other, 1)

    result = annotate(member_or_404(alice, job.pk), ids([foreign]), add=[job.labels.get().pk])

    assert result.sample_ids == []
    assert names(foreign) == set()


def test_a_query_takes_what_it_finds_but_the_exceptions_and_what_came_later(alice):
    job = make.job(owner=alice, labels=("cat",))
    samples = make.images(job, 4)
    cat = job.labels.get()

    annotate(
        member_or_404(alice, job.pk),
        Selection(query="state=unlabeled", excluded=(samples[1].pk,), through=samples[2].pk),
        add=[cat.pk],
    )

    assert [names(sample) for sample in samples] == [{"cat"}, set(), {"cat"}, set()]


def test_an_accepted_label_keeps_the_score_of_the_model(alice):
    job = make.job(owner=alice, labels=("cat",))
    (sample,) = make.images(job, 1)
    cat = job.labels.get()

    annotate(member_or_404(alice, job.pk), ids([sample]), add=[cat.pk], scores={cat.pk: 0.75})

    annotation = Annotation.objects.get()
    assert (annotation.origin, annotation.confidence) == (Origin.MODEL, 0.75)
    assert annotation.user == alice


def test_nothing_applies_is_labeled_with_no_label(alice):
    job = make.job(owner=alice, labels=("cat",))
    carrying, plain = make.images(job, 2)
    member = member_or_404(alice, job.pk)
    annotate(member, ids([carrying]), add=[job.labels.get().pk])

    result = annotate(member, ids([carrying, plain]), nothing=True)

    assert len(result.sample_ids) == 2
    for sample in (carrying, plain):
        sample.refresh_from_db()
        assert (names(sample), sample.state, sample.last_by) == (set(), "labeled", alice)
    assert annotate(member, ids([plain]), nothing=True).change is None
    assert counters.drift(job) == {}


def test_clearing_takes_nothing_applies_back(alice):
    job = make.job(owner=alice, labels=("cat",))
    (sample,) = make.images(job, 1)
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), nothing=True)

    annotate(member, ids([sample]), clear=True)

    sample.refresh_from_db()
    assert sample.state == SampleState.UNLABELED


@pytest.mark.parametrize("mode", list(Mode))
def test_a_label_is_replaced_on_those_that_carry_it(alice, mode):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"), mode=mode)
    samples = make.images(job, 3)
    cat, dog, cow = job.labels.all()
    member = member_or_404(alice, job.pk)
    annotate(member, ids(samples[:1]), add=[cat.pk])
    annotate(member, ids(samples[1:2]), add=[cow.pk])

    result = annotate(member, ids(samples), replace=(cat.pk, dog.pk))

    assert [names(sample) for sample in samples] == [{"dog"}, {"cow"}, set()]
    assert result.sample_ids == [samples[0].pk]
    assert counters.drift(job) == {}


def test_replacing_by_a_label_that_is_there_leaves_the_other_alone(alice):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    (sample,) = make.images(job, 1)
    cat, dog, cow = job.labels.all()
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), add=[cat.pk, dog.pk, cow.pk])

    annotate(member, ids([sample]), replace=(cat.pk, dog.pk))

    assert names(sample) == {"dog", "cow"}


@pytest.mark.parametrize(
    "what",
    [{}, {"nothing": True, "add": [1]}, {"replace": (1, 2), "add": [3]}, {"replace": (1, 1)}],
)
def test_what_does_not_go_together_is_refused(alice, what):
    job = make.job(owner=alice)
    make.images(job, 1)

    with pytest.raises(DomainError) as refused:
        annotate(member_or_404(alice, job.pk), Selection(query=""), **what)

    assert refused.value.code == "labels"


def test_a_whole_set_is_written_when_nobody_changed_the_image(alice):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    (sample,) = make.images(job, 1)
    cat, dog, cow = job.labels.all()
    member = member_or_404(alice, job.pk)
    annotate(member, ids([sample]), add=[cat.pk, dog.pk])

    result = set_labels(member, sample.pk, [dog.pk, cow.pk], version=1)

    assert names(sample) == {"dog", "cow"}
    assert result.change.params == {"set": [[dog.pk, "dog"], [cow.pk, "cow"]]}


def test_a_whole_set_from_an_old_version_is_a_conflict_that_shows_both_states(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    cat, dog = job.labels.all()
    annotate(member_or_404(bob, job.pk), ids([sample]), add=[cat.pk])

    response = make.client(alice).post(
        f"/api/jobs/{job.pk}/samples/{sample.pk}/labels/",
        {"labels": [dog.pk], "version": 0},
        content_type="application/json",
    )

    said = response.json()
    assert (response.status_code, said["code"]) == (409, "version")
    assert said["yours"] == {"labels": [dog.pk], "version": 0}
    assert said["present"] == {"labels": [cat.pk], "state": "labeled", "version": 1}
    assert names(sample) == {"cat"}


def test_the_change_knows_the_names_of_its_labels(alice):
    job = make.job(owner=alice, labels=("cat", "dog"))
    samples = make.images(job, 1)
    cat, dog = job.labels.all()

    result = annotate(member_or_404(alice, job.pk), ids(samples), add=[cat.pk], remove=[dog.pk])

    assert result.change.params == {"add": [[cat.pk, "cat"]], "remove": [[dog.pk, "dog"]]}


@pytest.mark.parametrize("number", [1, 100])
def test_labeling_takes_the_same_few_statements_for_one_image_and_for_a_hundred(alice, number):
    job = make.job(owner=alice, labels=("cat", "dog"))
    samples = make.images(job, number)
    client = make.client(alice)
    body = {"ids": [sample.pk for sample in samples], "add": [job.labels.first().pk]}

    with CaptureQueriesContext(connection) as statements:
        response = client.post(
            f"/api/jobs/{job.pk}/annotate/", body, content_type="application/json"
        )

    assert response.json()["changed"] == number
    said = [one["sql"] for one in statements if "SAVEPOINT" not in one["sql"]]
    # 1,000 rows go into one statement on PostgreSQL; SQLite takes 999 values in one.
    extra = 0 if number == 1 else 2
    assert len(said) <= 8 + extra, "\n".join(said)


@pytest.mark.parametrize("what", [{"clear": True}, {"nothing": True}])
def test_overwriting_all_that_match_needs_the_number_that_was_seen(alice, what):
    job = make.job(owner=alice, labels=("cat",))
    make.images(job, 5)
    member = make.membership(job, alice)
    annotate(member, Selection(query=""), add=[job.labels.get().pk])

    with pytest.raises(Conflict) as refused:
        annotate(member, Selection(query="", expected=4), **what)

    assert (refused.value.code, refused.value.details["count"]) == ("selection", 5)
    assert job.samples.filter(label_count=1).count() == 5
    assert len(annotate(member, Selection(query="", expected=5), **what).sample_ids) == 5


def test_adding_to_all_that_match_takes_those_that_match_now(alice):
    job = make.job(owner=alice, labels=("cat",))
    make.images(job, 5)
    member = make.membership(job, alice)

    result = annotate(member, Selection(query="", expected=4), add=[job.labels.get().pk])

    assert len(result.sample_ids) == 5

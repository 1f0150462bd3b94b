"""What a model said of a label that has another name by now: tile, viewer, filters and accepting
agree, and renaming stays one row."""

import pytest
from django.http import QueryDict
from django.urls import reverse

from inference import decisions, services
from inference.models import Prediction
from jobs import counters
from jobs.filters import filter_samples
from jobs.selection import Selection
from labels.annotate import annotate
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import add_labels, edit_label
from labels.labelset.merging import merge_labels
from labels.undo import redo_last, undo_last
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    return make.job(owner=alice, labels=("cat", "dog"))


@pytest.fixture
def member(job, alice):
    return make.membership(job, alice)


@pytest.fixture
def cat(job):
    return job.labels.get(name="cat")


@pytest.fixture
def dog(job):
    return job.labels.get(name="dog")


@pytest.fixture
def sample(job):
    (made,) = make.images(job, 1)
    said = Prediction.objects.create(
        sample=made, model="M", numeric_mode="x", labels=[["cat", 0.9], ["cow", 0.1]]
    )
    services.note_best(job, {made.pk: said})
    return made


def means(member, sample) -> str:
    """The name of the best suggestion, on which all places agree."""
    job, client = member.job, make.client(member.user)
    (tile,) = client.get(reverse("job", args=[job.pk])).context["tiles"]
    page = client.get(reverse("sample", args=[job.pk, sample.pk]))
    offer = page.context["offers"][0].suggestion
    assert (tile.suggestion.label_name, tile.suggestion.label) == (offer.label_name, offer.label)
    assert finds(job, f"predicted={offer.label_name}") == [sample]
    labels = dict(job.labels.values_list("name", "pk"))
    assert offer.label == labels.get(offer.label_name)
    for name in labels.keys() - {offer.label_name}:
        assert finds(job, f"predicted={name}") == []
    return offer.label_name


def finds(job, query: str) -> list:
    return list(filter_samples(job, QueryDict(query))[0])


def accept_and_look(member, sample) -> set[str]:
    """Accepts, asks whether that agrees, and takes it back."""
    services.accept(member, sample.pk, "cat")
    names = set(sample.annotations.values_list("label__name", flat=True))
    assert (finds(member.job, "agrees=1"), finds(member.job, "agrees=0")) == ([sample], [])
    undo_last(member)
    result = decisions.accept_best(member, Selection(ids=(sample.pk,)))
    assert result.sample_ids == [sample.pk]
    assert set(sample.annotations.values_list("label__name", flat=True)) == names
    undo_last(member)
    return names


def test_a_renamed_label_keeps_its_suggestions(member, cat, sample):
    edit_label(member, cat.pk, name="kitten")
    edit_label(member, cat.pk, name="tomcat")

    assert means(member, sample) == "tomcat"
    assert accept_and_look(member, sample) == {"tomcat"}
    assert finds(member.job, "predicted=cat") == finds(member.job, "predicted=kitten") == [sample]
    assert counters.drift(member.job) == {}


def test_another_label_does_not_agree(member, cat, dog, sample):
    edit_label(member, cat.pk, name="kitten")
    annotate(member, Selection(ids=(sample.pk,)), add=[dog.pk])

    assert finds(member.job, "agrees=1") == []
    assert finds(member.job, "agrees=0") == [sample]


def test_a_merged_label_gives_its_suggestions_to_the_other(member, cat, dog, sample):
    edit_label(member, cat.pk, name="kitten")
    merge_labels(member, [cat.pk], dog.pk)
    edit_label(member, dog.pk, name="pet")

    assert means(member, sample) == "pet"
    assert accept_and_look(member, sample) == {"pet"}


def test_what_is_undone_means_again_what_it_meant(member, cat, dog, sample):
    edit_label(member, cat.pk, name="kitten")
    assert means(member, sample) == "kitten"
    undo_last(member)
    assert means(member, sample) == "cat"
    redo_last(member)
    assert means(member, sample) == "kitten"

    merge_labels(member, [cat.pk], dog.pk)
    assert means(member, sample) == "dog"
    undo_last(member)
    assert means(member, sample) == "kitten"
    redo_last(member)
    assert means(member, sample) == "dog"
    assert accept_and_look(member, sample) == {"dog"}


def test_a_new_label_of_the_old_name_takes_the_suggestions(member, cat, sample):
    edit_label(member, cat.pk, name="kitten")
    add_labels(member, ["cat"])

    assert means(member, sample) == "cat"
    assert accept_and_look(member, sample) == {"cat"}


def test_of_two_labels_that_had_a_name_the_later_is_meant(member, cat, sample):
    edit_label(member, cat.pk, name="kitten")
    add_labels(member, ["cat"])
    edit_label(member, member.job.labels.get(name="cat").pk, name="lion")

    assert means(member, sample) == "lion"


def test_a_deleted_label_is_suggested_as_a_new_one(member, cat, sample):
    edit_label(member, cat.pk, name="kitten")
    delete_labels(member, [cat.pk], policy=Policy.LABEL)

    assert means(member, sample) == "cat"
    assert not member.job.labels.filter(name="kitten").exists()


def test_other_edits_and_names_of_other_jobs_change_nothing(member, cat, sample, alice):
    other = make.job(owner=alice, labels=("cat", "dog"))
    edit_label(make.membership(other, alice), other.labels.get(name="cat").pk, name="lion")
    edit_label(member, cat.pk, colour=5, description="small")

    assert means(member, sample) == "cat"


def test_asking_the_model_again_changes_nothing_of_that(member, cat, job, sample):
    edit_label(member, cat.pk, name="kitten")
    services.note_best(job, services.newest([sample.pk]))

    assert means(member, sample) == "kitten"
    add_labels(member, ["cat"])
    assert means(member, sample) == "cat"


@pytest.mark.usefixtures("sample")
def test_who_looks_twice_reads_the_changes_once(member, cat, django_assert_num_queries):
    edit_label(member, cat.pk, name="kitten")
    finds(member.job, "predicted=kitten")

    # The labels, and the samples.
    with django_assert_num_queries(2):
        finds(member.job, "predicted=kitten")

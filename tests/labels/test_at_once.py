"""Two people who write the same image at the same moment: the second sees what the first did, and
no label is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from inference import decisions, services
from inference.models import Prediction
from jobs import counters
from jobs.models import Mode, Sample
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate, set_labels
from labels.hard import mark_hard
from labels.labelset import removal
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import add_labels, edit_label
from labels.labelset.merging import merge_labels
from labels.models import Annotation, Label
from labels.trash import trash
from labels.undo import undo_change, undo_last
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough to get as far as waiting for the other one.
SECONDS = 0.5


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "labeler")
    return job


@contextmanager
def meanwhile(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Has somebody else act while what the block does is not committed yet; what came of it."""
    results: list[Any] = []

    def do() -> None:
        try:
            results.append(act())
        except DomainError as refused:
            results.append(refused)
        finally:
            connection.close()

    other = Thread(target=do)
    with transaction.atomic():
        yield results
        other.start()
        other.join(SECONDS)
    other.join()


def names(sample: Sample) -> set[str]:
    return set(sample.annotations.values_list("label__name", flat=True))


def test_the_same_label_from_two_people_at_the_same_moment_is_there_once(job, alice, bob):
    (sample,) = make.images(job, 1)
    cat, selection = job.labels.first(), Selection(ids=(sample.pk,))

    with meanwhile(lambda: annotate(make.membership(job, bob), selection, add=[cat.pk])) as results:
        annotate(make.membership(job, alice), selection, add=[cat.pk])

    assert [result.change for result in results] == [None]
    assert sample.annotations.get().user == alice
    assert counters.drift(job) == {}


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ({"add": "cat"}, {"add": "dog"}, {"cat", "dog", "cow"}),
        ({"add": "cat"}, {"remove": "cow"}, {"cat"}),
        ({"remove": "cow"}, {"add": "dog"}, {"dog"}),
        ({"remove": "cow"}, {"remove": "cow"}, set()),
        ({"clear": True}, {"add": "dog"}, {"dog"}),
        ({"add": "cat"}, {"clear": True}, set()),
        ({"add": "cat"}, {"nothing": True}, set()),
    ],
)
def test_both_keep_what_they_did_whoever_comes_first(job, alice, bob, first, second, left):
    (sample,) = make.images(job, 1)
    add_labels(make.membership(job, alice), ["cow"])
    labels = dict(job.labels.values_list("name", "pk"))
    selection = Selection(ids=(sample.pk,))
    annotate(make.membership(job, alice), selection, add=[labels["cow"]])

    def label(who, what: dict[str, Any]) -> None:
        how = {name: value if value is True else [labels[value]] for name, value in what.items()}
        annotate(make.membership(job, who), selection, **how)

    with meanwhile(lambda: label(bob, second)):
        label(alice, first)

    sample.refresh_from_db()
    assert (names(sample), sample.label_count) == (left, len(left))
    assert counters.drift(job) == {}


def test_of_one_label_each_the_later_stays_and_its_undo_brings_the_other_back(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"), mode=Mode.SINGLE)
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    cat, dog = job.labels.all()
    selection = Selection(ids=(sample.pk,))

    with meanwhile(lambda: annotate(make.membership(job, bob), selection, add=[dog.pk])):
        annotate(make.membership(job, alice), selection, add=[cat.pk])

    assert names(sample) == {"dog"}
    assert counters.drift(job) == {}
    undo_last(make.membership(job, bob))
    assert (names(sample), sample.annotations.get().user) == ({"cat"}, alice)
    assert counters.drift(job) == {}


def test_of_two_whole_sets_the_second_is_a_conflict_that_shows_both(job, alice, bob):
    (sample,) = make.images(job, 1)
    cat, dog = job.labels.all()

    def write(who, label: Label):
        return set_labels(make.membership(job, who), sample.pk, [label.pk], version=0)

    with meanwhile(lambda: write(bob, dog)) as results:
        write(alice, cat)

    (refused,) = results
    assert isinstance(refused, Conflict)
    assert (refused.code, refused.status) == ("version", 409)
    assert refused.details["yours"]["labels"] == [dog.pk]
    assert refused.details["present"]["labels"] == [cat.pk]
    assert names(sample) == {"cat"}
    assert counters.drift(job) == {}


def test_a_label_and_a_mark_at_the_same_moment_are_both_there(job, alice, bob):
    (sample,) = make.images(job, 1)
    selection = Selection(ids=(sample.pk,))

    with meanwhile(lambda: mark_hard(make.membership(job, bob), selection, is_hard=True)):
        annotate(make.membership(job, alice), selection, add=[job.labels.first().pk])

    sample.refresh_from_db()
    assert (names(sample), sample.is_hard) == ({"cat"}, True)
    assert counters.drift(job) == {}


def test_an_image_that_is_being_deleted_is_not_labeled(job, alice, bob):
    (sample,) = make.images(job, 1)
    selection, cat = Selection(ids=(sample.pk,)), job.labels.first()

    with meanwhile(lambda: annotate(make.membership(job, bob), selection, add=[cat.pk])) as results:
        trash(make.membership(job, alice), selection)

    assert [result.change for result in results] == [None]
    assert names(sample) == set()
    assert counters.drift(job) == {}


@pytest.mark.parametrize("is_same_image", [True, False])
@pytest.mark.parametrize("first", ["one", "many"])
@pytest.mark.parametrize("second", ["one", "many"])
def test_a_new_label_that_two_accept_at_the_same_moment_is_made_once(
    alice, bob, first, second, is_same_image
):
    job = make.job(owner=alice, labels=("cat",))
    make.member(job, bob, "manager")
    samples = make.images(job, 2)
    for sample in samples:
        said = {"model": "M", "numeric_mode": "x", "labels": [["cow", 0.9]]}
        Prediction.objects.create(sample=sample, **said)
    his = samples[0] if is_same_image else samples[1]

    def accept(who, sample: Sample, how: str):
        member = make.membership(job, who)
        if how == "one":
            return services.accept(member, sample.pk, "cow")
        return decisions.accept_best(member, Selection(ids=(sample.pk,)))

    with meanwhile(lambda: accept(bob, his, second)) as results:
        accept(alice, samples[0], first)

    assert not isinstance(results[0], DomainError)
    assert list(job.labels.values_list("name", flat=True)) == ["cat", "cow"]
    assert names(samples[0]) == names(his) == {"cow"}
    assert counters.drift(job) == {}


@pytest.mark.parametrize("does", ["rename", "merge"])
def test_what_two_people_undo_at_the_same_moment_is_undone_once(job, alice, bob, does):
    job.members.filter(user=bob).update(role="manager")
    (sample,) = make.images(job, 1)
    alices, bobs = make.membership(job, alice), make.membership(job, bob)
    cat, dog = job.labels.all()
    annotate(alices, Selection(ids=(sample.pk,)), add=[cat.pk])
    if does == "rename":
        edit_label(alices, cat.pk, name="kitten")
    else:
        merge_labels(alices, [cat.pk], dog.pk)
    change = job.changes.order_by("-pk").first()

    with meanwhile(lambda: undo_change(bobs, change)) as results:
        undo_change(alices, job.changes.get(pk=change.pk))

    (refused,) = results
    assert isinstance(refused, Conflict)
    assert refused.code == "undone"
    assert names(sample) == {"cat"}
    assert counters.drift(job) == {}


def merge(member) -> None:
    cat, dog = member.job.labels.all()
    merge_labels(member, [cat.pk], dog.pk)


def delete(member) -> None:
    delete_labels(member, [member.job.labels.first().pk], policy=Policy.LABEL)


def take_back(member) -> None:
    undo_last(member)


@pytest.mark.parametrize("leave", [merge, delete, take_back])
@pytest.mark.parametrize("is_large", [False, True])
def test_a_label_that_is_leaving_gets_onto_no_image(alice, bob, monkeypatch, leave, is_large):
    monkeypatch.setattr("labels.bulk.MOST_AT_ONCE", 0 if is_large else 5_000)
    job = make.job(owner=alice, labels=())
    make.member(job, bob, "labeler")
    make.images(job, 2)
    alices = make.membership(job, alice)
    add_labels(alices, ["cat", "dog"])
    cat = job.labels.first()

    def label() -> None:
        annotate(make.membership(job, bob), Selection(query=""), add=[cat.pk])
        make.finish_runs()

    with meanwhile(label):
        leave(alices)

    assert not Annotation.objects.exclude(label__trashed_at=None).exists()
    assert counters.drift(job) == {}


@pytest.mark.parametrize("is_large", [False, True])
def test_a_label_that_somebody_is_using_leaves_with_that_image(
    job, alice, bob, monkeypatch, is_large
):
    monkeypatch.setattr(removal, "MOST_AT_ONCE", 0 if is_large else 5_000)
    first, second = make.images(job, 2)
    cat, dog = job.labels.all()
    bobs, alices = make.membership(job, bob), make.membership(job, alice)
    annotate(alices, Selection(ids=(second.pk,)), add=[cat.pk])
    if is_large:
        merge_labels(alices, [cat.pk], dog.pk)

    def leave() -> None:
        if is_large:
            make.finish_runs()
        else:
            merge_labels(alices, [cat.pk], dog.pk)

    with meanwhile(leave):
        annotate(bobs, Selection(ids=(first.pk,)), add=[cat.pk])

    assert [names(first), names(second)] == [{"dog"}, {"dog"}]
    assert counters.drift(job) == {}


def test_an_added_label_that_somebody_is_using_is_not_taken_back(alice, bob):
    job = make.job(owner=alice, labels=())
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    alices = make.membership(job, alice)
    add_labels(alices, ["cat"])
    cat = job.labels.get()

    with meanwhile(lambda: undo_last(alices)):
        annotate(make.membership(job, bob), Selection(ids=(sample.pk,)), add=[cat.pk])

    assert list(job.labels.all()) == [cat]
    assert names(sample) == {"cat"}

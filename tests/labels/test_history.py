"""The history of a job and of one image: page, API, and undo from there."""

import pytest

from jobs import counters
from jobs.models import Change, Verb
from jobs.selection import Selection
from labels.annotate import annotate, set_labels
from labels.hard import mark_hard
from labels.history import of_sample, read_page, read_place, sentence
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import add_labels, edit_label, move_label, sort_labels
from labels.labelset.merging import merge_labels
from labels.services import create_labels
from labels.trash import restore, trash
from labels.undo import redo_last, undo_change, undo_last
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "labeler")
    return job


def ids(*samples) -> Selection:
    return Selection(ids=tuple(sample.pk for sample in samples))


def said(job) -> list[str]:
    return [sentence(change) for change in job.changes.order_by("pk")]


def test_changes_are_said_in_words_with_the_names_that_labels_had(job, alice):
    one, two = make.images(job, 2)
    cat, dog = job.labels.all()
    member = make.membership(job, alice)

    annotate(member, ids(one, two), add=[cat.pk])
    annotate(member, ids(one), add=[dog.pk], remove=[cat.pk])
    annotate(member, ids(one), remove=[dog.pk])
    annotate(member, ids(two), replace=(cat.pk, dog.pk))
    annotate(member, ids(one), nothing=True)
    annotate(member, ids(one, two), clear=True)
    two.refresh_from_db()
    set_labels(member, two.pk, [cat.pk, dog.pk], version=two.version)
    mark_hard(member, ids(one), is_hard=True)
    mark_hard(member, ids(one), is_hard=False)
    job.labels.update(position=5)
    job.labels.filter(pk=cat.pk).update(name="tiger")
    trash(member, ids(one, two))

    assert said(job) == [
        "labeled 2 images cat",
        "labeled 1 image dog, no longer cat",
        "took dog off 1 image",
        "replaced cat by dog on 1 image",
        "marked 1 image: nothing applies",
        "cleared the labels of 2 images",
        "labeled 1 image cat, dog and nothing else",
        "marked 1 image as hard example",
        "took the mark “hard example” off 1 image",
        "deleted 2 images",
    ]


def test_of_many_labels_some_are_named(job, alice):
    samples = make.images(job, 1)
    labels = create_labels(job, [f"label-{number}" for number in range(7)])

    annotate(make.membership(job, alice), ids(*samples), add=[label.pk for label in labels])

    first = ", ".join(f"label-{number}" for number in range(5))
    assert said(job) == [f"labeled 1 image {first} and 2 more"]


def test_an_undo_says_what_it_undid_and_of_whom(job, alice, bob):
    samples = make.images(job, 2)
    manager = make.membership(job, alice)
    change = annotate(make.membership(job, bob), ids(*samples), add=[job.labels.first().pk]).change
    undo_change(manager, change)
    redo_last(manager)

    assert said(job) == [
        "labeled 2 images cat",
        "undid what Bob did: labeled 2 images cat",
        "redid what Bob did: labeled 2 images cat",
    ]


def test_changes_of_labels_are_said_with_names_and_numbers(job, alice):
    one, two, three = make.images(job, 3)
    cat, dog = job.labels.all()
    member = make.membership(job, alice)
    annotate(member, ids(one, two, three), add=[cat.pk])
    before = job.changes.count()

    add_labels(member, ["cow"])
    add_labels(member, ["pig", "hen"])
    cow, pig = job.labels.get(name="cow"), job.labels.get(name="pig")
    edit_label(member, cat.pk, name="kitten", colour=7)
    edit_label(member, dog.pk, colour=9)
    edit_label(member, dog.pk, key="g")
    edit_label(member, dog.pk, key="")
    edit_label(member, dog.pk, description="barks")
    edit_label(member, dog.pk, description="", colour=3)
    move_label(member, dog.pk, to=0)
    sort_labels(member, "name")
    merge_labels(member, [cat.pk, cow.pk], dog.pk)
    delete_labels(member, [pig.pk], policy=Policy.LABEL)
    delete_labels(member, [dog.pk], policy=Policy.LABEL)
    undo_last(member)
    delete_labels(member, [dog.pk, job.labels.get(name="hen").pk], policy=Policy.IMAGES)

    assert said(job)[before:] == [
        "added the label cow",
        "added 2 labels: pig, hen",
        "renamed cat to kitten",
        "changed the colour of dog",
        "gave dog the key G",
        "took the key off dog",
        "changed the description of dog",
        "changed the label dog",
        "moved dog to place 1",
        "put the labels into another order",
        "merged kitten, cow into dog · 3 images",
        "deleted the label pig",
        "deleted the label dog · 3 images kept",
        "undid: deleted the label dog · 3 images kept",
        "deleted the labels dog, hen · 3 images, deleted where they carried nothing else",
    ]


def test_an_undo_of_labels_says_of_whom_and_what_it_left(job, alice, bob):
    samples = make.images(job, 3)
    cat, dog = job.labels.all()
    job.members.filter(user=bob).update(role="manager")
    alices, bobs = make.membership(job, alice), make.membership(job, bob)
    annotate(alices, ids(*samples), add=[cat.pk])
    merge_labels(alices, [cat.pk], dog.pk)
    annotate(bobs, ids(samples[0]), nothing=True)

    result = undo_change(bobs, job.changes.get(verb=Verb.MERGE_LABELS))
    redo_last(bobs)

    assert said(job)[1:] == [
        "merged cat into dog · 3 images",
        "marked 1 image: nothing applies",
        "undid what Alice did: merged cat into dog · 3 images",
        "redid what Alice did: merged cat into dog · 3 images",
    ]
    assert "1 image was changed since and left as it is." in result.message
    page = make.client(alice).get(f"/jobs/{job.pk}/history/").content.decode()
    assert "1 left as it is: changed by others since" in page
    entries = make.client(alice).get(f"/api/jobs/{job.pk}/samples/{samples[1].pk}/history/").json()
    assert [entry["message"] for entry in entries] == [
        "redid: merged cat into dog",
        "undid: merged cat into dog",
        "merged cat into dog",
        "labeled it cat",
    ]


def test_a_merge_of_many_images_says_the_same_and_how_far_it_is(job, alice, bob, monkeypatch):
    for name in ("removal.MOST_AT_ONCE", "removal.SAMPLES_IN_PIECE", "undoing.MOST_AT_ONCE"):
        monkeypatch.setattr(f"labels.labelset.{name}", 1)
    samples = make.images(job, 3)
    cat, dog = job.labels.all()
    member = make.membership(job, alice)
    annotate(member, ids(*samples), add=[cat.pk])

    run = merge_labels(member, [cat.pk], dog.pk).run
    client = make.client(alice)
    assert f"/runs/{run.pk}/" in client.get(f"/jobs/{job.pk}/history/").content.decode()
    make.finish_runs()
    annotate(make.membership(job, bob), ids(samples[0]), nothing=True)
    undo_last(member)
    make.finish_runs()

    page = read_page(member, read_place({}))
    assert [(one.message, one.count, one.skipped) for one in page.entries] == [
        ("undid: merged cat into dog · 3 images", 2, 1),
        ("marked 1 image: nothing applies", 1, 0),
        ("merged cat into dog · 3 images", 3, 0),
        ("labeled 3 images cat", 3, 0),
    ]
    assert [one.run for one in page.entries] == [None] * 4


def test_names_with_signs_of_formats_are_no_trouble(job, alice):
    Change.objects.create(
        job=job,
        actor=alice,
        verb=Verb.LABEL,
        sample_count=1_234,
        params={"add": [[1, "100%_%(n)s"]]},
    )

    assert said(job) == ["labeled 1,234 images 100%_%(n)s"]


@pytest.mark.parametrize("number", [1, 30])
def test_the_page_takes_the_same_few_statements(job, alice, number, django_assert_max_num_queries):
    (sample,) = make.images(job, 1)
    member = make.membership(job, alice)
    for at in range(number):
        mark_hard(member, ids(sample), is_hard=at % 2 == 0)
    undo_last(member)

    with django_assert_max_num_queries(2):
        page = read_page(member, read_place({}))
        assert [entry.who for entry in page.entries] == [alice] * (number + 1)
    with django_assert_max_num_queries(2):
        assert len(of_sample(member, sample)) == number + 1


def test_pages_follow_each_other_without_a_gap(job, alice):
    (sample,) = make.images(job, 1)
    member = make.membership(job, alice)
    for at in range(53):
        mark_hard(member, ids(sample), is_hard=at % 2 == 0)

    first = read_page(member, read_place({}))
    second = read_page(member, read_place({"before": str(first.next)}))

    shown = [entry.id for entry in [*first.entries, *second.entries]]
    assert shown == list(job.changes.order_by("-pk").values_list("pk", flat=True))
    assert second.next is None


def test_the_history_is_filtered_by_person_and_by_what_was_done(job, alice, bob):
    samples = make.images(job, 2)
    mine = mark_hard(make.membership(job, alice), ids(samples[0]), is_hard=True).change
    his = annotate(make.membership(job, bob), ids(samples[1]), add=[job.labels.first().pk]).change
    client = make.client(alice)

    def found(query: str) -> list[int]:
        return [
            one["id"] for one in client.get(f"/api/jobs/{job.pk}/changes/{query}").json()["results"]
        ]

    assert found("") == [his.pk, mine.pk]
    assert found(f"?by={bob.pk}") == [his.pk]
    assert found("?verb=hard") == [mine.pk]
    assert found("?verb=none&by=x") == [his.pk, mine.pk]
    page = client.get(f"/jobs/{job.pk}/history/?verb=hard").content.decode()
    assert "marked 1 image as hard example" in page
    assert "labeled 1 image cat" not in page


def test_who_may_not_see_the_members_is_offered_no_list_of_them(job, alice, bob):
    page = make.client(bob).get(f"/jobs/{job.pk}/history/").content.decode()

    assert f'<option value="{bob.pk}"' in page
    assert f'<option value="{alice.pk}"' not in page


def test_a_labeler_undoes_own_changes_from_the_page_and_no_others(job, alice, bob):
    one, two = make.images(job, 2)
    cat = job.labels.first()
    own = annotate(make.membership(job, bob), ids(one), add=[cat.pk]).change
    other = annotate(make.membership(job, alice), ids(two), add=[cat.pk]).change
    client = make.client(bob)
    page = client.get(f"/jobs/{job.pk}/history/").content.decode()
    assert f"/history/{own.pk}/undo/" in page
    assert f"/history/{other.pk}/undo/" not in page

    done = client.post(f"/jobs/{job.pk}/history/{own.pk}/undo/?verb=label", follow=True)
    refused = client.post(f"/jobs/{job.pk}/history/{other.pk}/undo/")

    assert done.redirect_chain == [(f"/jobs/{job.pk}/history/?verb=label", 302)]
    assert "Undid 1 image." in done.content.decode()
    assert refused.status_code == 403
    assert list(job.samples.filter(state="labeled")) == [two]
    assert counters.drift(job) == {}


def test_an_undo_is_redone_from_the_history_once(job, alice):
    (sample,) = make.images(job, 1)
    annotate(make.membership(job, alice), ids(sample), add=[job.labels.first().pk])
    client = make.client(alice)
    undo = client.post(f"/api/jobs/{job.pk}/undo/").json()["change"]

    def again() -> int:
        return client.post(f"/api/jobs/{job.pk}/changes/{undo}/undo/").status_code

    assert [again(), again()] == [200, 409]
    assert sample.annotations.count() == 1


def test_what_an_undo_left_is_in_its_answer_and_in_the_history(job, alice, bob):
    samples = make.images(job, 3)
    cat, dog = job.labels.all()
    change = annotate(make.membership(job, alice), ids(*samples), add=[cat.pk]).change
    annotate(make.membership(job, bob), ids(samples[0]), add=[dog.pk])
    client = make.client(alice)

    answer = client.post(f"/api/jobs/{job.pk}/changes/{change.pk}/undo/").json()

    assert (answer["changed"], answer["skipped"]) == (2, 1)
    assert answer["message"] == "Undid 2 images. 1 was changed by others since and left as it is."
    page = client.get(f"/jobs/{job.pk}/history/").content.decode()
    assert "1 left as it is: changed by others since" in page
    assert "Undone by Alice" in page


def test_the_history_of_an_image_says_what_became_of_it(job, alice, bob):
    one, two = make.images(job, 2)
    cat, dog = job.labels.all()
    member = make.membership(job, alice)
    annotate(make.membership(job, bob), ids(one, two), add=[cat.pk])
    annotate(member, ids(one), add=[dog.pk], remove=[cat.pk])
    undo_last(member)
    mark_hard(member, ids(one), is_hard=True)
    undo_last(member)
    annotate(member, ids(one), nothing=True)
    undo_last(member)
    redo_last(member)
    annotate(member, ids(one), clear=True)
    trash(member, ids(one))
    restore(member, ids(one))

    entries = make.client(alice).get(f"/api/jobs/{job.pk}/samples/{one.pk}/history/").json()

    assert [(entry["who"]["name"], entry["message"]) for entry in entries] == [
        ("Alice", "restored it"),
        ("Alice", "deleted it"),
        ("Alice", "marked it as unlabeled"),
        ("Alice", "redid: marked it: nothing applies"),
        ("Alice", "undid: marked it: nothing applies"),
        ("Alice", "marked it: nothing applies"),
        ("Alice", "undid: marked it as hard example"),
        ("Alice", "marked it as hard example"),
        ("Alice", "undid: labeled it dog instead of cat"),
        ("Alice", "labeled it dog instead of cat"),
        ("Bob", "labeled it cat"),
    ]
    assert entries[-2]["undone_by"]["name"] == "Alice"
    fragment = make.client(alice).get(
        f"/jobs/{job.pk}/samples/{one.pk}/history/", headers={"HX-Request": "true"}
    )
    assert "labeled it dog instead of cat" in fragment.content.decode()
    assert "<html" not in fragment.content.decode()


def test_a_change_that_a_run_is_still_at_work_on_says_how_far_it_is(job, alice, monkeypatch):
    monkeypatch.setattr("labels.bulk.MOST_AT_ONCE", 1)
    make.images(job, 3)
    result = mark_hard(make.membership(job, alice), Selection(query=""), is_hard=True)
    client = make.client(alice)

    assert f"/runs/{result.run.pk}/" in client.get(f"/jobs/{job.pk}/history/").content.decode()
    make.finish_runs()
    assert f"/runs/{result.run.pk}/" not in client.get(f"/jobs/{job.pk}/history/").content.decode()

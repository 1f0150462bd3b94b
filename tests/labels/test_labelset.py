"""The label set: edits of the list, merging, deleting, and all of that taken back."""

import pytest
from django.core.exceptions import PermissionDenied

from annotators.roles import Role
from jobs import counters
from jobs.models import Mode, Sample, Verb
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate
from labels.labelset import deletion, removal
from labels.labelset.deletion import Policy, delete_labels, policies, preview_deletion
from labels.labelset.edits import add_labels, edit_label, move_label, order_labels, sort_labels
from labels.labelset.merging import merge_labels, preview_merge
from labels.labelset.undoing import describe, undo_change
from labels.models import Annotation, Label
from labels.trash import restore, trash
from labels.undo import redo_last, undo_last
from runs import engine
from runs.models import RunState
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    make.member(job, bob, Role.LABELER)
    return job


@pytest.fixture
def member(job, alice):
    return make.membership(job, alice)


@pytest.fixture
def cat(job):
    return job.labels.get(name="cat")


@pytest.fixture
def dog(job):
    return job.labels.get(name="dog")


def ids(*samples) -> Selection:
    return Selection(ids=tuple(sample.pk for sample in samples))


def names(job) -> list[str]:
    return list(job.labels.values_list("name", flat=True))


def carried(job) -> list[list[str]]:
    """The labels of every image, those in the trash too."""
    found = Sample.everything.filter(job=job).order_by("pk")
    return [sorted(one.annotations.values_list("label__name", flat=True)) for one in found]


@pytest.fixture
def labeled(job, member, cat, dog):
    """Four images: cat, cat and dog, dog, none."""
    samples = make.images(job, 4)
    annotate(member, ids(*samples[:2]), add=[cat.pk])
    annotate(member, ids(*samples[1:3]), add=[dog.pk])
    return samples


# Edits -------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("labeled")
def test_renaming_writes_one_row_and_shows_on_every_image(
    job, member, cat, django_assert_num_queries
):
    # Two savepoints, begun and ended; then the label, its update, and the change.
    with django_assert_num_queries(7):
        label, result = edit_label(member, cat.pk, name="kitten")

    assert (label.name, result.message) == ("kitten", "Renamed “cat” to “kitten”.")
    assert carried(job) == [["kitten"], ["dog", "kitten"], ["dog"], []]
    assert counters.drift(job) == {}


def test_renaming_to_a_name_that_exists_offers_the_merge(job, member, cat, dog):
    with pytest.raises(Conflict) as refused:
        edit_label(member, cat.pk, name=" dog ")

    assert (refused.value.code, refused.value.details) == ("label_exists", {"label": dog.pk})
    assert names(job) == ["cat", "dog", "cow"]


def test_a_name_of_a_deleted_label_is_free(job, member, cat, dog):
    delete_labels(member, [dog.pk], policy=Policy.LABEL)

    edit_label(member, cat.pk, name="dog")

    assert names(job) == ["dog", "cow"]


@pytest.mark.parametrize(
    ("key", "code", "says"),
    [
        ("h", "key_reserved", "H marks hard examples"),
        ("U", "key_reserved", "U clears all labels"),
        ("?", "key", "one letter"),
        ("猫", "key", "one letter"),
    ],
)
def test_keys_that_mean_something_else_are_refused_with_the_reason(member, cat, key, code, says):
    with pytest.raises(DomainError) as refused:
        edit_label(member, cat.pk, key=key)

    assert refused.value.code == code
    assert says in refused.value.message


def test_a_key_belongs_to_one_label_and_the_refusal_names_it(member, cat, dog):
    edit_label(member, cat.pk, key="C")

    with pytest.raises(Conflict) as refused:
        edit_label(member, dog.pk, key="c")

    assert refused.value.message == "“cat” has the key C already."
    assert Label.objects.get(pk=cat.pk).key == "c"


def test_colours_are_those_of_the_palette(member, cat):
    edit_label(member, cat.pk, colour=24)

    with pytest.raises(DomainError):
        edit_label(member, cat.pk, colour=25)

    assert Label.objects.get(pk=cat.pk).colour == 24


@pytest.mark.usefixtures("job")
def test_edits_are_undone_and_done_again(member, cat):
    edit_label(member, cat.pk, name="kitten", colour=9, key="c", description="Young ones too")

    undone = undo_last(member)
    cat.refresh_from_db()
    assert (cat.name, cat.colour, cat.key, cat.description) == ("cat", 1, "", "")
    assert undone.message == "“cat” is again what it was."

    redo_last(member)
    cat.refresh_from_db()
    assert (cat.name, cat.colour, cat.key) == ("kitten", 9, "c")


def test_an_edit_that_somebody_edited_since_stays(job, member, cat, bob):
    edit_label(member, cat.pk, name="kitten")
    job.members.filter(user=bob).update(role=Role.MANAGER)
    edit_label(make.membership(job, bob), cat.pk, name="kitty")

    undone = undo_last(member)

    assert names(job)[0] == "kitty"
    assert "changed since" in undone.message
    with pytest.raises(Conflict):
        undo_last(member)


def test_added_labels_are_taken_back_unless_they_are_in_use(job, member, labeled):
    add_labels(member, ["fox", "elk"])
    annotate(member, ids(labeled[3]), add=[job.labels.get(name="elk").pk])

    undone = undo_change(member, job.changes.get(verb=Verb.EDIT_LABELS).pk)

    assert names(job) == ["cat", "dog", "cow", "elk"]
    assert undone.message == "Removed “fox”. 1 label is in use and stays."


@pytest.mark.parametrize(("start", "to", "expected"), [(0, 2, "BCA"), (2, 0, "CAB"), (1, 9, "ACB")])
def test_a_label_moves_to_a_place(alice, start, to, expected):
    job = make.job(owner=alice, labels=("A", "B", "C"))
    member = make.membership(job, alice)

    move_label(member, job.labels.all()[start].pk, to=to)

    assert "".join(names(job)) == expected
    undo_last(member)
    assert "".join(names(job)) == "ABC"
    redo_last(member)
    assert "".join(names(job)) == expected


def test_labels_are_sorted_by_name_and_by_count(job, member, dog, labeled):
    annotate(member, ids(labeled[3]), add=[dog.pk])

    sort_labels(member, "count")
    assert names(job) == ["dog", "cat", "cow"]
    sort_labels(member, "name")
    assert names(job) == ["cat", "cow", "dog"]

    undo_last(member)
    undo_last(member)
    assert names(job) == ["cat", "dog", "cow"]


@pytest.mark.usefixtures("job")
def test_an_order_of_other_labels_than_there_are_is_refused(member, cat, dog):
    with pytest.raises(Conflict):
        order_labels(member, [dog.pk, cat.pk])


def test_who_labels_changes_no_labels(job, bob, cat, dog):
    labeler = make.membership(job, bob)

    for forbidden in (
        lambda: edit_label(labeler, cat.pk, name="x"),
        lambda: move_label(labeler, cat.pk, to=1),
        lambda: merge_labels(labeler, [cat.pk], dog.pk),
        lambda: delete_labels(labeler, [cat.pk], policy=Policy.LABEL),
        lambda: add_labels(labeler, ["x"]),
        lambda: preview_merge(labeler, [cat.pk], dog.pk),
    ):
        with pytest.raises(PermissionDenied):
            forbidden()


def test_labels_of_another_job_are_not_there(member, cat, dan):
    foreign = make.job(owner=dan, labels=("cat",)).labels.get()

    for refused in (
        lambda: edit_label(member, foreign.pk, name="x"),
        lambda: merge_labels(member, [foreign.pk], cat.pk),
        lambda: merge_labels(member, [cat.pk], foreign.pk),
        lambda: delete_labels(member, [foreign.pk], policy=Policy.LABEL),
    ):
        with pytest.raises(Conflict):
            refused()


# Merging -----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("labeled")
def test_the_preview_of_a_merge_counts_what_it_will_do(member, cat, dog):
    found = preview_merge(member, [cat.pk], dog.pk)

    assert (found.only_source, found.both, found.before, found.after) == (1, 1, 2, 3)


def test_a_merge_keeps_one_of_two_and_who_labeled(job, member, cat, dog, labeled, bob):
    annotate(make.membership(job, bob), ids(labeled[3]), add=[cat.pk])

    result = merge_labels(member, [cat.pk], dog.pk)

    assert carried(job) == [["dog"], ["dog"], ["dog"], ["dog"]]
    assert names(job) == ["dog", "cow"]
    assert Annotation.objects.get(sample=labeled[3]).user == bob
    assert job.samples.get(pk=labeled[3].pk).last_by == bob
    assert describe(result.change) == "Merged “cat” into “dog”."
    assert counters.read(job)[f"label:{cat.pk}"] == 0
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("labeled")
def test_several_labels_merge_into_one(job, member, cat, dog):
    cow = job.labels.get(name="cow")

    merge_labels(member, [cat.pk, dog.pk], cow.pk)

    assert carried(job) == [["cow"], ["cow"], ["cow"], []]
    assert names(job) == ["cow"]
    assert counters.drift(job) == {}


def test_a_merge_in_a_job_with_one_label_each(alice):
    job = make.job(owner=alice, mode=Mode.SINGLE)
    member, (cat, dog) = make.membership(job, alice), job.labels.all()
    samples = make.images(job, 2)
    annotate(member, ids(samples[0]), add=[cat.pk])
    annotate(member, ids(samples[1]), add=[dog.pk])

    merge_labels(member, [cat.pk], dog.pk)

    assert carried(job) == [["dog"], ["dog"]]
    assert counters.drift(job) == {}


def test_a_merge_takes_images_in_the_trash_along(job, member, cat, dog, labeled):
    trash(member, ids(labeled[0]))

    merge_labels(member, [cat.pk], dog.pk)
    restore(member, ids(labeled[0]))

    assert carried(job)[0] == ["dog"]
    assert counters.drift(job) == {}


def test_an_undone_merge_brings_the_label_back_where_nobody_changed_the_image(
    job, member, cat, dog, labeled, bob
):
    merge_labels(member, [cat.pk], dog.pk)
    annotate(make.membership(job, bob), ids(labeled[0]), clear=True)

    undone = undo_last(member)

    assert names(job) == ["cat", "dog", "cow"]
    assert carried(job) == [[], ["cat", "dog"], ["dog"], []]
    assert undone.message == ("“cat” is there again. 1 image was changed since and left as it is.")
    assert counters.drift(job) == {}


def test_a_redone_merge_takes_what_got_the_label_meanwhile(job, member, cat, dog, labeled, bob):
    merge_labels(member, [cat.pk], dog.pk)
    undo_last(member)
    annotate(make.membership(job, bob), ids(labeled[3]), add=[cat.pk])

    redo_last(member)
    assert (names(job), carried(job)[3]) == (["dog", "cow"], ["dog"])

    undo_last(member)
    assert carried(job) == [["cat"], ["cat", "dog"], ["dog"], ["cat"]]
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("job")
def test_a_label_comes_back_without_a_key_that_another_has_now(member, cat, dog):
    edit_label(member, cat.pk, key="c")
    change = merge_labels(member, [cat.pk], dog.pk).change
    edit_label(member, dog.pk, key="c")

    undo_change(member, change.pk)

    assert Label.objects.get(pk=cat.pk).key == ""


@pytest.mark.usefixtures("labeled")
def test_a_label_does_not_come_back_beside_another_of_its_name(job, member, cat, dog):
    change = merge_labels(member, [cat.pk], dog.pk).change
    add_labels(member, ["cat"])

    with pytest.raises(Conflict) as refused:
        undo_change(member, change.pk)

    assert refused.value.code == "label_exists"
    assert carried(job)[0] == ["dog"]


def test_a_change_is_undone_once(member, cat, dog):
    change = merge_labels(member, [cat.pk], dog.pk).change
    undo_change(member, change.pk)

    with pytest.raises(Conflict):
        undo_change(member, change.pk)


def test_a_label_does_not_merge_into_itself(member, cat):
    with pytest.raises(DomainError):
        merge_labels(member, [cat.pk], cat.pk)


# Deleting ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("labeled")
def test_the_preview_of_a_deletion_tells_images_with_nothing_else(member, cat):
    found = preview_deletion(member, [cat.pk])

    assert (found.images, found.only, found.others) == (2, 1, 1)


@pytest.mark.usefixtures("labeled")
def test_a_label_is_deleted_alone(job, member, cat):
    delete_labels(member, [cat.pk], policy=Policy.LABEL)

    states = list(job.samples.order_by("pk").values_list("state", flat=True))
    assert (names(job), carried(job)) == (["dog", "cow"], [[], ["dog"], ["dog"], []])
    assert states == ["unlabeled", "labeled", "labeled", "unlabeled"]
    assert counters.drift(job) == {}


def test_a_label_is_deleted_with_the_images_that_carry_nothing_else(job, member, cat, labeled):
    delete_labels(member, [cat.pk], policy=Policy.IMAGES)

    assert list(job.samples.order_by("pk")) == labeled[1:]
    assert counters.read(job)["trash"] == 1
    assert counters.drift(job) == {}

    undo_last(member)
    assert (job.samples.count(), carried(job)[0]) == (4, ["cat"])
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("labeled")
def test_several_labels_are_deleted_at_once_and_come_back_at_once(job, member, cat, dog):
    result = delete_labels(member, [cat.pk, dog.pk], policy=Policy.LABEL)

    assert (names(job), carried(job)) == (["cow"], [[], [], [], []])
    assert describe(result.change) == "Deleted “cat”, “dog”."
    undo_last(member)
    assert carried(job) == [["cat"], ["cat", "dog"], ["dog"], []]
    redo_last(member)
    assert (names(job), counters.drift(job)) == (["cow"], {})


def test_files_are_deleted_only_by_what_is_plugged_in(job, member, cat, labeled, monkeypatch):
    assert policies(member) == [Policy.LABEL, Policy.IMAGES]
    with pytest.raises(DomainError):
        delete_labels(member, [cat.pk], policy=Policy.FILES)

    asked = []
    monkeypatch.setattr(deletion, "ERASE", lambda member, ids: asked.append(ids))
    assert policies(member) == [Policy.LABEL, Policy.IMAGES, Policy.FILES]
    delete_labels(member, [cat.pk], policy=Policy.FILES)

    assert asked == [(labeled[0].pk,)]
    assert carried(job) == [[], ["dog"], ["dog"], []]


def test_files_are_deleted_by_the_owner_alone(job, bob, cat, monkeypatch):
    monkeypatch.setattr(deletion, "ERASE", lambda member, ids: None)
    job.members.filter(user=bob).update(role=Role.MANAGER)
    manager = make.membership(job, bob)

    assert Policy.FILES not in policies(manager)
    with pytest.raises(PermissionDenied):
        delete_labels(manager, [cat.pk], policy=Policy.FILES)


# Many images -------------------------------------------------------------------------------------
@pytest.fixture
def pieces(monkeypatch):
    """What is many is few here: 2 images in the request, 1 in a piece."""
    monkeypatch.setattr(removal, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(removal, "SAMPLES_IN_PIECE", 1)
    monkeypatch.setattr("labels.labelset.undoing.MOST_AT_ONCE", 1)


@pytest.mark.usefixtures("labeled", "pieces")
def test_a_merge_of_many_images_is_a_run_and_one_change(job, member, cat, dog):
    result = merge_labels(member, [cat.pk], dog.pk)
    assert result.run is not None
    assert names(job) == ["cat", "dog", "cow"]

    make.finish_runs()

    result.run.refresh_from_db()
    result.change.refresh_from_db()
    assert (result.run.state, result.run.counts) == (RunState.DONE, {"images": 2})
    assert (names(job), carried(job)[:2]) == (["dog", "cow"], [["dog"], ["dog"]])
    assert (result.change.sample_count, job.changes.filter(verb=Verb.MERGE_LABELS).count()) == (
        2,
        1,
    )
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("pieces")
def test_an_undo_of_many_images_is_a_run_too(job, member, cat, dog, labeled, bob):
    merge_labels(member, [cat.pk], dog.pk)
    make.finish_runs()
    annotate(make.membership(job, bob), ids(labeled[0]), clear=True)

    undone = undo_last(member)
    assert undone.run is not None
    make.finish_runs()

    undone.run.refresh_from_db()
    assert undone.run.counts == {"images": 1, "left": 1}
    assert carried(job) == [[], ["cat", "dog"], ["dog"], []]
    redo_last(member)
    make.finish_runs()
    assert (names(job), counters.drift(job)) == (["dog", "cow"], {})


@pytest.mark.usefixtures("pieces")
def test_what_gets_the_label_while_the_run_works_follows(job, member, cat, dog, labeled):
    merge_labels(member, [cat.pk], dog.pk)
    engine.work_once("tests")
    annotate(member, ids(labeled[3]), add=[cat.pk])

    make.finish_runs()

    assert carried(job)[3] == ["dog"]
    assert not Annotation.objects.filter(label=cat).exists()
    assert counters.drift(job) == {}


@pytest.mark.usefixtures("job", "labeled", "pieces")
def test_while_labels_are_merged_no_others_are(member, cat, dog):
    merge_labels(member, [cat.pk], dog.pk)

    for refused in (
        lambda: delete_labels(member, [dog.pk], policy=Policy.LABEL),
        lambda: undo_last(member),
    ):
        with pytest.raises(Conflict) as conflict:
            refused()
        assert conflict.value.code == "busy"


@pytest.mark.usefixtures("labeled", "pieces")
def test_a_cancelled_run_leaves_the_label_and_is_undone(job, member, cat, dog):
    run = merge_labels(member, [cat.pk], dog.pk).run
    engine.work_once("tests")
    engine.work_once("tests")
    engine.cancel(run)
    assert carried(job)[:2] == [["dog"], ["cat", "dog"]]

    undo_last(member)
    make.finish_runs()
    assert carried(job) == [["cat"], ["cat", "dog"], ["dog"], []]

    engine.retry(run)
    make.finish_runs()
    assert (names(job)[0], carried(job)[0]) == ("cat", ["cat"])
    assert counters.drift(job) == {}

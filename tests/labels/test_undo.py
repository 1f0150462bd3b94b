"""Taking changes back and putting them back again."""

import pytest

from annotators.access import member_or_404
from jobs import counters
from jobs.models import Mode, SampleState
from jobs.selection import Selection
from labelhub.errors import Conflict
from labels import hard, trash
from labels.annotate import MOST_OUTCOMES, annotate
from labels.undo import redo_last, undo_last
from tests import make

pytestmark = pytest.mark.django_db


def names(sample) -> set[str]:
    return set(sample.annotations.values_list("label__name", flat=True))


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    make.member(job, bob, "labeler")
    return job


def label(job, user, samples, name, **how):
    selection = Selection(ids=tuple(sample.pk for sample in samples))
    pk = job.labels.get(name=name).pk
    return annotate(member_or_404(user, job.pk), selection, **(how or {"add": [pk]}))


def test_undo_takes_the_last_own_change_back(job, alice):
    samples = make.images(job, 2)
    label(job, alice, samples, "cat")

    result = undo_last(member_or_404(alice, job.pk))

    assert [names(sample) for sample in samples] == [set(), set()]
    samples[0].refresh_from_db()
    assert samples[0].state == SampleState.UNLABELED
    assert samples[0].last_by is None
    assert len(result.sample_ids) == 2
    assert counters.drift(job) == {}


@pytest.mark.parametrize("number", [MOST_OUTCOMES, MOST_OUTCOMES + 3])
def test_undo_gives_every_image_its_own_person_and_time_back(number, job, alice, bob):
    samples = make.images(job, number)
    for at, sample in enumerate(samples):
        label(job, bob if at % 2 else alice, [sample], "cat")
    before = kept_of(job)
    label(job, alice, samples, "cat", clear=True)

    undo_last(member_or_404(alice, job.pk))

    assert len({last_at for *_rest, last_at, _change in before}) == number
    assert kept_of(job) == before
    assert counters.drift(job) == {}


def test_images_of_many_times_keep_them_in_the_trash(job, alice):
    samples = make.images(job, MOST_OUTCOMES + 3)
    for sample in samples:
        label(job, alice, [sample], "cat")
    before = kept_of(job)
    chosen = Selection(ids=tuple(sample.pk for sample in samples))
    member = member_or_404(alice, job.pk)

    trash.trash(member, chosen)
    gone = job.samples.count(), counters.read(job)["trash"]
    trash.restore(member, chosen)
    hard.mark_hard(member, chosen, is_hard=True)

    assert gone == (0, len(samples))
    assert [one[:4] for one in kept_of(job)] == [one[:4] for one in before]
    assert set(job.samples.values_list("is_hard", "trashed_at")) == {(True, None)}
    assert counters.drift(job) == {}


def kept_of(job) -> list[tuple]:
    columns = ("pk", "state", "label_count", "last_by", "last_at", "last_change")
    return list(job.samples.order_by("pk").values_list(*columns))


def test_undo_leaves_images_that_others_have_touched(job, alice, bob):
    samples = make.images(job, 3)
    label(job, alice, samples, "cat")
    label(job, bob, samples[:1], "dog")

    result = undo_last(member_or_404(alice, job.pk))

    assert [names(sample) for sample in samples] == [{"cat", "dog"}, set(), set()]
    assert (len(result.sample_ids), result.skipped) == (2, 1)
    assert counters.drift(job) == {}


def test_undo_never_touches_the_change_of_another_person(job, alice, bob):
    samples = make.images(job, 1)
    label(job, alice, samples, "cat")

    with pytest.raises(Conflict, match="Nothing to undo"):
        undo_last(member_or_404(bob, job.pk))

    assert names(samples[0]) == {"cat"}


def test_undo_goes_back_step_by_step_and_redo_forth(job, alice):
    (sample,) = make.images(job, 1)
    member = member_or_404(alice, job.pk)
    for name in ("cat", "dog", "cow"):
        label(job, alice, [sample], name)
    seen = []

    for step in (undo_last, undo_last, redo_last, undo_last, undo_last, redo_last, redo_last):
        step(member)
        seen.append(sorted(names(sample)))

    assert seen == [
        ["cat", "dog"],
        ["cat"],
        ["cat", "dog"],
        ["cat"],
        [],
        ["cat"],
        ["cat", "dog"],
    ]
    assert counters.drift(job) == {}


def test_a_replaced_label_comes_back_with_who_set_it_and_when(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"), mode=Mode.SINGLE)
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    label(job, alice, [sample], "cat")
    was = sample.annotations.get()
    label(job, bob, [sample], "dog")

    undo_last(member_or_404(bob, job.pk))

    now = sample.annotations.get()
    assert (now.label.name, now.user, now.created_at) == ("cat", alice, was.created_at)
    sample.refresh_from_db()
    assert sample.last_by == alice
    assert counters.drift(job) == {}


def test_after_a_new_change_there_is_nothing_to_redo(job, alice):
    (sample,) = make.images(job, 1)
    member = member_or_404(alice, job.pk)
    label(job, alice, [sample], "cat")
    undo_last(member)
    label(job, alice, [sample], "dog")

    with pytest.raises(Conflict, match="Nothing to redo"):
        redo_last(member)

    assert names(sample) == {"dog"}


def test_undo_goes_on_to_the_change_before_when_others_touched_all_of_the_last(job, alice, bob):
    first, second = make.images(job, 2)
    label(job, alice, [first], "cat")
    label(job, alice, [second], "cat")
    label(job, bob, [second], "dog")
    member = member_or_404(alice, job.pk)

    nothing_left, went_on = undo_last(member), undo_last(member)

    assert (nothing_left.sample_ids, nothing_left.skipped) == ([], 1)
    assert went_on.sample_ids == [first.pk]
    assert (names(first), names(second)) == (set(), {"cat", "dog"})


def test_a_label_deleted_since_does_not_come_back(job, alice):
    (sample,) = make.images(job, 1)
    member = member_or_404(alice, job.pk)
    label(job, alice, [sample], "cat")
    label(job, alice, [sample], "cat", clear=True)
    job.labels.get(name="cat").delete()

    undo_last(member)

    sample.refresh_from_db()
    assert (names(sample), sample.label_count) == (set(), 0)

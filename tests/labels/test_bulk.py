"""Edits of more samples than one request may hold: a run, and still one change."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from jobs import counters
from jobs.models import Mode, Sample, Verb
from jobs.selection import Selection, parse
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import restore, trash
from labels.undo import redo_last, undo_change, undo_last
from runs import engine
from runs.models import RunKind, RunState
from tests import make

pytestmark = pytest.mark.django_db

EVERYTHING = Selection(query="")


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch):
    """More than three samples are a run, of two (and one item to undo) at a time."""
    monkeypatch.setattr("labels.bulk.MOST_AT_ONCE", 3)
    monkeypatch.setattr("labels.undo.MOST_AT_ONCE", 3)
    monkeypatch.setattr("labels.bulk.LARGEST_PART", 2)
    monkeypatch.setattr("labels.bulk.PAUSE_SECONDS", 0)
    monkeypatch.setattr("labels.undo.ALIKE", 1)


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    make.member(job, bob, "labeler")
    return job


def names(job) -> list[set[str]]:
    rows = Sample.everything.filter(job=job).order_by("pk")
    return [set(sample.annotations.values_list("label__name", flat=True)) for sample in rows]


def test_a_large_labeling_is_one_change_that_a_run_carries_out(job, alice):
    make.images(job, 5)
    member, cat = make.membership(job, alice), job.labels.first()

    result = annotate(member, EVERYTHING, add=[cat.pk])

    assert (result.planned, result.run.kind, result.run.dataset) == (5, RunKind.EDIT, None)
    assert result.change.sample_count == 0
    make.finish_runs()
    run = job.runs.get()
    assert (run.state, run.done, run.counts) == (RunState.DONE, 5, {"edited": 5})
    change = job.changes.get()
    assert (change, change.verb, change.sample_count) == (result.change, Verb.LABEL, 5)
    assert change.params["add"] == [[cat.pk, "cat"]]
    assert names(job) == [{"cat"}] * 5
    assert counters.drift(job) == {}


def test_the_api_answers_202_with_the_run_and_the_change(job, alice):
    make.images(job, 5)
    body = {"query": "", "add": [job.labels.first().pk]}

    response = make.client(alice).post(
        f"/api/jobs/{job.pk}/annotate/", body, content_type="application/json"
    )

    said = response.json()
    assert (response.status_code, said["changed"]) == (202, 0)
    assert said["run"]["id"] == job.runs.get().pk
    assert said["change"] == job.changes.get().pk
    assert said["message"] == "Working on 5 images."


def test_more_ids_than_a_request_may_name_are_refused():
    with pytest.raises(DomainError) as refused:
        parse({"ids": list(range(5_001))})

    assert refused.value.code == "too_many"


def test_exceptions_and_images_that_came_later_stay_alone(job, alice):
    samples = make.images(job, 6)
    member, cat = make.membership(job, alice), job.labels.first()

    annotate(member, Selection(query="", excluded=(samples[1].pk,)), add=[cat.pk])
    make.images(job, 1)
    make.finish_runs()

    assert names(job) == [{"cat"}, set(), {"cat"}, {"cat"}, {"cat"}, {"cat"}, set()]


def test_an_image_that_left_the_query_before_its_turn_stays_alone(job, alice, bob):
    samples = make.images(job, 5)
    cat, dog, _cow = job.labels.all()
    trash(make.membership(job, alice), Selection(query="state=unlabeled"))
    annotate(make.membership(job, bob), Selection(ids=(samples[4].pk,)), add=[dog.pk])

    make.finish_runs()

    assert list(job.samples.all()) == samples[4:]
    assert job.changes.first().sample_count == 4
    assert counters.drift(job) == {}


def test_a_large_change_is_undone_and_done_again_as_one(job, alice):
    make.images(job, 5)
    member = make.membership(job, alice)
    cat, dog, _cow = job.labels.all()
    annotate(member, EVERYTHING, add=[cat.pk])
    make.finish_runs()

    undone = undo_last(member)
    assert (undone.run.kind, undone.planned) == (RunKind.EDIT, 5)
    make.finish_runs()
    assert names(job) == [set()] * 5
    assert set(job.samples.values_list("state", "last_by")) == {("unlabeled", None)}
    assert counters.drift(job) == {}

    redo_last(member)
    make.finish_runs()
    assert names(job) == [{"cat"}] * 5
    assert [change.sample_count for change in job.changes.order_by("pk")] == [5, 5, 5]
    assert counters.drift(job) == {}


def test_undo_of_a_large_change_leaves_what_others_changed_and_says_how_many(job, alice, bob):
    samples = make.images(job, 5)
    cat, dog, _cow = job.labels.all()
    annotate(make.membership(job, alice), EVERYTHING, add=[cat.pk])
    make.finish_runs()
    annotate(make.membership(job, bob), Selection(ids=(samples[2].pk,)), add=[dog.pk])

    undone = undo_last(make.membership(job, alice))
    make.finish_runs()

    assert names(job) == [set(), set(), {"cat", "dog"}, set(), set()]
    undone.run.refresh_from_db()
    undone.change.refresh_from_db()
    assert undone.run.counts == {"edited": 4, "skipped": 1}
    assert undone.change.params["skipped"] == 1


def test_a_cancelled_run_keeps_what_it_did_which_can_be_undone(job, alice):
    make.images(job, 6)
    member, cat = make.membership(job, alice), job.labels.first()
    result = annotate(member, EVERYTHING, add=[cat.pk])
    for _chunk in range(2):
        engine.work_once("tests")

    engine.cancel(result.run)
    make.finish_runs()

    result.change.refresh_from_db()
    assert (result.change.sample_count, names(job).count({"cat"})) == (2, 2)
    assert counters.drift(job) == {}
    undo_last(member)
    assert names(job) == [set()] * 6
    assert counters.drift(job) == {}


def test_undo_stops_a_run_at_work_and_takes_back_what_it_did(job, alice):
    make.images(job, 6)
    member, cat = make.membership(job, alice), job.labels.first()
    result = annotate(member, EVERYTHING, add=[cat.pk])
    for _chunk in range(2):
        engine.work_once("tests")

    undo_last(member)
    make.finish_runs()
    result.run.refresh_from_db()
    assert (result.run.state, names(job)) == (RunState.CANCELLED, [set()] * 6)

    engine.retry(result.run)
    make.finish_runs()
    assert names(job) == [set()] * 6
    assert counters.drift(job) == {}


def test_a_change_that_finds_everything_as_it_wants_it_leaves_no_trace(job, alice):
    make.images(job, 4)
    member, cat = make.membership(job, alice), job.labels.first()
    annotate(member, EVERYTHING, add=[cat.pk])
    make.finish_runs()

    annotate(member, EVERYTHING, add=[cat.pk])
    make.finish_runs()

    assert job.changes.count() == 1


def test_who_was_removed_from_the_job_edits_nothing_more(job, bob):
    make.images(job, 4)
    annotate(make.membership(job, bob), EVERYTHING, add=[job.labels.first().pk])

    job.members.filter(user=bob).delete()
    make.finish_runs()

    assert names(job) == [set()] * 4
    assert job.runs.get().state == RunState.DONE


def test_trash_and_restore_of_everything(job, alice):
    make.images(job, 5)
    member = make.membership(job, alice)

    trash(member, Selection(query="", expected=5))
    make.finish_runs()
    assert (job.samples.count(), counters.read(job)["trash"]) == (0, 5)
    assert counters.drift(job) == {}

    restore(member, EVERYTHING)
    make.finish_runs()
    assert job.samples.count() == 5
    assert counters.drift(job) == {}

    undo_last(member)
    make.finish_runs()
    assert job.samples.count() == 0


def test_who_may_not_delete_images_undoes_no_large_deletion(job, bob):
    make.images(job, 4)
    job.members.filter(user=bob).update(role="manager")
    change = trash(make.membership(job, bob), EVERYTHING).change
    make.finish_runs()
    job.members.filter(user=bob).update(role="labeler")

    with pytest.raises(PermissionDenied):
        undo_change(make.membership(job, bob), change)


def test_a_change_is_undone_once(job, alice):
    make.images(job, 4)
    member = make.membership(job, alice)
    change = mark_hard(member, EVERYTHING, is_hard=True).change
    make.finish_runs()
    undo_change(member, change)

    with pytest.raises(Conflict, match="undone already"):
        undo_change(member, change)


# What a run does is what a request does -----------------------------------------------------------
WAYS = {
    "add": lambda job: {"add": [job.labels.all()[0].pk]},
    "add two": lambda job: {"add": [label.pk for label in job.labels.all()[:2]]},
    "add and remove": lambda job: {
        "add": [job.labels.all()[0].pk],
        "remove": [job.labels.all()[1].pk],
    },
    "remove two": lambda job: {"remove": [label.pk for label in job.labels.all()[:2]]},
    "clear": lambda _job: {"clear": True},
    "clear but": lambda job: {"clear": True, "add": [job.labels.all()[2].pk]},
    "nothing": lambda _job: {"nothing": True},
    "replace": lambda job: {"replace": tuple(label.pk for label in job.labels.all()[:2])},
}


def mixed(job, member, other) -> list[Sample]:
    """One of each kind: untouched, labeled by one, by another, with two, with nothing, hard."""
    samples = make.images(job, 7)
    labels = [label.pk for label in job.labels.all()]
    two = labels[:2] if job.mode == Mode.MULTI else labels[:1]
    annotate(member, Selection(ids=(samples[1].pk,)), add=labels[:1])
    annotate(other, Selection(ids=(samples[2].pk,)), add=labels[1:2])
    annotate(other, Selection(ids=(samples[3].pk,)), add=two)
    annotate(member, Selection(ids=(samples[4].pk,)), nothing=True)
    mark_hard(other, Selection(ids=(samples[5].pk,)), is_hard=True)
    Sample.objects.filter(pk=samples[6].pk).update(state="to_confirm")
    counters.add(job, {"state:to_confirm": 1, "state:unlabeled": -1})
    return samples


def picture(job, names: dict[int, str]) -> list:
    """All that a person can tell of the samples, of labels by name and of times whether one is."""
    return [
        (
            sample.state,
            sample.label_count,
            sample.last_by_id,
            sample.last_at is None,
            sample.last_change_id is None,
            sample.version,
            sample.is_hard,
            sample.trashed_at is None,
            sorted(
                (names[one.label_id], one.user_id, one.origin, one.confidence)
                for one in sample.annotations.all()
            ),
        )
        for sample in Sample.everything.filter(job=job).order_by("pk")
    ]


CASES = [(mode, way) for mode in Mode for way in WAYS if (mode, way) != (Mode.SINGLE, "add two")]


@pytest.mark.parametrize("alike", [1, 10], ids=["undone in SQL", "undone one by one"])
@pytest.mark.parametrize(("mode", "way"), CASES)
def test_a_run_does_what_a_request_does_and_is_undone_the_same(
    alice, bob, mode, way, alike, monkeypatch
):
    monkeypatch.setattr("labels.undo.ALIKE", alike)

    def story(most: int) -> list:
        """What is there after each step, with changes of more than `most` samples as runs."""
        monkeypatch.setattr("labels.bulk.MOST_AT_ONCE", most)
        monkeypatch.setattr("labels.undo.MOST_AT_ONCE", most)
        job = make.job(owner=alice, labels=("cat", "dog", "cow"), mode=mode)
        make.member(job, bob, "manager")
        names = dict(job.labels.values_list("pk", "name"))
        member = make.membership(job, alice)
        mixed(job, member, make.membership(job, bob))
        how, seen, runs = WAYS[way](job), [picture(job, names)], 0
        for step in (partial(annotate, **how, selection=EVERYTHING), undo_last, redo_last):
            result = step(member)
            make.finish_runs()
            result.change.refresh_from_db()
            assert counters.drift(job) == {}
            seen += [picture(job, names), result.change.verb, result.change.sample_count]
            runs += result.run is not None
        assert runs == (0 if most == 100 else 1 if seen[3] <= most else 3)
        return seen

    assert story(3) == story(100)

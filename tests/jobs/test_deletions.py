"""Deleting source files: what goes, what stays, and what every job over them is told."""

import os
import shutil

import pytest
from django.utils import timezone

from datasets import summaries, thumbnails
from datasets.models import Dataset, Storage
from datasets.sources import UploadSource
from jobs import counters, deletions, services
from jobs.models import Job, Sample, Verb
from jobs.selection import Selection
from labelhub.errors import Conflict, DomainError
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import trash
from labels.undo import undo_last
from runs import engine
from runs.models import ChunkState, Run, RunKind, RunState
from tests import make

pytestmark = pytest.mark.django_db


def filled(job: Job, number: int) -> list[Sample]:
    """That many files in the folder of the job, taken in; the samples in their order."""
    for at in range(number):
        make.jpeg(make.folder_of(job) / f"image-{at:03}.jpg")
    services.synchronize(job.dataset, job=job, by=None)
    make.finish_runs()
    return list(job.samples.order_by("pk"))


@pytest.fixture
def job(alice, bob):
    job = make.job(owner=alice, labels=("cat", "dog"))
    make.member(job, bob, "manager")
    Storage.objects.filter(pk=job.dataset.storage_id).update(can_delete=True)
    return job


def ids(samples, expected: int | None = None) -> Selection:
    chosen = tuple(sample.pk for sample in samples)
    return Selection(ids=chosen, expected=len(chosen) if expected is None else expected)


def delete(job: Job, user, samples) -> Run:
    run = deletions.start_deletion(make.membership(job, user), ids(samples))
    make.finish_runs()
    run.refresh_from_db()
    return run


def files(job: Job) -> list[str]:
    return sorted(path.name for path in make.folder_of(job).iterdir())


def problems(run: Run) -> list[tuple[str, str]]:
    return list(run.problems.order_by("item").values_list("item", "code"))


# What goes


def test_the_files_and_all_rows_of_the_images_go(job, alice):
    samples = filled(job, 3)
    annotate(make.membership(job, alice), ids(samples), add=[job.labels.first().pk])

    run = delete(job, alice, samples[:2])

    assert (run.state, run.counts, run.done) == (RunState.DONE, {"deleted": 2}, 2)
    assert files(job) == ["image-002.jpg"]
    assert list(job.dataset.images.values_list("path", flat=True)) == ["image-002.jpg"]
    assert list(job.samples.all()) == samples[2:]
    assert counters.read(job)["state:labeled"] == 1
    assert counters.drift(job) == {}


def test_what_was_drawn_of_them_for_the_screen_goes_too(
    job, alice, django_capture_on_commit_callbacks
):
    samples = filled(job, 2)
    for sample in samples:
        thumbnails.thumbnail_of(sample.image, thumbnails.Size.TILE)
    drawn = [thumbnails._place(f"{thumbnails.content_key(one.image)}.webp") for one in samples]
    assert all(path.exists() for path in drawn)

    with django_capture_on_commit_callbacks(execute=True):
        delete(job, alice, samples[:1])

    assert [path.exists() for path in drawn] == [False, True]


def test_other_jobs_lose_the_images_too_and_their_counters_stay_right(job, alice, dan):
    other = make.job(owner=dan, labels=("pet",), dataset=job.dataset)
    samples = filled(job, 4)
    theirs = list(other.samples.order_by("pk"))
    member = make.membership(other, dan)
    annotate(member, ids(theirs), add=[other.labels.first().pk])
    mark_hard(member, ids(theirs[:2]), is_hard=True)
    trash(member, ids(theirs[1:2]))

    delete(job, alice, samples[:3])

    assert Sample.everything.filter(job=other).count() == 1
    assert counters.read(other)["trash"] == counters.read(other)["hard"] == 0
    assert counters.drift(other) == counters.drift(job) == {}


def test_the_history_says_it_in_each_job_and_names_nobody_to_another_team(job, alice, dan):
    other = make.job(owner=dan, dataset=job.dataset)
    samples = filled(job, 2)

    run = delete(job, alice, samples)

    own = job.changes.get(verb=Verb.DELETE_FILES)
    assert (own.actor, own.sample_count, own.params) == (alice, 2, {"run": run.pk})
    told = other.changes.get(verb=Verb.DELETE_FILES)
    assert (told.actor, told.sample_count) == (None, 2)


def test_many_pieces_are_one_change(job, alice, monkeypatch):
    monkeypatch.setattr(deletions, "IMAGES_IN_PIECE", 2)
    samples = filled(job, 5)

    run = delete(job, alice, samples)

    assert run.chunks.count() == 4
    assert job.changes.get().sample_count == 5
    assert counters.drift(job) == {}


def test_a_deletion_of_files_is_not_undone(job, alice):
    samples = filled(job, 2)
    member = make.membership(job, alice)
    annotate(member, ids(samples[:1]), add=[job.labels.first().pk])
    delete(job, alice, samples[1:])

    undone = undo_last(member)

    assert undone.sample_ids == [samples[0].pk]
    with pytest.raises(Conflict, match="Nothing to undo"):
        undo_last(member)


def test_the_summary_of_the_dataset_moves_along(job, alice):
    samples = filled(job, 3)
    dataset = job.dataset
    dataset.summary = summaries.counted(dataset)
    dataset.save()

    delete(job, alice, samples[:1])

    dataset.refresh_from_db()
    assert dataset.summary == summaries.counted(dataset)
    assert dataset.summary["images"] == 2


def test_a_summary_that_nobody_made_yet_is_counted(job, alice):
    samples = filled(job, 3)
    Dataset.objects.update(summary={})

    delete(job, alice, samples[:1])

    job.dataset.refresh_from_db()
    assert job.dataset.summary["images"] == 2


# What stays


def test_a_file_that_was_replaced_stays_and_the_run_says_so(job, alice):
    samples = filled(job, 2)
    make.jpeg(make.folder_of(job) / "image-000.jpg", size=(50, 50))

    run = delete(job, alice, samples)

    assert run.counts == {"deleted": 1, "failed": 1}
    assert problems(run) == [("image-000.jpg", "changed-since-taken")]
    assert files(job) == ["image-000.jpg"]
    assert list(job.samples.all()) == samples[:1]
    assert counters.drift(job) == {}


def test_a_file_that_is_gone_already_counts_as_deleted(job, alice):
    samples = filled(job, 2)
    (make.folder_of(job) / "image-000.jpg").unlink()

    run = delete(job, alice, samples)

    assert run.counts == {"deleted": 2}
    assert not job.dataset.images.exists()


def test_what_the_storage_refuses_stays_with_the_reason(job, alice, monkeypatch):
    samples = filled(job, 3)
    unlink = os.unlink

    def refuse(path, **more):
        if os.fsdecode(path).endswith("image-001.jpg"):
            raise PermissionError(13, "Permission denied")
        unlink(path, **more)

    monkeypatch.setattr("datasets.storages.local.os.unlink", refuse)

    run = delete(job, alice, samples)

    assert (run.state, run.counts) == (RunState.DONE, {"deleted": 2, "failed": 1})
    assert problems(run) == [("image-001.jpg", "read-only")]
    assert list(job.samples.all()) == samples[1:2]
    assert counters.drift(job) == {}


@pytest.mark.parametrize("path", ["../outside.jpg", "a/../../outside.jpg", "./x.jpg", "a//x.jpg"])
def test_no_row_leads_out_of_the_dataset(job, alice, path):
    (sample, *_rest) = filled(job, 1)
    outside = make.folder_of(job).parent / "outside.jpg"
    make.jpeg(outside)
    job.dataset.images.update(path=path)

    run = delete(job, alice, [sample])

    assert problems(run) == [(path, "unsafe-name")]
    assert outside.exists()
    assert job.samples.count() == 1
    outside.unlink()


def test_a_key_beside_the_prefix_is_not_of_the_dataset():
    dataset = Dataset(prefix="7/")

    keys = ("7/a.jpg", "7/b/a.jpg", "70/a.jpg", "7/", "8/a.jpg", "7/../8/a.jpg", "7//a.jpg")

    inside = [deletions.is_inside(dataset, key) for key in keys]
    assert inside == [True, True] + [False] * 5


# What is asked for


def test_what_was_seen_is_deleted_whatever_others_do_before_the_run(job, alice, bob):
    samples = filled(job, 3)
    member = make.membership(job, alice)
    asked = Selection(query="state=unlabeled", excluded=(samples[2].pk,), expected=2)
    run = deletions.start_deletion(member, asked)
    annotate(make.membership(job, bob), ids(samples[:1]), add=[job.labels.first().pk])

    make.finish_runs()

    run.refresh_from_db()
    assert run.counts == {"deleted": 2}
    assert files(job) == ["image-002.jpg"]


def test_another_number_than_was_confirmed_deletes_nothing(job, alice):
    samples = filled(job, 2)

    with pytest.raises(Conflict) as refused:
        deletions.start_deletion(make.membership(job, alice), ids(samples, expected=3))

    assert refused.value.code == "selection"
    assert not job.runs.filter(kind=RunKind.DELETE).exists()


def test_without_a_number_nothing_is_deleted(job, alice):
    samples = filled(job, 1)

    with pytest.raises(DomainError) as refused:
        deletions.start_deletion(make.membership(job, alice), Selection(ids=(samples[0].pk,)))

    assert refused.value.code == "expected"


def test_images_of_another_job_are_not_deleted(job, alice, dan):
    other = make.job(owner=dan)
    foreign = filled(other, 1)

    with pytest.raises(Conflict):
        deletions.start_deletion(make.membership(job, alice), ids(foreign))

    assert files(other) == ["image-000.jpg"]


def test_who_may_not_is_told_why(job, bob):
    stands = deletions.obstacle(make.membership(job, bob))

    assert stands == deletions.Obstacle("Source files are deleted by the owner alone.")


@pytest.mark.parametrize("can_delete", [False, None])
def test_a_storage_that_does_not_allow_it_or_was_never_tested_refuses(job, alice, can_delete):
    Storage.objects.update(can_delete=can_delete)
    samples = filled(job, 1)

    with pytest.raises(Conflict) as refused:
        deletions.start_deletion(make.membership(job, alice), ids(samples))

    assert refused.value.code == "deletion"
    assert files(job) == ["image-000.jpg"]


def test_an_administrator_has_a_storage_tested_by_asking(job, alice):
    Storage.objects.update(can_delete=None)
    samples = filled(job, 1)
    alice.is_superuser = True
    alice.save()

    run = delete(job, alice, samples)

    assert run.counts == {"deleted": 1}
    storage = Storage.objects.get()
    assert (storage.can_write, storage.can_delete) == (True, True)
    assert [result["problem"] for result in storage.check_results] == [""] * 4


def test_a_folder_that_cannot_be_written_is_remembered_as_such(job, alice, monkeypatch):
    Storage.objects.update(can_delete=None)
    alice.is_superuser = True
    alice.save()

    def refuse(*_args, **_more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("datasets.storages.local.os.replace", refuse)

    stands = deletions.test_storage(make.membership(job, alice))

    assert "does not let LabelHub delete files" in stands.message
    assert Storage.objects.get().can_delete is False


def test_what_was_uploaded_to_a_job_can_always_be_deleted(alice):
    job = services.create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)
    # Of an earlier test, whose job had the same number.
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    samples = filled(job, 2)

    run = delete(job, alice, samples)

    assert run.counts == {"deleted": 2}
    assert files(job) == []


# The run


def test_a_synchronization_that_was_asked_for_before_goes_first(job, alice):
    samples = filled(job, 1)
    before = engine.submit(
        RunKind.IMPORT, job=job, dataset=job.dataset, by=None, params={"archives": []}
    )
    run = deletions.start_deletion(make.membership(job, alice), ids(samples))

    engine.work_once("tests")

    before.refresh_from_db()
    run.refresh_from_db()
    assert (before.state, run.state) == (RunState.RUNNING, RunState.QUEUED)


def test_cancelling_leaves_what_no_piece_had_begun(job, alice, monkeypatch):
    monkeypatch.setattr(deletions, "IMAGES_IN_PIECE", 2)
    samples = filled(job, 6)
    run = deletions.start_deletion(make.membership(job, alice), ids(samples))
    engine.work_once("tests")
    engine.work_once("tests")

    engine.cancel(run)
    make.finish_runs()

    run.refresh_from_db()
    assert (run.state, run.counts) == (RunState.CANCELLED, {"deleted": 2})
    assert len(files(job)) == job.samples.count() == 4
    assert counters.drift(job) == {}


def test_a_piece_that_is_at_work_when_it_is_cancelled_is_written(job, alice, monkeypatch):
    """Its files are gone: the rows have to say so."""
    monkeypatch.setattr(deletions, "IMAGES_IN_PIECE", 2)
    samples = filled(job, 4)
    run = deletions.start_deletion(make.membership(job, alice), ids(samples))
    engine.work_once("tests")
    chunk = engine.lease("tests")
    refuse_outage = deletions._refuse_outage

    def cancel(*args):
        engine.cancel(run)
        refuse_outage(*args)

    monkeypatch.setattr(deletions, "_refuse_outage", cancel)

    engine.perform(chunk)

    run.refresh_from_db()
    assert (run.state, run.counts) == (RunState.CANCELLED, {"deleted": 2})
    assert len(files(job)) == job.samples.count() == 2
    assert counters.drift(job) == {}


def test_a_cancelled_deletion_is_taken_up_again(job, alice, monkeypatch):
    monkeypatch.setattr(deletions, "IMAGES_IN_PIECE", 2)
    samples = filled(job, 6)
    run = deletions.start_deletion(make.membership(job, alice), ids(samples))
    engine.work_once("tests")
    engine.work_once("tests")
    engine.cancel(run)

    engine.retry(run)
    make.finish_runs()

    run.refresh_from_db()
    assert (run.state, run.counts) == (RunState.DONE, {"deleted": 6})
    assert job.changes.get().sample_count == 6
    assert files(job) == []


def test_a_piece_that_was_done_but_not_written_is_done_again(job, alice):
    """As after a kill between the storage's answer and the commit."""
    samples = filled(job, 3)
    run = deletions.start_deletion(make.membership(job, alice), ids(samples))
    engine.work_once("tests")
    chunk = run.chunks.get(number=1)
    done = deletions.prepare(run, chunk.payload, engine.LeaseKeeper(chunk))
    assert (len(done.gone), files(job), job.samples.count()) == (3, [], 3)

    make.finish_runs()

    run.refresh_from_db()
    assert (run.state, run.counts) == (RunState.DONE, {"deleted": 3})
    assert not job.samples.exists()
    assert run.chunks.get(number=1).state == ChunkState.DONE


# What it would touch


def test_the_preview_names_own_jobs_and_datasets_and_counts_those_of_others(job, alice, dan):
    shared = make.job(owner=alice, name="Second look", dataset=job.dataset)
    theirs = make.job(owner=dan, name="Secret", dataset=job.dataset)
    samples = filled(job, 3)
    for other, user in ((shared, alice), (theirs, dan)):
        same = other.samples.filter(image__in=[sample.image_id for sample in samples[:2]])
        annotate(make.membership(other, user), ids(same), add=[other.labels.first().pk])
    inner = Storage.objects.create(name="inner", root=f"{job.dataset.storage.root}/inner")
    Dataset.objects.create(name="Inner", storage=inner, created_by=alice)
    outer = Storage.objects.create(name="outer", root=f"{job.dataset.storage.root}/..")
    Dataset.objects.create(name="Hidden", storage=outer, created_by=dan)

    found = deletions.preview(make.membership(job, alice), ids(samples))

    assert (found.count, found.jobs) == (3, [deletions.JobUse("Second look", 2)])
    assert (found.other_jobs, found.other_labeled) == (1, 2)
    assert (found.datasets, found.other_datasets) == (["Inner"], 1)
    assert found.bytes == sum(sample.image.size for sample in samples)


def test_the_preview_is_refused_where_the_selection_changed(job, alice):
    samples = filled(job, 2)

    with pytest.raises(Conflict):
        deletions.preview(make.membership(job, alice), ids(samples, expected=5))


# By the API


def test_the_api_deletes_what_was_confirmed(job, alice):
    samples = filled(job, 3)
    client = make.client(alice)
    body = {"query": "", "except": [samples[2].pk], "through": samples[2].pk}
    address = f"/api/jobs/{job.pk}/deletion/"

    assert client.post(address, {}, content_type="application/json").status_code == 400
    unsure = client.post(address, body, content_type="application/json")
    assert (unsure.status_code, unsure.json()["code"]) == (400, "expected")
    wrong = client.post(address, body | {"expected": 3}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["count"]) == (409, 2)
    preview = client.post(f"{address}preview/", body, content_type="application/json")
    assert preview.json()["count"] == 2
    asked = client.post(address, body | {"expected": 2}, content_type="application/json")
    make.finish_runs()

    assert (asked.status_code, asked.json()["kind"]) == (201, "delete")
    run = client.get(f"/api/jobs/{job.pk}/runs/{asked.json()['id']}/").json()
    assert (run["state"], run["counts"]) == ("done", {"deleted": 2})


def test_the_owner_alone_deletes_files_and_cancels_that(job, bob):
    samples = filled(job, 1)
    body = {"ids": [samples[0].pk], "expected": 1}

    response = make.client(bob).post(
        f"/api/jobs/{job.pk}/deletion/", body, content_type="application/json"
    )

    assert (response.status_code, files(job)) == (403, ["image-000.jpg"])


def test_missing_images_can_be_deleted(job, alice):
    samples = filled(job, 1)
    job.dataset.images.update(missing_since=timezone.now())
    (make.folder_of(job) / "image-000.jpg").unlink()

    run = delete(job, alice, samples)

    assert run.counts == {"deleted": 1}

"""A synchronization notices what is new, changed and gone, and removes nothing by itself."""

import shutil

import pytest

from datasets import summaries
from datasets.models import Dataset
from datasets.sources import UploadSource
from jobs import counters, services
from jobs.models import Job
from jobs.selection import Selection
from labels.annotate import annotate
from runs import engine
from runs.models import Run, RunKind, RunState
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    made = make.job(owner=alice)
    for name in ("a.jpg", "b/1.jpg", "b/2.jpg", "c.jpg"):
        make.jpeg(make.folder_of(made) / name)
    return made


def synchronized(job: Job) -> Run:
    run = services.synchronize(job.dataset, by=None)
    make.finish_runs()
    run.refresh_from_db()
    assert run.state == RunState.DONE, run.error
    assert Dataset.objects.get().summary == summaries.counted(job.dataset)
    return run


def missing(job: Job) -> list[str]:
    rows = job.dataset.images.exclude(missing_since=None)
    return list(rows.order_by("path").values_list("path", flat=True))


@pytest.mark.parametrize("in_chunk", [1, 2, 3, 500])
@pytest.mark.parametrize("gone", [["a.jpg"], ["b/1.jpg", "b/2.jpg"], ["c.jpg"], ["a.jpg", "c.jpg"]])
def test_files_that_are_gone_are_marked_and_their_samples_stay(job, monkeypatch, in_chunk, gone):
    monkeypatch.setattr("jobs.imports.FILES_IN_CHUNK", in_chunk)
    synchronized(job)
    for name in gone:
        (make.folder_of(job) / name).unlink()

    run = synchronized(job)

    assert missing(job) == gone
    assert run.counts == {"already": 4 - len(gone), "missing": len(gone)}
    assert job.samples.count() == 4
    assert counters.drift(job) == {}


def test_all_files_gone_are_all_missing(job):
    synchronized(job)
    for path in [*make.folder_of(job).rglob("*.jpg")]:
        path.unlink()

    assert synchronized(job).counts == {"missing": 4}
    assert synchronized(job).counts == {}
    assert len(missing(job)) == 4


def test_a_file_that_comes_back_is_no_longer_missing_and_keeps_its_labels(job, alice):
    synchronized(job)
    sample = job.samples.get(path="a.jpg")
    member = make.membership(job, alice)
    annotate(member, Selection(ids=(sample.pk,)), add=[job.labels.first().pk])
    path = make.folder_of(job) / "a.jpg"
    path.rename(make.folder_of(job) / ".kept")
    synchronized(job)
    path.with_name(".kept").rename(path)

    run = synchronized(job)

    assert run.counts == {"already": 3, "returned": 1}
    assert missing(job) == []
    assert sample.annotations.count() == 1


def test_a_second_synchronization_writes_no_image_and_no_sample(job, monkeypatch):
    synchronized(job)
    written = []
    monkeypatch.setattr("jobs.imports._set", lambda _dataset, ids, **_: written.extend(ids))
    rows = list(job.dataset.images.order_by("pk").values())

    run = synchronized(job)

    assert run.counts == {"already": 4}
    assert written == []
    assert list(job.dataset.images.order_by("pk").values()) == rows


def test_runs_over_one_dataset_take_turns(job):
    first = services.synchronize(job.dataset, by=None)
    assert engine.work_once("one")
    second = services.synchronize(job.dataset, by=None)
    make.jpeg(make.folder_of(job) / "d.jpg")

    chunk = engine.lease("two")
    assert chunk.run == first
    assert engine.lease("three") is None
    engine.perform(chunk)
    make.finish_runs()

    second.refresh_from_db()
    assert second.counts == {"added": 1, "already": 4}
    assert missing(job) == []


def test_one_that_waits_is_enough(job):
    first = services.synchronize(job.dataset, by=None)

    assert services.synchronize(job.dataset, by=None) == first


def test_a_run_taken_up_again_calls_nothing_missing_that_a_later_one_brought(job):
    first = services.synchronize(job.dataset, by=None)
    assert engine.work_once("one")
    engine.cancel(first)
    make.jpeg(make.folder_of(job) / "aa.jpg")
    synchronized(job)

    engine.retry(first)
    make.finish_runs()

    first.refresh_from_db()
    assert first.state == RunState.DONE
    assert missing(job) == []
    assert job.samples.count() == 5


def test_a_file_that_is_no_image_is_remembered_and_looked_into_once(job):
    (make.folder_of(job) / "text.jpg").write_text("no image")
    synchronized(job)

    run = synchronized(job)

    assert run.counts == {"already": 4, "refused_before": 1}
    assert job.dataset.images.get(is_refused=True).problem == "not-an-image"
    assert job.samples.count() == 4


def test_a_refused_file_that_is_mended_becomes_a_sample(job):
    path = make.folder_of(job) / "text.jpg"
    path.write_text("no image")
    synchronized(job)
    make.jpeg(path)

    assert synchronized(job).counts == {"already": 4, "changed": 1}
    assert job.samples.filter(path="text.jpg").exists()
    assert counters.drift(job) == {}


def test_uploads_with_the_same_bytes_are_kept_and_reported(alice):
    job = services.create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)
    # Files of a test whose rows were rolled back can lie where this job's will.
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    for name in ("a.jpg", "b.jpg"):
        make.jpeg(make.folder_of(job) / name, number=1)
    make.jpeg(make.folder_of(job) / "c.jpg", number=2)

    run = synchronized(job)

    assert job.samples.count() == 3
    problem = run.problems.get()
    assert (problem.item, problem.code, problem.params) == (
        "b.jpg",
        "same-bytes",
        {"other": "a.jpg"},
    )


def test_a_synchronization_of_the_dataset_is_shown_in_each_of_its_jobs(job, alice, dan):
    other = make.job(owner=dan, dataset=job.dataset)
    run = synchronized(job)

    assert other.samples.count() == 4
    for who, where in ((alice, job), (dan, other)):
        page = make.client(who).get(f"/jobs/{where.pk}/runs/{run.pk}/")
        assert page.status_code == 200


def test_an_import_of_one_job_is_not_shown_in_another(job, alice, dan):
    other = make.job(owner=dan, dataset=job.dataset)
    run = engine.submit(RunKind.EXPORT, job=job, by=alice, params={})

    assert make.client(dan).get(f"/jobs/{other.pk}/runs/{run.pk}/").status_code == 404

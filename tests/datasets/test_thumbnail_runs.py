"""Thumbnails that are made before anybody looks."""

import shutil
import threading

import pytest
from django.conf import settings

from datasets import thumbnail_runs, thumbnails
from datasets.models import Image
from datasets.storages import StorageError
from datasets.storages.local import LocalStorage
from datasets.thumbnail_runs import start_thumbnails
from datasets.thumbnails import Size, content_key, kept_at
from jobs import services
from runs import engine
from runs.engine import Cancelled
from runs.models import Chunk, ChunkState, Run, RunKind, RunState
from tests import make

pytestmark = pytest.mark.django_db

KIND = RunKind.THUMBNAILS


@pytest.fixture
def dataset():
    # Numbers of rows come again in each test, and with them the names of kept thumbnails.
    shutil.rmtree(settings.DATA_DIR / "thumbnails", ignore_errors=True)
    return make.job().dataset


def photos(dataset, number: int) -> list[Image]:
    return [sample.image for sample in make.images(dataset.jobs.get(), number, files=True)]


def has_tile(image: Image) -> bool:
    return kept_at(content_key(image), Size.TILE).exists()


def finished(run: Run) -> Run:
    make.finish_runs()
    run.refresh_from_db()
    return run


def test_every_image_gets_the_thumbnail_of_the_grid(dataset):
    images = photos(dataset, 5)

    run = finished(start_thumbnails(dataset))

    assert (run.state, run.total, run.done, run.counts) == (RunState.DONE, 5, 5, {"made": 5})
    assert all(has_tile(image) for image in images)
    assert not any(kept_at(content_key(image), Size.PREVIEW).exists() for image in images)


def test_what_is_there_is_not_made_again(dataset, monkeypatch):
    images = photos(dataset, 3)
    thumbnails.thumbnail_of(images[0], Size.TILE)
    opened = []
    real = LocalStorage.open
    monkeypatch.setattr(
        LocalStorage,
        "open",
        lambda self, key, **part: opened.append(key) or real(self, key, **part),
    )

    first = finished(start_thumbnails(dataset))
    second = finished(start_thumbnails(dataset))

    assert sorted(opened) == [image.key for image in images[1:]]
    assert (first.total, second.total) == (2, 0)
    assert second.state == RunState.DONE


def test_an_image_that_changed_gets_another(dataset):
    (image,) = photos(dataset, 1)
    finished(start_thumbnails(dataset))
    Image.objects.update(etag="changed")

    run = finished(start_thumbnails(dataset))

    image.refresh_from_db()
    assert run.counts == {"made": 1}
    assert has_tile(image)


def test_refused_and_missing_images_are_left_alone(dataset):
    refused, missing, good = photos(dataset, 3)
    Image.objects.filter(pk=refused.pk).update(is_refused=True)
    Image.objects.filter(pk=missing.pk).update(missing_since=make.MODIFIED_AT)

    run = finished(start_thumbnails(dataset))

    assert run.counts == {"made": 1}
    assert has_tile(good)


def test_files_that_cannot_be_shown_are_counted_and_the_rest_is_made(dataset):
    cut, gone, good = photos(dataset, 3)
    folder = make.folder_of(dataset.jobs.get())
    (folder / cut.path).write_bytes(b"\xff\xd8\xff\xe0")
    (folder / gone.path).unlink()

    run = finished(start_thumbnails(dataset))

    assert (run.state, run.counts) == (RunState.DONE, {"failed": 2, "made": 1})
    assert has_tile(good)


def test_an_image_deleted_in_the_meantime_is_no_failure(dataset):
    images = photos(dataset, 3)
    run = start_thumbnails(dataset)
    engine.work_once("plan")
    dataset.jobs.get().samples.filter(image=images[1]).delete()
    images[1].delete()

    assert finished(run).counts == {"made": 2}


def test_a_dataset_deleted_in_the_meantime_ends_the_run(dataset):
    photos(dataset, 3)
    run = start_thumbnails(dataset)
    engine.work_once("plan")
    dataset.jobs.all().delete()
    dataset.delete()

    assert finished(run).state == RunState.DONE


def test_one_that_waits_is_enough(dataset):
    photos(dataset, 1)
    other = make.job().dataset

    assert start_thumbnails(dataset)
    assert start_thumbnails(dataset) is None
    assert start_thumbnails(other)


def test_images_that_came_after_the_planning_get_a_run_of_their_own(dataset):
    photos(dataset, 1)
    start_thumbnails(dataset)
    engine.work_once("plan")
    (late,) = photos(dataset, 1)

    assert start_thumbnails(dataset)
    make.finish_runs()

    assert has_tile(late)


def test_they_can_be_switched_off(dataset, monkeypatch):
    monkeypatch.setattr(settings, "THUMBNAILS_AHEAD", False)

    assert start_thumbnails(dataset) is None
    assert not Run.objects.exists()


def test_other_runs_go_first_and_those_over_the_dataset_do_not_wait(dataset, monkeypatch):
    monkeypatch.setattr(thumbnail_runs, "IMAGES_IN_PIECE", 1)
    photos(dataset, 3)
    pictures = start_thumbnails(dataset)
    engine.work_once("plan")

    imported = services.synchronize(dataset, by=None)
    kinds = []
    while chunk := engine.lease("tests"):
        kinds.append(chunk.run.kind)
        engine.perform(chunk)

    assert kinds[:5] == [RunKind.SYNC] * 2 + [KIND] * 3
    imported.refresh_from_db()
    pictures.refresh_from_db()
    assert imported.state == pictures.state == RunState.DONE


def test_a_storage_that_fails_is_not_asked_for_every_image(dataset, monkeypatch):
    monkeypatch.setattr(thumbnail_runs, "IMAGES_IN_PIECE", 2)
    monkeypatch.setattr(thumbnail_runs, "CORES", 1)
    photos(dataset, 10)
    asked = []

    def fail(self, key, **part):  # noqa: ARG001
        asked.append(key)
        raise StorageError(key, code="endpoint-unreachable")

    monkeypatch.setattr(LocalStorage, "open", fail)

    run = finished(start_thumbnails(dataset))

    assert run.state == RunState.DONE
    assert len(asked) <= 2


def test_a_cancelled_run_stops_and_goes_on_when_it_is_taken_up(dataset, monkeypatch):
    images = photos(dataset, 4)
    monkeypatch.setattr(thumbnail_runs, "IMAGES_IN_PIECE", 2)
    run = start_thumbnails(dataset)
    engine.work_once("plan")
    engine.work_once("first")

    assert engine.cancel(run)
    assert not engine.work_once("nothing to do")
    assert sum(map(has_tile, images)) == 2
    assert engine.retry(run)

    assert finished(run).counts == {"made": 4}
    assert all(map(has_tile, images))


def test_a_piece_that_is_stopped_starts_no_more_pictures(dataset, monkeypatch):
    photos(dataset, 8)
    monkeypatch.setattr(thumbnail_runs, "CORES", 1)
    run = start_thumbnails(dataset)
    engine.work_once("plan")
    payload = Chunk.objects.get(state=ChunkState.READY).payload
    make, goes_on, begun = thumbnail_runs._make, threading.Event(), []

    def make_one_and_wait(driver, wanted):
        begun.append(wanted)
        if len(begun) > 1:
            goes_on.wait(10)
        return make(driver, wanted)

    class Stopped:
        def beat(self, done=None):  # noqa: ARG002
            # The second one is being made, and takes its time.
            threading.Timer(0.5, goes_on.set).start()
            raise Cancelled

    monkeypatch.setattr(thumbnail_runs, "_make", make_one_and_wait)
    with pytest.raises(Cancelled):
        thumbnail_runs.prepare(run, payload, Stopped())

    assert len(begun) <= 2
    assert sum(map(has_tile, dataset.images.all())) == len(begun)
    assert not [one for one in threading.enumerate() if one.name.startswith("thumbnails")]


def test_it_belongs_to_no_job(dataset):
    photos(dataset, 1)

    run = start_thumbnails(dataset)

    assert (run.job_id, run.dataset_id) == (None, None)
    assert not dataset.jobs.get().runs.exists()


def test_planning_takes_one_statement_for_all_images(dataset, django_assert_num_queries):
    photos(dataset, 3)
    run = start_thumbnails(dataset)

    with django_assert_num_queries(1):
        assert [piece.size for piece in thumbnail_runs.plan(run)] == [3]

"""The training set that comes out is what was labeled, and can be read like PaddleClas reads."""

import io
import zipfile

import pytest
from PIL import Image as Picture

from annotators.access import member_or_404
from jobs import exports, services
from jobs.selection import Selection
from labels.annotate import annotate
from runs.models import Run, RunState
from tests import make

pytestmark = pytest.mark.django_db
OPTIONS = {"format": "paddleclas", "ratios": [50, 25, 25], "seed": 0, "with_images": True}


def export(job, user, **options) -> Run:
    run = services.start_export(job, by=user, options=OPTIONS | options)
    make.finish_runs()
    run.refresh_from_db()
    return run


def label(job, user, samples, name):
    pk = job.labels.get(name=name).pk
    ids = Selection(ids=tuple(sample.pk for sample in samples))
    annotate(member_or_404(user, job.pk), ids, add=[pk])


def test_single_label_lists_name_every_labeled_image_once_with_its_index(alice):
    job = make.job(owner=alice, labels=("cat", "dog"), mode="single")
    samples = make.images(job, 10, files=True, folder="deep/er/")
    label(job, alice, samples[:4], "cat")
    label(job, alice, samples[4:8], "dog")

    run = export(job, alice)

    assert run.state == RunState.DONE
    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert archive.read("label_list.txt").decode() == "0 cat\n1 dog\n"
        lines = [
            line.strip().split(" ")
            for name in ("train", "val", "test")
            for line in archive.read(f"{name}_list.txt").decode().splitlines()
        ]
        assert sorted(int(index) for _path, index in lines) == [0] * 4 + [1] * 4
        assert len({path for path, _index in lines}) == 8
        for path, _index in lines:
            with Picture.open(io.BytesIO(archive.read(path))) as picture:
                picture.load()
    assert run.counts == {"train": 4, "val": 2, "test": 2}


def test_several_labels_are_written_one_hot(alice):
    job = make.job(owner=alice, labels=("cat", "dog", "cow"))
    samples = make.images(job, 2, files=True)
    label(job, alice, samples, "cat")
    label(job, alice, samples[:1], "cow")

    run = export(job, alice, ratios=[100, 0, 0])

    with zipfile.ZipFile(exports.file_of(run)) as archive:
        lines = archive.read("train_list.txt").decode().splitlines()
    assert [line.split("\t")[1] for line in lines] == ["1,0,1", "1,0,0"]


def test_without_images_the_zip_holds_lists_alone(alice):
    job = make.job(owner=alice)
    samples = make.images(job, 2, files=True)
    label(job, alice, samples, "cat")

    run = export(job, alice, with_images=False)

    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"txt", "json"}


def test_a_file_that_is_gone_is_reported_and_no_list_names_it(alice):
    job = make.job(owner=alice)
    samples = make.images(job, 3, files=True)
    label(job, alice, samples, "cat")
    (make.folder_of(job) / samples[1].path).unlink()

    run = export(job, alice, ratios=[100, 0, 0])

    assert run.state == RunState.DONE
    assert list(run.problems.values_list("item", "code")) == [(samples[1].path, "missing")]
    with zipfile.ZipFile(exports.file_of(run)) as archive:
        assert len(archive.read("train_list.txt").decode().splitlines()) == 2


def test_two_exports_with_the_same_seed_split_alike(alice):
    job = make.job(owner=alice)
    label(job, alice, make.images(job, 20, files=True), "cat")

    first, second = export(job, alice), export(job, alice)

    def lists(run):
        with zipfile.ZipFile(exports.file_of(run)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if "list" in name}

    assert lists(first) == lists(second)

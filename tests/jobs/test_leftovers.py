"""What a job leaves behind on the disk goes with it, once it is gone for good."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from jobs import exports, services
from jobs.description import pictures
from jobs.models import Change, Job, Sample
from jobs.selection import Selection
from labels.annotate import annotate
from labels.models import Annotation, Label
from labels.undo import undo_last
from runs.models import Run, RunKind
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(alice):
    """With a picture in its description, a label on an image, an undo, and an export."""
    job = make.job(owner=alice)
    pictures.keep(job, SimpleUploadedFile("a.jpg", make.picture()))
    (sample,) = make.images(job, 1, files=True)
    member, label = make.membership(job, alice), job.labels.first()
    annotate(member, Selection(ids=(sample.pk,)), add=[label.pk])
    undo_last(member)
    annotate(member, Selection(ids=(sample.pk,)), add=[label.pk])
    options = {"format": "paddleclas", "ratios": [100, 0, 0], "seed": 0, "with_images": True}
    services.start_export(job, by=alice, options=options)
    make.finish_runs()
    return job


def export_of(job):
    return exports.file_of(job.runs.get(kind=RunKind.EXPORT))


def test_pictures_and_exports_go_with_a_job_and_images_stay(job):
    folder, file, image = pictures.folder_of(job), export_of(job), make.folder_of(job)
    assert folder.is_dir()
    assert file.exists()

    job.delete()

    assert not folder.exists()
    assert not file.exists()
    assert [path.suffix for path in image.iterdir()] == [".jpg"]
    for model in (Job, Sample.everything, Annotation, Label.everything, Change, Run):
        rows = model if hasattr(model, "all") else model.objects
        assert not rows.exists()


def test_nothing_goes_when_the_deletion_is_taken_back(job):
    folder, file = pictures.folder_of(job), export_of(job)

    with transaction.atomic():
        job.delete()
        transaction.set_rollback(True)

    assert folder.is_dir()
    assert file.exists()


def test_what_belongs_to_another_job_stays(job, alice):
    other = make.job(owner=alice)
    pictures.keep(other, SimpleUploadedFile("a.jpg", make.picture()))
    folder, file = pictures.folder_of(job), export_of(job)
    others = pictures.folder_of(other)

    other.delete()

    assert not others.exists()
    assert folder.is_dir()
    assert file.exists()


def test_an_export_that_is_deleted_alone_takes_its_file_along(job):
    file = export_of(job)

    job.runs.get(kind=RunKind.EXPORT).delete()

    assert not file.exists()
    assert pictures.folder_of(job).is_dir()

"""Images come in from a folder, and what cannot be taken is named with its reason."""

import pytest
from PIL import Image as Picture

from annotators.access import member_or_404
from datasets.sources import FolderSource
from jobs import counters, services
from jobs.models import Job
from jobs.selection import Selection
from labelhub.errors import DomainError
from labels.annotate import annotate
from runs.models import Run, RunState
from tests import make

pytestmark = pytest.mark.django_db


def run_sync(job: Job) -> Run:
    run = services.synchronize(job.dataset, job=job, by=None)
    make.finish_runs()
    run.refresh_from_db()
    return run


@pytest.fixture
def job(alice):
    return make.job(owner=alice)


def test_every_image_of_the_folder_becomes_a_sample(job):
    for name in ("b.jpg", "a/one.jpg", "a/b/two.jpeg"):
        make.jpeg(make.folder_of(job) / name)

    run = run_sync(job)

    assert run.state == RunState.DONE
    assert set(job.samples.values_list("path", flat=True)) == {"b.jpg", "a/one.jpg", "a/b/two.jpeg"}
    assert (run.total, run.done, run.counts) == (3, 3, {"added": 3})
    assert counters.read(job) == {"state:unlabeled": 3}


def test_a_second_import_changes_nothing(job):
    make.jpeg(make.folder_of(job) / "a.jpg")
    run_sync(job)

    again = run_sync(job)

    assert again.counts == {"already": 1}
    assert job.samples.count() == 1
    assert counters.drift(job) == {}


def test_new_files_are_added_and_labels_stay(job, alice):
    make.jpeg(make.folder_of(job) / "a.jpg")
    run_sync(job)
    sample, label = job.samples.get(), job.labels.first()
    annotate(member_or_404(alice, job.pk), Selection(ids=(sample.pk,)), add=[label.pk])
    make.jpeg(make.folder_of(job) / "b.jpg")

    run = run_sync(job)

    assert run.counts == {"added": 1, "already": 1}
    assert sample.annotations.count() == 1
    assert counters.read(job)["state:labeled"] == 1


def test_bad_files_are_named_with_the_reason_and_the_rest_is_imported(job):
    folder = make.folder_of(job)
    make.jpeg(folder / "good.jpg")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no image")
    make.jpeg(folder / "cut.jpg", size=(400, 300))
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    Picture.new("1", (11_000, 11_000)).save(folder / "huge.png")

    run = run_sync(job)

    assert run.state == RunState.DONE
    assert [sample.path for sample in job.samples.all()] == ["good.jpg"]
    assert dict(run.problems.values_list("item", "code")) == {
        "empty.jpg": "empty-file",
        "text.png": "not-an-image",
        "cut.jpg": "truncated",
        "huge.png": "too-many-pixels",
    }
    assert run.counts == {"added": 1, "refused": 4}


def test_a_wrong_extension_is_a_remark_and_the_image_is_taken(job):
    folder = make.folder_of(job)
    Picture.new("RGB", (8, 8)).save(folder / "picture.jpg", "PNG")

    run = run_sync(job)

    assert job.samples.count() == 1
    assert list(run.problems.values_list("item", "code")) == [("picture.jpg", "wrong-extension")]


def test_jobs_over_one_folder_share_its_images(job, alice):
    make.jpeg(make.folder_of(job) / "a.jpg")
    run_sync(job)
    second = make.job(owner=alice, dataset=job.dataset)

    run_sync(second)

    assert second.samples.get().image == job.samples.get().image
    assert counters.drift(second) == counters.drift(job) == {}


def test_a_file_that_changed_keeps_its_sample_and_gets_its_new_size(job):
    path = make.folder_of(job) / "a.jpg"
    make.jpeg(path, size=(10, 10))
    run_sync(job)
    make.jpeg(path, size=(20, 30))

    run = run_sync(job)

    image = job.samples.get().image
    assert (image.width, image.height) == (20, 30)
    assert run.counts == {"changed": 1}


def test_a_folder_that_is_gone_ends_the_import_at_once_and_says_so(job):
    make.folder_of(job).rmdir()

    run = run_sync(job)

    assert run.state == RunState.FAILED
    assert run.problems.get().code == "folder-missing"
    assert run.chunks.get().attempt == 1


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("", "no-folder"),
        ("/etc", "outside-allowed-roots"),
        ("{root}/none", "folder-missing"),
        ("{root}/../..", "outside-allowed-roots"),
    ],
)
def test_a_folder_that_cannot_be_used_makes_no_job(alice, settings, folder, code):
    with pytest.raises(DomainError) as refused:
        services.create_job(
            name="Pets",
            mode="multi",
            source=FolderSource(folder.format(root=settings.IMAGE_ROOTS[0])),
            by=alice,
        )

    assert refused.value.code == code
    assert not Job.objects.exists()

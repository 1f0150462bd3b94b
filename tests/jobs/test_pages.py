"""Pages of jobs: the list, a new one, thumbnails, adding images, export, runs."""

import io
import shutil
import zipfile

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as Picture
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from annotators.roles import Role
from datasets import thumbnails
from jobs.models import Job, SampleState
from runs.models import RunKind, RunState
from tests import make
from tests.jobs.test_surfaces import grid, put, view

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def job(alice):
    return make.job(owner=alice, labels=("cat", "dog", "cow"))


# Thumbnails and images ---------------------------------------------------------------------------
@pytest.fixture
def photo(job):
    # Numbers of rows come again in each test, and with them the names of kept thumbnails.
    shutil.rmtree(settings.DATA_DIR / "thumbnails", ignore_errors=True)
    (sample,) = make.images(job, 1, files=True)
    return sample


def thumbnail_address(sample, size: str = "tile") -> str:
    key = thumbnails.content_key(sample.image)
    return reverse("thumbnail", args=[sample.job_id, sample.pk, size, key])


def test_a_thumbnail_is_made_once_and_kept_for_ever(photo, alice):
    client, address = make.client(alice), thumbnail_address(photo)

    first = client.get(address)
    (make.folder_of(photo.job) / photo.path).unlink()
    second = client.get(address)

    assert Picture.open(io.BytesIO(first.content)).format == "WEBP"
    assert second.content == first.content
    assert "immutable" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]


def test_a_thumbnail_of_other_content_has_another_address(photo):
    before = thumbnail_address(photo)

    photo.image.etag = "changed"

    assert thumbnail_address(photo) != before


def test_an_old_address_shows_the_picture_of_now_and_is_not_kept(photo, alice):
    address = reverse("thumbnail", args=[photo.job_id, photo.pk, "tile", "0123456789abcdef"])

    response = make.client(alice).get(address)

    assert response.status_code == 200
    assert "immutable" not in response["Cache-Control"]


def test_no_half_thumbnail_is_left_behind(photo, alice):
    make.client(alice).get(thumbnail_address(photo))

    name = thumbnails.content_key(photo.image)
    folder = settings.DATA_DIR / "thumbnails" / name[:2]
    assert [path.name for path in folder.iterdir() if name in path.name] == [f"{name}.webp"]


@pytest.mark.parametrize("content", [b"", b"no image at all", None])
def test_an_image_that_cannot_be_shown_is_refused_with_the_reason(content, photo, alice):
    path = make.folder_of(photo.job) / photo.path
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    client = make.client(alice)

    for address in (thumbnail_address(photo), reverse("image", args=[photo.job_id, photo.pk])):
        response = client.get(address)
        assert response.status_code == 404
        assert response["Content-Type"].startswith("text/plain")
        assert response.content
        assert "immutable" not in response["Cache-Control"]


def test_the_image_is_the_file_itself_and_is_not_sent_twice(photo, alice):
    client, address = make.client(alice), reverse("image", args=[photo.job_id, photo.pk])

    first = client.get(address)
    again = client.get(address, HTTP_IF_NONE_MATCH=first["ETag"])

    assert b"".join(first) == (make.folder_of(photo.job) / photo.path).read_bytes()
    assert first["Content-Type"] == "image/jpeg"
    assert again.status_code == 304
    assert again.content == b""


def test_the_image_that_the_viewer_shows_is_kept_for_ever(photo, alice):
    client = make.client(alice)

    response = client.get(view(client, photo).context["image_url"])

    assert "immutable" in response["Cache-Control"]


def test_an_image_that_browsers_cannot_show_is_converted(job, alice):
    (sample,) = make.images(job, 1)
    path = make.folder_of(job) / sample.path
    Picture.new("RGB", (30, 20), "teal").save(path, "TIFF")

    response = make.client(alice).get(reverse("image", args=[job.pk, sample.pk]))

    assert response["Content-Type"] == "image/jpeg"
    assert Picture.open(io.BytesIO(b"".join(response))).size == (30, 20)


# Jobs --------------------------------------------------------------------------------------------
def test_the_list_shows_progress_in_three_statements(
    job, alice, bob, django_assert_max_num_queries
):
    put(job, alice, make.images(job, 4)[:1], "cat")
    for number in range(5):
        make.job(owner=alice, name=f"Job {number}")
    client = make.client(alice)

    with django_assert_max_num_queries(4):
        response = client.get(reverse("job_list"))

    assertContains(response, "1 of 4")
    assertContains(make.client(bob).get(reverse("job_list")), "No jobs yet")


def new_job(client, **fields):
    data = {"name": "Cats", "mode": "multi", "source": "folder", "labels": ""} | fields
    return client.post(reverse("job_new"), data)


def test_a_job_over_a_folder_of_the_server(alice):
    folder = settings.IMAGE_ROOTS[0] / "chosen"
    make.jpeg(folder / "one.jpg")

    response = new_job(make.client(alice), folder=str(folder), labels="cat, dog\n鸟、鱼")
    make.finish_runs()

    job = Job.objects.get(name="Cats")
    assertRedirects(response, reverse("job", args=[job.pk]))
    assert [one.name for one in job.labels.all()] == ["cat", "dog", "鸟", "鱼"]
    assert job.samples.count() == 1


def test_a_label_that_cannot_be_one_is_named_with_its_suggestion(alice):
    response = new_job(make.client(alice), folder=str(settings.IMAGE_ROOTS[0]), labels="red fox")

    assertContains(response, "red_fox", status_code=422)
    assert not Job.objects.exists()


def test_the_suggested_names_can_be_taken(alice):
    client = make.client(alice)
    data = {"name": "Cats", "labels": "red fox\ncat\nred_fox"}

    with_script = client.post(reverse("label_preview"), data | {"fix": "1"})
    without = client.post(reverse("job_new"), data | {"fix": "1"})

    for response in (with_script, without):
        assertContains(response, "red_fox\ncat</textarea>")
    assertContains(without, 'value="Cats"')


def test_a_folder_outside_the_allowed_roots_is_refused_before_it_is_looked_at(alice):
    response = new_job(make.client(alice), folder="/etc")

    assertContains(response, "/etc: Images may not be taken", status_code=422)
    assert not Job.objects.exists()


def test_a_job_with_uploaded_files_takes_the_good_ones(alice):
    client = make.client(alice)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("in/two.jpg", picture())
    files = [
        SimpleUploadedFile("one.jpg", picture()),
        SimpleUploadedFile("pack.zip", packed.getvalue()),
    ]

    new_job(client, source="upload", files=files)
    make.finish_runs()

    job = Job.objects.get()
    assert sorted(job.samples.values_list("path", flat=True)) == ["in/two.jpg", "one.jpg"]


def picture() -> bytes:
    content = io.BytesIO()
    Picture.new("RGB", (8, 8), "olive").save(content, "JPEG")
    return content.getvalue()


def test_a_script_is_told_where_to_send_the_files(alice):
    response = new_job(make.client(alice, **HTMX), source="upload")

    job = Job.objects.get()
    assert response.status_code == 204
    assert reverse("api_uploads", args=[job.pk]) in response["HX-Trigger"]


# Folders of the server ---------------------------------------------------------------------------
def folders(client, path: str = ""):
    return client.get(reverse("folders"), {"path": path})


def test_folders_are_listed_inside_the_allowed_roots(alice):
    root = settings.IMAGE_ROOTS[0] / "browsed"
    make.jpeg(root / "b" / "x.jpg")
    make.jpeg(root / "a.jpg")
    (root / ".hidden").mkdir()

    found = folders(make.client(alice), str(root)).context["folder"]

    assert [name for name, _path in found.folders] == ["b"]
    assert found.images == 1
    assert found.parent == str(settings.IMAGE_ROOTS[0])


def test_above_an_allowed_root_nothing_is_offered(alice):
    found = folders(make.client(alice)).context["folder"]

    assert found.path == str(settings.IMAGE_ROOTS[0])
    assert found.parent == ""


@pytest.mark.parametrize("path", ["/", "/etc/passwd", "../..", "\0", "~nobody-here"])
def test_other_folders_are_not_looked_into(path, alice):
    found = folders(make.client(alice), path).context["folder"]

    assert found.problem
    assert found.folders == []


def test_who_may_not_create_jobs_does_not_see_the_folders(bob):
    assert folders(make.client(bob)).status_code == 403


# Adding images, export, runs ---------------------------------------------------------------------
def test_new_files_in_the_folder_are_looked_for(job, alice):
    make.jpeg(make.folder_of(job) / "new.jpg")

    response = make.client(alice).post(reverse("synchronize", args=[job.pk]))
    make.finish_runs()

    assertRedirects(response, reverse("job", args=[job.pk]))
    assert job.samples.get().path == "new.jpg"


def test_an_import_shows_what_it_could_not_take(job, alice):
    (make.folder_of(job) / "empty.jpg").write_bytes(b"")
    client = make.client(alice)
    client.post(reverse("synchronize", args=[job.pk]))
    make.finish_runs()
    run = job.runs.get(kind=RunKind.SYNC)

    page = client.get(reverse("run", args=[job.pk, run.pk]))

    assertContains(page, "empty.jpg")
    assertContains(page, "0 bytes")
    assertContains(grid(client, job), reverse("run", args=[job.pk, run.pk]))


# The test client is synchronous, the web process is not.
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_an_export_is_asked_for_listed_and_downloaded(job, alice):
    put(job, alice, make.images(job, 10, files=True), "cat")
    client, address = make.client(alice), reverse("export", args=[job.pk])

    client.post(address, {"train": 80, "val": 10, "test": 10, "seed": 3, "with_images": "on"})
    waiting = client.get(address)
    make.finish_runs()
    run = job.runs.get(kind=RunKind.EXPORT)
    done = client.get(address)
    content = b"".join(client.get(reverse("download", args=[job.pk, run.pk])))

    assert run.params["ratios"] == [80, 10, 10]
    assertContains(waiting, 'hx-trigger="every')
    assertNotContains(done, 'hx-trigger="every')
    assertContains(done, "8 train, 1 val, 1 test")
    assert "train_list.txt" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_shares_that_do_not_add_up_are_refused(job, alice):
    put(job, alice, make.images(job, 1), "cat")

    response = make.client(alice).post(
        reverse("export", args=[job.pk]), {"train": 80, "val": 10, "test": 20, "seed": 0}
    )

    assertContains(response, "110", status_code=422)
    assert not job.runs.exists()


def test_an_export_that_is_not_done_cannot_be_downloaded(job, alice):
    put(job, alice, make.images(job, 1, files=True), "cat")
    client = make.client(alice)
    client.post(reverse("export", args=[job.pk]), {"train": 100, "val": 0, "test": 0, "seed": 0})
    run = job.runs.get()

    assert client.get(reverse("download", args=[job.pk, run.pk])).status_code == 404


def test_a_run_is_cancelled_and_taken_up_again_by_those_who_may(job, alice, bob):
    make.member(job, bob, Role.LABELER)
    client = make.client(alice)
    client.post(reverse("synchronize", args=[job.pk]))
    run = job.runs.get()
    address = reverse("run", args=[job.pk, run.pk])

    assert make.client(bob).post(address, {"command": "cancel"}).status_code == 403
    assertNotContains(make.client(bob).get(address), 'value="cancel"')
    client.post(address, {"command": "cancel"})
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED

    client.post(address, {"command": "retry"})
    make.finish_runs()
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_an_unknown_command_of_a_run_is_refused(job, alice):
    client = make.client(alice)
    client.post(reverse("synchronize", args=[job.pk]))

    response = client.post(reverse("run", args=[job.pk, job.runs.get().pk]), {"command": "eat"})

    assert response.status_code == 400


def test_a_state_has_one_name_everywhere(job, alice):
    make.images(job, 1)

    response = grid(make.client(alice), job)

    for state in SampleState:
        assertContains(response, f">{state.label} <")

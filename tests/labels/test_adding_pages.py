"""Adding data by the page and by the API: looked at first, added as it was shown, recorded."""

import io
import re
import shutil
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from annotators.roles import Role
from datasets.models import Storage
from datasets.sources import UploadSource
from jobs import counters, services
from jobs.models import Job
from runs.models import Run, RunKind
from tests import make
from tests.datasets.buckets import folder_storage

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def job(alice) -> Job:
    """A job over a folder that LabelHub only reads."""
    return make.job(owner=alice, labels=("cat",))


@pytest.fixture
def uploads_job(alice) -> Job:
    job = services.create_job(name="Uploads", mode="multi", source=UploadSource(), by=alice)
    # Files of a test whose rows were rolled back can lie where this job's will.
    shutil.rmtree(make.folder_of(job), ignore_errors=True)
    shutil.rmtree(incoming(job), ignore_errors=True)
    return job


def incoming(job: Job) -> Path:
    return make.folder_of(job).parents[1] / "incoming" / str(job.dataset_id)


@pytest.fixture
def client(alice):
    return make.client(alice)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        make.jpeg(folder / name)
    return folder


def api(job: Job, rest: str = "") -> str:
    return f"/api/jobs/{job.pk}/imports/{rest}"


def labels(job: Job) -> dict[str, str | None]:
    return dict(job.samples.values_list("path", "annotations__label__name"))


def page(job: Job) -> str:
    return reverse("add_data", args=[job.pk])


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"no {name} in the form"
    return found[1].replace("&quot;", '"')


# API ---------------------------------------------------------------------------------------------
def test_the_preview_says_what_would_come_and_writes_nothing(job, client):
    fill(make.folder_of(job), "cat/1.jpg", "cat/2.jpg", "big dog/3.jpg")

    told = client.post(api(job, "preview/"), {"state": "labeled"}, **JSON).json()

    assert (told["format"], told["images"], told["already"]) == ("folders", 3, 0)
    assert told["labels"] == [
        {"raw": "cat", "name": "cat", "is_new": False, "number": 2, "colour": 1},
        {"raw": "big dog", "name": "big_dog", "is_new": True, "number": 1, "colour": 2},
    ]
    assert told["rows"][0]["path"] == "big dog/3.jpg"
    assert not job.samples.exists()
    assert not Run.objects.exists()


def test_colours_of_the_preview_are_those_that_the_labels_get(job, client):
    fill(make.folder_of(job), "a/1.jpg", "b/2.jpg", "b/3.jpg", "c d/4.jpg")
    told = client.post(api(job, "preview/"), {"format": "folders"}, **JSON).json()

    client.post(api(job), {"format": "folders"}, **JSON)
    make.finish_runs()

    made = dict(job.labels.values_list("name", "colour"))
    assert {one["name"]: one["colour"] for one in told["labels"]} == {
        name: colour for name, colour in made.items() if name != "cat"
    }


def test_the_api_adds_data_with_labels(job, client):
    fill(make.folder_of(job), "x/cat/1.jpg", "y/2.jpg")
    body = {"path": "x", "format": "folders", "renames": {"cat": "kitten"}}

    started = client.post(api(job), body, **JSON)
    make.finish_runs()

    assert started.status_code == 201
    assert started.json()["kind"] == RunKind.IMPORT
    assert labels(job) == {"x/cat/1.jpg": "kitten"}
    assert counters.drift(job) == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ([], "invalid"),
        ({"state": "labeled"}, "format"),
        ({"state": "perhaps"}, "invalid"),
        ({"storage": 1, "folder": "/x"}, "invalid"),
        ({"state": "unlabeled", "path": "../x"}, "unsafe-name"),
    ],
)
def test_what_names_nothing_or_makes_no_sense_is_refused(job, client, body, code):
    answer = client.post(api(job), body, **JSON)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Run.objects.exists()


def test_a_storage_of_others_is_not_found(uploads_job, client, dan, image_root):
    of_dan = folder_storage(dan, image_root / "of-dan")
    fill(image_root / "of-dan", "1.jpg")
    body = {"storage": of_dan.pk, "state": "unlabeled"}

    for rest in ("", "preview/"):
        assert client.post(api(uploads_job, rest), body, **JSON).status_code == 404
    form = {"source": "storage", "storage": of_dan.pk, "state": "unlabeled", "format": "auto"}
    assert client.post(page(uploads_job), form | {"look": "1"}).status_code == 422
    assert not Run.objects.exists()


def test_a_manager_who_may_not_make_jobs_does_not_look_into_the_server(
    uploads_job, carol, image_root
):
    make.member(uploads_job, carol, Role.MANAGER)
    fill(image_root / "server", "1.jpg")
    body = {"folder": str(image_root / "server"), "state": "unlabeled"}
    client = make.client(carol)

    for rest in ("", "preview/"):
        assert client.post(api(uploads_job, rest), body, **JSON).status_code == 403
    text = client.get(page(uploads_job)).content.decode()
    assert 'value="folder"' not in text
    assert 'value="storage"' not in text


def test_what_labelhub_keeps_for_others_is_no_folder_of_the_server(uploads_job, client, settings):
    settings.IMAGE_ROOTS = [*settings.IMAGE_ROOTS, settings.DATA_DIR]
    body = {"folder": str(settings.DATA_DIR / "uploads"), "state": "unlabeled"}

    for rest in ("", "preview/"):
        answer = client.post(api(uploads_job, rest), body, **JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "own-folder")


def test_label_files_are_read_with_their_lists_of_classes(job, client):
    folder = fill(make.folder_of(job), "1.jpg", "2.jpg")
    (folder / "my_list.txt").write_text("1.jpg 0\n2.jpg 1\n")
    (folder / "label_list.txt").write_text("0 cat\n1 dog\n")
    body = {"format": "paddleclas", "files": ["my_list.txt"]}

    assert client.post(api(job, "preview/"), body, **JSON).json()["companions"] == [
        "label_list.txt"
    ]
    client.post(api(job), body, **JSON)
    make.finish_runs()

    assert labels(job) == {"1.jpg": "cat", "2.jpg": "dog"}


def test_synchronizing_takes_no_body(job, client):
    fill(make.folder_of(job), "1.jpg")

    assert client.post(f"/api/jobs/{job.pk}/synchronize/").status_code == 201
    make.finish_runs()

    assert job.samples.count() == 1


# Uploads -----------------------------------------------------------------------------------------
def upload(client, job: Job, path: str, content: bytes) -> None:
    address = reverse("api_uploads", args=[job.pk]) + f"?path={path}"
    answer = client.put(address, content, content_type="application/octet-stream")
    assert answer.status_code == 201


def jpeg(tmp_path: Path, number: int) -> bytes:
    make.jpeg(tmp_path / "one.jpg", number=number)
    return (tmp_path / "one.jpg").read_bytes()


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def imported(client, job: Job, **body) -> Run:
    since = timezone.now() - timedelta(minutes=1)
    given = {"state": "labeled", "uploaded_since": since.isoformat()} | body
    answer = client.post(api(job), given, **JSON)
    assert answer.status_code == 201, answer.content
    make.finish_runs()
    run = Run.objects.get(pk=answer.json()["id"])
    assert run.state == "done", list(run.problems.values())
    assert counters.drift(job) == {}
    return run


def test_the_labels_of_an_uploaded_zip_are_found_once_it_is_unpacked(uploads_job, client, tmp_path):
    files = {f"set/{n}.jpg": jpeg(tmp_path, n) for n in range(3)}
    files |= {"set/train_list.txt": b"0.jpg 0\n1.jpg 1\n", "set/label_list.txt": b"0 cat\n1 dog\n"}
    upload(client, uploads_job, "set.zip", zipped(files))

    run = imported(client, uploads_job)

    assert labels(uploads_job) == {"set/0.jpg": "cat", "set/1.jpg": "dog", "set/2.jpg": None}
    assert run.counts == {"added": 3, "labeled": 2}
    assert run.params["format"] == "paddleclas"


def test_folders_of_an_upload_label_no_older_images(uploads_job, client, tmp_path):
    upload(client, uploads_job, "batch-1/0.jpg", jpeg(tmp_path, 0))
    old = make.folder_of(uploads_job) / "batch-1/0.jpg"
    before = timezone.now().timestamp() - 3600
    shutil.os.utime(old, (before, before))
    services.synchronize(uploads_job.dataset, by=None)
    make.finish_runs()
    for name in ("cat", "dog"):
        upload(client, uploads_job, f"{name}/1.jpg", jpeg(tmp_path, 1))

    imported(client, uploads_job, format="folders")

    assert labels(uploads_job) == {"batch-1/0.jpg": None, "cat/1.jpg": "cat", "dog/1.jpg": "dog"}


def test_lists_of_an_earlier_upload_are_not_read_again(uploads_job, client, tmp_path):
    old = make.folder_of(uploads_job) / "train_list.txt"
    upload(client, uploads_job, "train_list.txt", b"cat/1.jpg 0\n")
    before = timezone.now().timestamp() - 3600
    shutil.os.utime(old, (before, before))
    for name in ("cat", "dog"):
        upload(client, uploads_job, f"{name}/1.jpg", jpeg(tmp_path, 1))

    run = imported(client, uploads_job)

    assert run.params["format"] == "folders"


def test_an_upload_without_labels_comes_in_and_says_so(uploads_job, client, tmp_path):
    upload(client, uploads_job, "1.jpg", jpeg(tmp_path, 1))

    run = imported(client, uploads_job)

    assert labels(uploads_job) == {"1.jpg": None}
    assert run.problems.get().code == "no-labels-found"


def test_a_format_that_an_upload_lacks_is_told_and_the_images_come_in(
    uploads_job, client, tmp_path
):
    upload(client, uploads_job, "cat/1.jpg", jpeg(tmp_path, 1))

    run = imported(client, uploads_job, format="csv_table")

    assert labels(uploads_job) == {"cat/1.jpg": None}
    assert run.problems.get().code == "no-label-file"


def test_without_scripts_the_form_uploads_and_labels(uploads_job, client, tmp_path):
    files = {f"{name}/1.jpg": jpeg(tmp_path, at) for at, name in enumerate(("cat", "dog"))}
    sent = SimpleUploadedFile("set.zip", zipped(files), content_type="application/zip")
    form = {"source": "upload", "state": "labeled", "format": "folders", "files": [sent]}

    answer = client.post(page(uploads_job), form | {"upload": "1"})
    make.finish_runs()

    run = uploads_job.runs.get()
    assert answer.url == reverse("run", args=[uploads_job.pk, run.pk])
    assert labels(uploads_job) == {"cat/1.jpg": "cat", "dog/1.jpg": "dog"}


def test_an_upload_of_nothing_is_refused(uploads_job, client):
    form = {"source": "upload", "state": "unlabeled", "format": "auto", "upload": "1"}

    answer = client.post(page(uploads_job), form)

    assert answer.status_code == 422
    assert "Choose images or a zip first." in answer.content.decode()
    assert not Run.objects.exists()


# The page ----------------------------------------------------------------------------------------
def test_the_page_looks_and_then_adds_what_it_showed(uploads_job, client, image_root):
    folder = fill(image_root / "by-page", "cat/1.jpg", "old dog/2.jpg")
    form = {"source": "folder", "folder": str(folder), "state": "labeled", "format": "auto"}

    shown = client.post(page(uploads_job), form | {"look": "1"}).content.decode()
    assert not Run.objects.exists()
    assert "A folder for each label" in shown
    assert hidden(shown, "renamed") == "old_dog"
    add = {"seen": hidden(shown, "seen"), "found_format": hidden(shown, "found_format"), "add": "1"}
    answer = client.post(page(uploads_job), form | add | {"raw": ["old dog"], "renamed": ["puppy"]})
    make.finish_runs()

    run = uploads_job.runs.get()
    assert answer.url == reverse("run", args=[uploads_job.pk, run.pk])
    assert labels(uploads_job) == {"cat/1.jpg": "cat", "old dog/2.jpg": "puppy"}


@pytest.mark.parametrize(
    "change", [{"path": "cat"}, {"state": "to_confirm"}, {"format": "folders"}]
)
def test_a_form_that_was_changed_is_looked_at_once_more(job, client, change):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg")
    form = {"source": "own", "path": "", "state": "labeled", "format": "auto"}
    shown = client.post(page(job), form | {"look": "1"}).content.decode()
    add = {"seen": hidden(shown, "seen"), "found_format": hidden(shown, "found_format"), "add": "1"}

    answer = client.post(page(job), form | add | change)

    assert answer.status_code == 200
    assert "The form was changed since" in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("found", [{}, {"found_format": "no"}, {"found_file": "../../x"}])
def test_what_comes_back_from_the_preview_is_checked(job, client, found):
    fill(make.folder_of(job), "cat/1.jpg", "dog/2.jpg")
    form = {"source": "own", "path": "", "state": "labeled", "format": "auto"}
    shown = client.post(page(job), form | {"look": "1"}).content.decode()

    answer = client.post(page(job), form | {"seen": hidden(shown, "seen"), "add": "1"} | found)

    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_nothing_is_added_without_a_look(job, client):
    fill(make.folder_of(job), "1.jpg")
    form = {"source": "own", "path": "", "state": "unlabeled", "format": "auto", "add": "1"}

    assert client.post(page(job), form).status_code == 200
    assert not Run.objects.exists()


def test_images_without_labels_have_no_button_to_add_them_labeled(job, client):
    fill(make.folder_of(job), "1.jpg")
    form = {"source": "own", "path": "", "state": "labeled", "format": "auto", "look": "1"}

    shown = client.post(page(job), form).content.decode()

    assert "Nothing was found that names labels." in shown
    assert 'name="add"' not in shown


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"source": "storage"}, "Choose a storage"),
        ({"source": "folder"}, "Choose a folder."),
        ({"source": "folder", "folder": "/etc"}, "id_folder"),
        ({"source": "own", "path": "../.."}, "id_path"),
        ({"source": "own", "state": "labeled", "format": "csv_table"}, "no label file"),
    ],
)
def test_what_is_wrong_in_the_form_is_told_beside_it(uploads_job, client, form, told):
    given = {"state": "unlabeled", "format": "auto", "look": "1"} | form

    answer = client.post(page(uploads_job), given)

    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_where_nothing_may_be_written_only_the_own_folder_is_offered(job, client):
    text = client.get(page(job)).content.decode()

    assert "LabelHub does not write to" in text
    assert 'name="files"' not in text
    assert (
        client.post(
            page(job), {"source": "upload", "state": "unlabeled", "format": "auto"}
        ).status_code
        == 422
    )


def test_folders_of_the_dataset_are_opened_with_and_without_scripts(job, client):
    fill(make.folder_of(job), "a/b/1.jpg", "a/2.jpg")
    here = reverse("job_folders", args=[job.pk])

    part = client.get(here, {"path": "a"}).content.decode()
    whole = client.post(page(job), {"browse_path": "a/", "state": "labeled"}).content.decode()

    for text in (part, whole):
        assert "1 image here" in text
        assert 'value="a/b/"' in text
    assert "<html" not in part
    assert 'value="a/"' in client.get(here, {"path": "a/b"}).content.decode()


def test_another_storage_is_copied_into_a_folder_of_the_dataset(
    uploads_job, client, alice, image_root
):
    fill(image_root / "of-alice", "deep/cat/1.jpg")
    storage = folder_storage(alice, image_root / "of-alice")
    body = {"storage": storage.pk, "path": "deep", "into": "new", "format": "folders"}

    client.post(api(uploads_job), body, **JSON)
    make.finish_runs()

    assert labels(uploads_job) == {"new/cat/1.jpg": "cat"}


# Records -----------------------------------------------------------------------------------------
def test_every_import_and_synchronization_is_recorded(uploads_job, client, alice, image_root):
    fill(image_root / "recorded", "cat/1.jpg")
    (image_root / "recorded" / "bad.jpg").write_text("no image")
    storage = folder_storage(
        alice,
        image_root / "recorded",
    )
    client.post(api(uploads_job), {"storage": storage.pk, "format": "folders"}, **JSON)
    client.post(f"/api/jobs/{uploads_job.pk}/synchronize/")
    services.synchronize(uploads_job.dataset, by=None)
    make.finish_runs()

    by_itself, sync, added = client.get(api(uploads_job)).json()["results"]

    assert (by_itself["by"], sync["by"], added["by"]) == (None, "Alice", "Alice")
    assert added["source"] == "recorded: /"
    assert added["mode"] == "A folder for each label (ImageNet) · Labeled"
    assert added["counts"] == {"added": 1, "labeled": 1, "refused": 1}
    assert added["problems"] == 1
    assert added["seconds"] is not None
    text = client.get(reverse("import_list", args=[uploads_job.pk])).content.decode()
    assert "1 file to look at" in text
    assert "By itself" in text


def test_a_storage_that_is_gone_leaves_its_records(uploads_job, client, alice, image_root):
    storage = folder_storage(alice, fill(image_root / "gone", "1.jpg"))
    client.post(api(uploads_job), {"storage": storage.pk, "state": "unlabeled"}, **JSON)
    make.finish_runs()
    Storage.objects.filter(pk=storage.pk).delete()

    (record,) = client.get(api(uploads_job)).json()["results"]

    assert record["source"] == "A storage that is no longer connected: /"


def test_records_of_another_job_over_the_dataset_are_its_own(job, client, dan):
    other = make.job(owner=dan, dataset=job.dataset)
    body = {"state": "unlabeled"}
    make.client(dan).post(api(other), body, **JSON)

    assert client.get(api(job)).json()["results"] == []
    assert "No records yet" in client.get(reverse("import_list", args=[job.pk])).content.decode()


def test_records_have_pages(job, client, monkeypatch):
    monkeypatch.setattr("labels.adding.views.RECORDS_PER_PAGE", 1)
    for _turn in range(2):
        services.synchronize(job.dataset, job=job, by=None)
        make.finish_runs()
    first, second = job.runs.order_by("pk")
    here = reverse("import_list", args=[job.pk])

    text = client.get(here).content.decode()
    assert f"?before={second.pk}" in text
    assert reverse("run", args=[job.pk, first.pk]) not in text
    text = client.get(f"{here}?before={second.pk}").content.decode()
    assert reverse("run", args=[job.pk, first.pk]) in text
    assert 'rel="next"' not in text

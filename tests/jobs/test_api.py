"""The API of jobs: create, upload, import, page through, export."""

import io
import zipfile

import pytest
from PIL import Image as Picture

from jobs.models import Job
from tests import make

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


def jpeg(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (8, 6), colour).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def client(alice):
    return make.client(alice)


@pytest.fixture
def upload_job(client, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    body = {"name": "Pets", "mode": "multi", "labels": ["cat", "dog"]}
    return Job.objects.get(pk=client.post("/api/jobs/", body, **JSON).json()["id"])


def upload(client, job, path: str, content: bytes):
    address = f"/api/jobs/{job.pk}/uploads/?path={path}"
    return client.put(address, content, content_type="application/octet-stream")


def run_import(client, job) -> dict:
    run = client.post(f"/api/jobs/{job.pk}/synchronize/", {}, **JSON).json()
    make.finish_runs()
    return client.get(f"/api/jobs/{job.pk}/runs/{run['id']}/").json()


def test_a_job_is_created_with_its_labels_and_its_owner(client):
    body = {"name": " Pets ", "mode": "single", "labels": ["cat", "Hund", "猫"]}

    answer = client.post("/api/jobs/", body, **JSON)

    job = answer.json()
    assert answer.status_code == 201
    assert (job["name"], job["role"]) == ("Pets", "owner")
    assert [label["name"] for label in job["labels"]] == ["cat", "Hund", "猫"]
    assert len({label["colour"] for label in job["labels"]}) == 3


@pytest.mark.parametrize(
    ("labels", "code"),
    [(["big cat"], "label_name"), (["cat", "cat"], "label_exists"), ([" "], "label_name")],
)
def test_a_label_that_is_refused_makes_no_job(client, labels, code):
    body = {"name": "Pets", "mode": "single", "labels": labels}

    answer = client.post("/api/jobs/", body, **JSON)

    assert (answer.status_code, answer.json()["code"]) == (
        409 if code == "label_exists" else 400,
        code,
    )
    assert not Job.objects.exists()


def test_a_label_with_a_space_is_refused_with_a_name_that_would_do(client, upload_job):
    answer = client.post(f"/api/jobs/{upload_job.pk}/labels/", {"name": "big cat"}, **JSON)

    assert answer.status_code == 400
    assert answer.json()["suggestion"] == "big_cat"
    assert "big cat" in answer.json()["message"]


def test_uploaded_files_become_samples(client, upload_job):
    assert upload(client, upload_job, "a.jpg", jpeg()).json()["outcome"] == "stored"
    assert upload(client, upload_job, "deep/b.jpg", jpeg()).json()["outcome"] == "stored"

    run = run_import(client, upload_job)

    assert (run["state"], run["counts"]) == ("done", {"added": 2})
    page = client.get(f"/api/jobs/{upload_job.pk}/samples/").json()
    assert [sample["path"] for sample in page["results"]] == ["a.jpg", "deep/b.jpg"]


def test_an_upload_that_is_repeated_changes_nothing(client, upload_job):
    upload(client, upload_job, "a.jpg", jpeg())

    assert upload(client, upload_job, "a.jpg", jpeg()).json()["outcome"] == "already"


def test_another_file_under_the_same_name_is_refused_and_the_first_stays(client, upload_job):
    upload(client, upload_job, "a.jpg", jpeg("red"))

    answer = upload(client, upload_job, "a.jpg", jpeg("blue"))

    assert (answer.status_code, answer.json()["code"]) == (400, "name-taken-by-other")
    assert "a.jpg" in answer.json()["message"]
    assert (make.folder_of(upload_job) / "a.jpg").read_bytes() == jpeg("red")


@pytest.mark.parametrize("path", ["../a.jpg", "a/../../b.jpg", "", "..%2fa.jpg", "%00.jpg"])
def test_an_upload_never_leaves_the_folder_of_its_job(client, upload_job, settings, path):
    before = sorted(settings.DATA_DIR.rglob("*.jpg"))

    answer = upload(client, upload_job, path, jpeg())

    assert (answer.status_code, answer.json()["code"]) == (400, "unsafe-name")
    assert sorted(settings.DATA_DIR.rglob("*.jpg")) == before


def test_a_file_above_the_limit_is_refused_before_it_is_kept(client, upload_job, settings):
    settings.MAX_IMAGE_BYTES = 100

    answer = upload(client, upload_job, "a.jpg", jpeg())

    assert (answer.status_code, answer.json()["code"]) == (400, "too-large-file")


def test_a_zip_is_unpacked_by_the_import_and_what_is_refused_in_it_is_named(client, upload_job):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("cats/a.jpg", jpeg("red"))
        archive.writestr("dogs/a.jpg", jpeg("blue"))
        archive.writestr("../evil.jpg", jpeg())
        archive.writestr("broken.jpg", b"no image")
        archive.writestr("__MACOSX/._a.jpg", b"junk")
    assert upload(client, upload_job, "pets.zip", file.getvalue()).json()["outcome"] == "archive"

    run = run_import(client, upload_job)

    assert run["state"] == "done"
    assert set(upload_job.samples.values_list("path", flat=True)) == {"cats/a.jpg", "dogs/a.jpg"}
    problems = client.get(f"/api/jobs/{upload_job.pk}/runs/{run['id']}/problems/").json()
    assert {(one["item"], one["code"]) for one in problems["results"]} == {
        ("pets.zip/../evil.jpg", "unsafe-name"),
        ("broken.jpg", "not-an-image"),
    }
    assert run_import(client, upload_job)["counts"] == {
        "already": 2,
        "refused_before": 1,
    }


def test_a_job_over_a_folder_takes_no_uploads(client, alice):
    job = make.job(owner=alice)

    answer = upload(client, job, "a.jpg", jpeg())

    assert (answer.status_code, answer.json()["code"]) == (409, "not_an_upload_job")
    assert list(make.folder_of(job).iterdir()) == []


def test_pages_are_keyset_and_lose_nothing_while_people_label(client, alice):
    job = make.job(owner=alice)
    make.images(job, 10)
    label, seen, after = job.labels.first().pk, [], 0

    while after is not None:
        page = client.get(
            f"/api/jobs/{job.pk}/samples/?state=unlabeled&limit=3&after={after}"
        ).json()
        ids = [sample["id"] for sample in page["results"]]
        client.post(f"/api/jobs/{job.pk}/annotate/", {"ids": ids, "add": [label]}, **JSON)
        seen += ids
        after = page["next"]

    assert len(seen) == len(set(seen)) == 10


def test_a_page_of_samples_takes_the_same_statements_whatever_its_length(
    client, alice, django_assert_max_num_queries
):
    job = make.job(owner=alice)
    samples = make.images(job, 100)
    ids = [sample.pk for sample in samples]
    body = {"ids": ids, "add": list(job.labels.values_list("pk", flat=True))}
    client.post(f"/api/jobs/{job.pk}/annotate/", body, **JSON)

    with django_assert_max_num_queries(8):
        page = client.get(f"/api/jobs/{job.pk}/samples/?limit=100").json()

    assert len(page["results"]) == 100
    assert len(page["results"][0]["labels"]) == 2


def test_what_nobody_may_retry_is_not_retried(client, alice):
    job = make.job(owner=alice)
    run = run_import(client, job)

    answer = client.post(f"/api/jobs/{job.pk}/runs/{run['id']}/retry/", {}, **JSON)

    assert (answer.status_code, answer.json()["code"]) == (409, "run")

"""The API of jobs: create, upload, import, page through, export."""

import io
import zipfile
from urllib.parse import urlencode

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
        ("pets.zip", "junk-left-out"),
    }
    assert run_import(client, upload_job)["counts"] == {
        "already": 2,
        "refused_before": 1,
    }


def send_part(client, job, content: bytes, start: int, end: int, path="big.bmp", **headers):
    query = urlencode({"path": path, "size": len(content), "modified": 7})
    if not headers:
        query += f"&offset={start}"
    address = f"/api/jobs/{job.pk}/uploads/?{query}"
    kind = "application/octet-stream"
    return client.put(address, content[start:end], content_type=kind, headers=headers)


def ask(client, job, content: bytes, path="big.bmp"):
    query = {"path": path, "size": len(content), "modified": 7}
    return client.get(f"/api/jobs/{job.pk}/uploads/", query)


def test_a_file_in_parts_goes_on_where_it_is_said_to_be(client, upload_job):
    content = jpeg()

    first = send_part(client, upload_job, content, 0, 100)
    asked = ask(client, upload_job, content)
    wrong = send_part(client, upload_job, content, 200, 300)
    last = send_part(client, upload_job, content, 100, len(content))

    assert (first.status_code, first.json()["offset"], first.json()["outcome"]) == (202, 100, None)
    assert (asked.status_code, asked.json()["offset"]) == (200, 100)
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["offset"]) == (409, "offset", 100)
    assert (last.status_code, last.json()["outcome"]) == (201, "stored")
    assert (make.folder_of(upload_job) / "big.bmp").read_bytes() == content


def test_the_offset_stands_in_a_header_too(client, upload_job):
    content = jpeg()
    send_part(client, upload_job, content, 0, 100)
    query = urlencode({"path": "big.bmp", "size": len(content), "modified": 7})

    answer = client.head(f"/api/jobs/{upload_job.pk}/uploads/?{query}")

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (200, "100")
    assert answer.content == b""


def test_scripts_can_say_the_range_in_a_header(client, upload_job):
    content, size = jpeg(), len(jpeg())

    first = send_part(
        client, upload_job, content, 0, 100, **{"Content-Range": f"bytes 0-99/{size}"}
    )
    wrong = [
        send_part(client, upload_job, content, 100, 200, **{"Content-Range": text})
        for text in (f"bytes 100-200/{size}", "100-199", "bytes 100-199/*")
    ]
    send_part(client, upload_job, content, 100, size)

    assert (first.status_code, first.json()["offset"]) == (202, 100)
    assert [answer.status_code for answer in wrong] == [400] * 3
    assert (make.folder_of(upload_job) / "big.bmp").read_bytes() == content


@pytest.mark.parametrize("query", ["size=5", "modified=1", "offset=0", "size=x&modified=1"])
def test_a_part_says_of_which_version_of_which_file(client, upload_job, query):
    address = f"/api/jobs/{upload_job.pk}/uploads/?path=a.jpg&{query}"

    answer = client.put(address, b"12345", content_type="application/octet-stream")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_an_upload_that_is_given_up_is_removed(client, upload_job, settings):
    content = jpeg()
    send_part(client, upload_job, content, 0, 100)
    query = urlencode({"path": "big.bmp", "size": len(content), "modified": 7})

    answer = client.delete(f"/api/jobs/{upload_job.pk}/uploads/?{query}")

    assert answer.status_code == 204
    assert ask(client, upload_job, content).json()["offset"] == 0
    assert not list((settings.DATA_DIR / "incoming").rglob("*.part"))


def test_others_cannot_go_on_with_an_upload(client, upload_job, bob):
    make.member(upload_job, bob, "manager")
    content = jpeg()
    send_part(client, upload_job, content, 0, 100)

    assert ask(make.client(bob), upload_job, content).json()["offset"] == 0


def test_what_is_there_already_is_said_for_many_files_at_once(client, upload_job):
    content = jpeg()
    upload(client, upload_job, "a.jpg", content)
    files = [{"path": f"{number}.jpg", "size": 1} for number in range(997)]
    files += [{"path": "a.jpg", "size": len(content)}, {"path": "in/Thumbs.db", "size": 3}]

    answer = client.post(f"/api/jobs/{upload_job.pk}/uploads/known/", {"files": files}, **JSON)
    many = client.post(
        f"/api/jobs/{upload_job.pk}/uploads/known/", {"files": [*files, *files]}, **JSON
    )

    assert answer.json() == {"known": ["a.jpg"], "junk": ["in/Thumbs.db"]}
    assert (many.status_code, many.json()["code"]) == (400, "invalid")


def test_names_of_a_chinese_windows_are_read_from_a_zip(client, upload_job):
    name = "苹果/图片.jpg".encode("gbk")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x" * len(name), jpeg())
        archive.writestr("labels.csv", "苹果/图片.jpg,apple")
    # Windows does not mark names as UTF-8, as zipfile does.
    packed = file.getvalue().replace(b"x" * len(name), name)
    upload(client, upload_job, "pets.zip", packed)

    run_import(client, upload_job)

    assert list(upload_job.samples.values_list("path", flat=True)) == ["苹果/图片.jpg"]
    assert (make.folder_of(upload_job) / "labels.csv").read_text() == "苹果/图片.jpg,apple"


def test_a_job_over_a_folder_takes_no_uploads(client, alice):
    job = make.job(owner=alice)

    answer = upload(client, job, "a.jpg", jpeg())

    assert (answer.status_code, answer.json()["code"]) == (409, "not_an_upload_job")
    assert list(make.folder_of(job).iterdir()) == []


def test_pages_are_keyset_and_lose_nothing_while_people_label(client, alice):
    job = make.job(owner=alice)
    make.images(job, 10)
    label, seen, cursor = job.labels.first().pk, [], ""

    while cursor is not None:
        page = client.get(
            f"/api/jobs/{job.pk}/samples/?state=unlabeled&limit=3&cursor={cursor}"
        ).json()
        ids = [sample["id"] for sample in page["results"]]
        client.post(f"/api/jobs/{job.pk}/annotate/", {"ids": ids, "add": [label]}, **JSON)
        seen += ids
        cursor = page["next"]

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

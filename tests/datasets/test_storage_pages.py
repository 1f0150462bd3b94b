"""Connecting real buckets on the pages: what works is remembered, what does not is told in words
that say what to do."""

import io
import json

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from datasets import services
from datasets.models import Storage
from datasets.sources import StorageSource
from jobs.services import create_job
from labelhub import env
from tests import make
from tests.datasets.buckets import keys, typed
from tests.services.fault_proxy import FaultProxy, answered

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.service,
    pytest.mark.xdist_group("s3"),
]
HTMX = {"HTTP_HX_REQUEST": "true"}
JSON = {"content_type": "application/json"}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings, monkeypatch):
    settings.STORAGE_ADDRESSES = tuple(env.addresses("127.0.0.1"))
    # Pauses between attempts.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.fixture
def bucket(s3_server):
    with s3_server.bucket() as name:
        yield name


@pytest.fixture
def fields(s3_server, bucket):
    """What somebody types to connect the bucket."""
    return fields_of(s3_server, bucket)


def fields_of(server, bucket: str) -> dict[str, str]:
    return typed(
        endpoint=server.endpoint,
        bucket=bucket,
        access_key=server.access_key,
        secret_key=server.secret_key,
    )


def connect(client, **fields):
    return client.post(reverse("storage_new"), fields)


def states(response) -> list[str]:
    return [row.state for row in response.context["steps"]]


def test_a_bucket_is_connected_and_what_it_allows_is_remembered(fields, bucket, alice):
    response = connect(make.client(alice), **fields, prefix="photos")

    storage = Storage.objects.get()
    assertRedirects(response, reverse("storage", args=[storage.pk]))
    assert (storage.bucket, storage.prefix, storage.owner) == (bucket, "photos/", alice)
    assert (storage.can_write, storage.can_delete, storage.verdict) == (True, True, "open")
    page = make.client(alice).get(reverse("storage", args=[storage.pk]))
    assert states(page) == ["passed"] * 4
    assertContains(page, "owners of jobs can have files deleted")


def test_typed_values_are_tested_without_storing_anything(fields, s3_server, bucket, alice):
    client = make.client(alice)

    page = connect(client, **fields, test="1")
    api = client.post(reverse("api_place_check"), fields | {"kind": "s3"}, **JSON)

    assert states(page) == ["passed"] * 4
    assertContains(page, "The connection works")
    assert api.json()["is_usable"]
    assert api.json()["can_delete"]
    assert not Storage.objects.exists()
    assert list(s3_server.storage(bucket).list()) == []


def test_the_test_of_a_storage_comes_alone_to_a_script(fields, alice):
    connect(make.client(alice), **fields)
    address = reverse("storage_check", args=[Storage.objects.get().pk])

    scripted = make.client(alice, **HTMX).post(address)
    plain = make.client(alice).post(address)

    assertContains(scripted, 'id="tested"')
    assertNotContains(scripted, "<html")
    assert plain.status_code == 302


def test_a_wrong_secret_key_is_told_and_nothing_is_stored_unless_asked_for(fields, alice):
    client = make.client(alice)
    wrong = fields | {"secret_key": "not-the-one"}

    response = connect(client, **wrong)

    assertContains(response, "The connection does not work yet")
    assertContains(response, "Copy both once more, without spaces.")
    assertNotContains(response, "not-the-one")
    assert states(response) == ["failed", "untried", "untried", "untried"]
    assert not Storage.objects.exists()

    connect(client, **wrong, anyway="1")
    storage = Storage.objects.get()
    assert storage.verdict == "failed"

    right = {name: fields[name] for name in ("access_key", "secret_key")}
    client.post(reverse("storage_keys", args=[storage.pk]), right)
    storage.refresh_from_db()
    assert storage.verdict == "open"


def test_a_missing_bucket_is_told(fields, alice):
    response = connect(make.client(alice), **fields | {"bucket": "no-such-bucket-here"})

    assertContains(response, "There is no such bucket. Check its name, the endpoint and the region")


def test_a_bucket_in_which_nothing_is_deleted_is_accepted_and_explained(fields, s3_server, alice):
    with FaultProxy(s3_server.endpoint) as proxy:
        for method, query in [("POST", "delete"), ("DELETE", "")]:
            proxy.spoil(answered(403, "AccessDenied"), method=method, query=query, times=9)
        response = connect(make.client(alice), **fields | {"endpoint": proxy.endpoint})
        storage = Storage.objects.get()
        page = make.client(alice).get(response.url)

    assert (storage.can_write, storage.can_delete, storage.verdict) == (True, False, "keeps")
    assert states(page) == ["passed", "passed", "passed", "failed"]
    assertContains(page, "s3:DeleteObject")
    assertContains(page, "The test file was left behind")
    assertContains(page, "files cannot be deleted from LabelHub")


def test_a_bucket_for_reading_only_is_accepted_and_its_jobs_take_no_uploads(ceph, alice):
    bob = ceph.another_person()
    with ceph.bucket() as bucket:
        ceph.storage(bucket).put("a.jpg", io.BytesIO(b"a"))
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam:::user/{bob.access_key}"]},
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        ceph.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

        response = connect(make.client(alice), **fields_of(bob, bucket))
        page = make.client(alice).get(response.url)

    storage = Storage.objects.get()
    assert (storage.can_write, storage.verdict) == (False, "reads")
    assertContains(page, "LabelHub only reads here")
    job = create_job(name="x", mode="multi", source=StorageSource(storage), by=alice)
    assert not job.dataset.takes_uploads
    address = reverse("api_uploads", args=[job.pk]) + "?path=b.jpg"
    upload = make.client(alice).put(address, b"b", content_type="application/octet-stream")
    assert upload.status_code == 409


def test_a_storage_that_is_away_is_told_and_not_taken_for_read_only(fields, s3_server, alice):
    connect(make.client(alice), **fields)
    storage = Storage.objects.get()
    with FaultProxy(s3_server.endpoint) as proxy:
        Storage.objects.update(endpoint=proxy.endpoint)
        storage.refresh_from_db()
        proxy.spoil(answered(503, "SlowDown"), method="PUT", times=9)
        services.check_storage_now(storage, by=alice)

    storage.refresh_from_db()
    assert (storage.verdict, storage.can_write) == ("failed", None)


def test_what_is_no_storage_is_told(alice):
    with FaultProxy() as web:
        web.spoil(answered(200, body=b"<!doctype html><p>Hello"), times=9)
        response = connect(make.client(alice), **typed(endpoint=web.endpoint))

    assertContains(response, "What answers there does not speak S3.")


def test_a_job_over_a_folder_in_a_bucket_gets_images(s3_server, bucket, fields, alice, tmp_path):
    make.jpeg(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    for key in ("2023/old.jpg", "2024/a.jpg", "2024/may/b.jpg"):
        s3_server.storage(bucket).put(key, io.BytesIO(content))
    client = make.client(alice)
    connect(client, **fields)
    storage = Storage.objects.get()

    looked = client.get(reverse("storage_folders"), {"storage": storage.pk}).context["looked"]
    assert [name for name, _prefix in looked.folders] == ["2023", "2024"]
    body = {"name": "A", "mode": "multi", "storage": storage.pk, "prefix": "2024"}
    job = client.post("/api/jobs/", body, **JSON).json()
    make.finish_runs()

    page = client.get(f"/api/jobs/{job['id']}/samples/").json()
    assert [sample["path"] for sample in page["results"]] == ["a.jpg", "may/b.jpg"]
    sample = page["results"][0]
    image = client.get(reverse("image", args=[job["id"], sample["id"]]), {"stream": 1})
    assert b"".join(image) == content


def test_keys_given_to_no_one_stay_out_of_the_log(fields, alice, caplog):
    caplog.set_level("DEBUG")

    connect(make.client(alice), **fields)
    connect(make.client(alice), **fields | {"secret_key": "wrong-secret-of-alice"}, test="1")

    assert fields["secret_key"] not in caplog.text
    assert "wrong-secret-of-alice" not in caplog.text
    assert keys().secret_key.reveal() not in caplog.text

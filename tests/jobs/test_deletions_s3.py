"""Deleting source files from buckets of real servers, through servers that fail."""

import io
import json
import secrets

import pytest
from django.conf import settings
from PIL import Image as Picture

from datasets.models import Dataset, Storage, StorageKind
from datasets.secrets import Secret
from datasets.storages.s3_connection import Keys
from jobs import counters, deletions, services
from jobs.models import Job
from jobs.selection import Selection
from labelhub import env
from labelhub.errors import Conflict
from runs import engine
from runs.models import Chunk, Run, RunState
from tests import make
from tests.services.fault_proxy import FaultProxy, answered, rewritten

pytestmark = [
    pytest.mark.service,
    pytest.mark.xdist_group("s3"),
    pytest.mark.django_db,
]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(monkeypatch):
    monkeypatch.setattr(settings, "STORAGE_ADDRESSES", tuple(env.addresses("127.0.0.1")))
    # Pauses between attempts are left out.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def bucket_storage(server, *, bucket: str = "", prefix: str | None = None, **fields) -> Storage:
    """A row for a place of its own in the bucket of a server."""
    made = Storage(
        name="Bucket",
        kind=StorageKind.S3,
        endpoint=fields.pop("endpoint", server.endpoint),
        bucket=bucket or server.shared,
        prefix=f"tests/{secrets.token_hex(6)}" if prefix is None else prefix,
        **fields,
    )
    made.set_keys(Keys(access_key=server.access_key, secret_key=Secret(server.secret_key)))
    made.save()
    return made


def job_over(storage: Storage, owner, number: int, *, prefix: str = "photos/") -> Job:
    """A job over pictures below the prefix, beside one that is none of its business."""
    dataset = Dataset.objects.create(
        name="Photos", storage=storage, prefix=prefix, created_by=owner
    )
    driver = storage.driver()
    for at in range(number):
        driver.put(f"{prefix}image-{at:03}.jpg", picture(at))
    if prefix:
        driver.put("beside.jpg", picture(255))
    job = make.job(owner=owner, dataset=dataset)
    services.synchronize(job.dataset, job=job, by=None)
    make.finish_runs()
    assert job.samples.count() == number
    return job


def picture(number: int) -> io.BytesIO:
    made = io.BytesIO()
    Picture.new("RGB", (16, 12), (number * 7 % 256, 9, 9)).save(made, "JPEG")
    made.seek(0)
    return made


def start(job: Job, user) -> Run:
    chosen = tuple(job.samples.order_by("pk").values_list("pk", flat=True))
    member = make.membership(job, user)
    return deletions.start_deletion(member, Selection(ids=chosen, expected=len(chosen)))


def finish(run: Run) -> Run:
    """Works until nothing is left, with every pause over at once."""
    while True:
        Chunk.objects.exclude(lease_until=None).update(lease_until="2020-01-01T00:00:00Z")
        if not engine.work_once("tests"):
            run.refresh_from_db()
            return run


def keys(storage: Storage) -> list[str]:
    return [entry.key for entry in storage.driver().list()]


def problems(run: Run) -> list[tuple[str, str]]:
    return list(run.problems.order_by("item").values_list("item", "code"))


@pytest.fixture
def proxy(s3_server):
    with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


def test_objects_and_rows_go_and_what_lies_beside_the_prefix_stays(s3_server, alice):
    storage = bucket_storage(s3_server, can_delete=True)
    job = job_over(storage, alice, 5)

    run = finish(start(job, alice))

    assert (run.state, run.counts) == (RunState.DONE, {"deleted": 5})
    assert keys(storage) == ["beside.jpg"]
    assert not job.dataset.images.exists()
    assert counters.drift(job) == {}


def test_a_bucket_that_was_never_tested_is_tested_by_who_gave_its_keys(s3_server, alice):
    storage = bucket_storage(s3_server, owner=alice)
    job = job_over(storage, alice, 2)
    assert deletions.obstacle(make.membership(job, alice)).can_test

    run = finish(start(job, alice))

    storage.refresh_from_db()
    assert (run.counts, storage.can_delete) == ({"deleted": 2}, True)
    assert keys(storage) == ["beside.jpg"]


def test_one_object_that_the_store_refuses_stays_with_its_reason(s3_server, proxy, alice):
    storage = bucket_storage(s3_server, endpoint=proxy.endpoint, can_delete=True)
    job = job_over(storage, alice, 3)
    full = f"{storage.prefix}/photos/image-001.jpg"

    def refuse_one(_request, _forward):
        deleted = "".join(
            f"<Deleted><Key>{storage.prefix}/photos/image-{number}.jpg</Key></Deleted>"
            for number in ("000", "002")
        )
        error = f"<Error><Key>{full}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
        return answered(200, body=f"<DeleteResult>{deleted}{error}</DeleteResult>".encode())(
            _request, _forward
        )

    proxy.spoil(refuse_one, method="POST", query="delete")

    run = finish(start(job, alice))

    assert (run.state, run.counts) == (RunState.DONE, {"deleted": 2, "failed": 1})
    assert problems(run) == [("image-001.jpg", "delete-denied")]
    assert [sample.path for sample in job.samples.all()] == ["image-001.jpg"]
    assert counters.drift(job) == {}


def test_a_store_that_is_busy_for_a_while_costs_time_alone(s3_server, proxy, alice):
    storage = bucket_storage(s3_server, endpoint=proxy.endpoint, can_delete=True)
    job = job_over(storage, alice, 3)
    # More often than the library asks by itself.
    proxy.spoil(answered(503, "SlowDown"), method="POST", query="delete", times=6)

    run = finish(start(job, alice))

    assert (run.state, run.counts, problems(run)) == (RunState.DONE, {"deleted": 3}, [])
    assert run.chunks.get(number=1).attempt > 1
    assert keys(storage) == ["beside.jpg"]


def test_a_store_that_stays_busy_ends_the_run_and_it_can_be_taken_up(s3_server, proxy, alice):
    storage = bucket_storage(s3_server, endpoint=proxy.endpoint, can_delete=True)
    job = job_over(storage, alice, 2)
    proxy.spoil(answered(503, "SlowDown"), method="POST", query="delete", times=500)

    run = finish(start(job, alice))
    assert (run.state, job.samples.count()) == (RunState.FAILED, 2)
    assert "overloaded" in run.error

    proxy.spoil(lambda _request, forward: forward(), method="POST", query="delete", times=50)
    engine.retry(run)
    run = finish(run)

    assert (run.state, run.counts, run.error) == (RunState.DONE, {"deleted": 2}, "")
    assert counters.drift(job) == {}


def test_objects_whose_deletion_the_store_did_not_confirm_are_asked_for_again(
    s3_server, proxy, alice
):
    storage = bucket_storage(s3_server, endpoint=proxy.endpoint, can_delete=True)
    job = job_over(storage, alice, 2)
    silent = rewritten(lambda _body: b"<DeleteResult></DeleteResult>")
    proxy.spoil(silent, method="POST", query="delete")

    run = finish(start(job, alice))

    assert (run.counts, problems(run)) == ({"deleted": 2}, [])
    assert keys(storage) == ["beside.jpg"]


def test_an_object_that_was_replaced_stays(s3_server, alice):
    storage = bucket_storage(s3_server, can_delete=True)
    job = job_over(storage, alice, 2)
    storage.driver().put("photos/image-000.jpg", picture(99))

    run = finish(start(job, alice))

    assert problems(run) == [("image-000.jpg", "changed-since-taken")]
    assert keys(storage) == ["beside.jpg", "photos/image-000.jpg"]


def read_only(ceph, bucket: str):
    """Bob, whom Alice lets list and read her bucket."""
    bob = ceph.another_person()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam:::user/{bob.access_key}"]},
        "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ceph.client().put_bucket_policy(Bucket=bucket, Policy=policy)
    return bob


def test_a_bucket_for_reading_only_is_found_out_before_anything_is_tried(ceph, alice):
    with ceph.bucket() as bucket:
        ceph.storage(bucket).put("a.jpg", picture(1))
        guest = read_only(ceph, bucket)
        storage = bucket_storage(guest, bucket=bucket, prefix="", owner=alice)
        job = make.job(
            owner=alice, dataset=Dataset.objects.create(name="R", storage=storage, created_by=alice)
        )
        services.synchronize(job.dataset, job=job, by=None)
        make.finish_runs()

        with pytest.raises(Conflict) as refused:
            start(job, alice)

        storage.refresh_from_db()
        assert "does not let LabelHub delete files" in refused.value.message
        assert (storage.can_write, storage.can_delete) == (False, False)
        assert job.samples.count() == 1


def test_a_bucket_that_was_closed_since_its_test_keeps_every_row(ceph, alice):
    with ceph.bucket() as bucket:
        ceph.storage(bucket).put("a.jpg", picture(1))
        guest = read_only(ceph, bucket)
        storage = bucket_storage(guest, bucket=bucket, prefix="", can_delete=True)
        job = make.job(
            owner=alice, dataset=Dataset.objects.create(name="R", storage=storage, created_by=alice)
        )
        services.synchronize(job.dataset, job=job, by=None)
        make.finish_runs()

        run = finish(start(job, alice))

        assert (run.state, run.counts) == (RunState.DONE, {"failed": 1})
        assert problems(run) == [("a.jpg", "delete-denied")]
        assert (keys(storage), job.samples.count()) == (["a.jpg"], 1)

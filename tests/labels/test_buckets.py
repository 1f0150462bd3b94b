"""A bucket on a real server, from connecting it to deciding about what vanished, through the API;
and what becomes of a synchronization when the store fails in the middle of it."""

import io
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from PIL import Image as Picture

from annotators.models import User
from datasets.models import Dataset
from jobs import counters
from jobs.models import Job
from labelhub import env
from runs.models import Run, RunKind
from tests import make
from tests.services.fault_proxy import FaultProxy, answered, broken_off, truncated

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("s3"), pytest.mark.django_db]
JSON = {"content_type": "application/json"}
LISTING = "list-type=2"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(monkeypatch):
    monkeypatch.setattr(settings, "STORAGE_ADDRESSES", tuple(env.addresses("127.0.0.1")))
    # Pauses between attempts are left out.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def picture(number: int) -> io.BytesIO:
    held = io.BytesIO()
    Picture.new("RGB", (32, 24), (number * 37 % 256, number * 71 % 256, 90)).save(held, "PNG")
    held.seek(0)
    return held


class Bucket:
    """A place of its own in the shared bucket, and the API over it as Alice uses it."""

    def __init__(self, server, alice: User, *, endpoint: str = "") -> None:
        self.prefix = f"tests/{secrets.token_hex(6)}"
        self.driver = server.storage(server.shared, prefix=self.prefix)
        self.client = make.client(alice)
        connected = self.post(
            "/api/storages/",
            kind="s3",
            name="Photos",
            endpoint=endpoint or server.endpoint,
            bucket=server.shared,
            prefix=self.prefix,
            addressing="path",
            access_key=server.access_key,
            secret_key=server.secret_key,
        )
        self.storage = connected["id"]
        self.job: Job | None = None

    def post(self, address: str, **body):
        answer = self.client.post(address, body, **JSON)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def put(self, *numbers: int, shift: int = 0) -> None:
        for number in numbers:
            self.driver.put(f"photos/{number:03}.png", picture(number + shift))

    def make_job(self) -> None:
        made = self.post(
            "/api/jobs/",
            name="Street finds",
            mode="multi",
            storage=self.storage,
            prefix="photos",
            labels=["cat"],
        )
        make.finish_runs()
        self.job = Job.objects.get(pk=made["id"])

    @property
    def dataset(self) -> Dataset:
        return Dataset.objects.get(pk=self.job.dataset_id)

    def synchronized(self) -> Run:
        started = self.post(f"/api/jobs/{self.job.pk}/synchronize/")
        make.finish_runs()
        return Run.objects.get(pk=started["id"])

    def retried(self, run: Run) -> Run:
        self.post(f"/api/jobs/{self.job.pk}/runs/{run.pk}/retry/")
        make.finish_runs()
        return Run.objects.get(pk=run.pk)

    def missing(self) -> list[dict]:
        address = f"/api/datasets/{self.job.dataset_id}/images/?problem=missing"
        return self.client.get(address).json()["results"]

    def counts(self) -> dict[str, int]:
        assert counters.drift(self.job) == {}
        return self.client.get(f"/api/jobs/{self.job.pk}/").json()["counts"]


def test_a_bucket_from_connecting_to_what_vanished(s3_server, alice):
    bucket = Bucket(s3_server, alice)
    bucket.put(1, 2, 3)
    bucket.make_job()
    assert bucket.counts()["state:unlabeled"] == 3
    assert bucket.dataset.summary["formats"] == {"PNG": 3}

    # Labels stay with their images, whatever comes.
    job, label = bucket.job, bucket.job.labels.get()
    ids = list(job.samples.order_by("path").values_list("pk", flat=True))
    bucket.post(f"/api/jobs/{job.pk}/annotate/", ids=ids[:2], add=[label.pk])

    bucket.put(4, 5)
    assert bucket.synchronized().counts == {"added": 2, "already": 3}
    bucket.put(1, shift=100)
    assert bucket.synchronized().counts == {"changed": 1, "already": 4}
    assert bucket.counts()["state:labeled"] == 2

    assert all(one.deleted for one in bucket.driver.delete(["photos/002.png", "photos/005.png"]))
    assert bucket.synchronized().counts == {"missing": 2, "already": 3}
    gone = bucket.missing()
    assert [one["path"] for one in gone] == ["002.png", "005.png"]
    assert bucket.dataset.summary["missing"] == 2

    here = f"/api/datasets/{job.dataset_id}/missing/"
    assert bucket.post(here, action="keep", ids=[gone[0]["id"]])["images"] == 1
    removed = bucket.post(here, action="remove", all=True)
    assert (removed["images"], removed["removed"]) == (1, 1)
    paths = job.samples.order_by("path").values_list("path", flat=True)
    assert list(paths) == ["001.png", "002.png", "003.png", "004.png"]
    bucket.post(f"/api/jobs/{job.pk}/undo/")
    assert job.samples.count() == 5

    # What was kept is not asked about again; what comes back is no longer missing.
    assert bucket.synchronized().counts == {"already": 3}
    bucket.put(2)
    assert bucket.synchronized().counts["already"] == 3
    assert [one["path"] for one in bucket.missing()] == ["005.png"]
    assert bucket.counts()["state:labeled"] == 2
    kinds = bucket.client.get(f"/api/jobs/{job.pk}/imports/").json()["results"]
    assert {record["kind"] for record in kinds} == {"sync"}


def test_labels_beside_objects_are_looked_at_and_taken(s3_server, alice):
    bucket = Bucket(s3_server, alice)
    bucket.put(1, 2)
    bucket.make_job()
    bucket.put(3)
    bucket.driver.put("photos/003.txt", io.BytesIO(b"cat\nblack cat\n"))
    bucket.driver.put("photos/001.txt", io.BytesIO(b"dog\n"))
    here = f"/api/jobs/{bucket.job.pk}/imports/"

    told = bucket.post(f"{here}preview/", state="labeled")
    assert (told["format"], told["images"], told["already"]) == ("beside", 3, 2)
    assert {one["name"] for one in told["labels"]} == {"cat", "black_cat", "dog"}
    bucket.post(here, format=told["format"])
    make.finish_runs()

    found = bucket.job.samples.values_list("path", "annotations__label__name")
    assert set(found) == {
        ("001.png", "dog"),
        ("002.png", None),
        ("003.png", "cat"),
        ("003.png", "black_cat"),
    }


# A store that fails ------------------------------------------------------------------------------
@pytest.fixture
def proxy(ceph) -> Iterator[FaultProxy]:
    with FaultProxy(ceph.endpoint) as made:
        yield made


@pytest.fixture
def bucket(ceph, alice, proxy) -> Bucket:
    made = Bucket(ceph, alice, endpoint=proxy.endpoint)
    made.put(1, 2, 3)
    made.make_job()
    assert made.job.samples.count() == 3
    return made


FAULTS = [
    pytest.param(broken_off(after=300), {"connection-lost"}, id="reset"),
    pytest.param(broken_off(), {"connection-lost", "endpoint-unreachable"}, id="no-answer"),
    pytest.param(answered(503, "SlowDown"), {"storage-busy"}, id="slow-down"),
    pytest.param(truncated(after=300), {"connection-lost", "storage-broken"}, id="truncated"),
    pytest.param(answered(500, "InternalError"), {"storage-broken"}, id="broken"),
]


@pytest.mark.parametrize(("fault", "_codes"), FAULTS)
def test_a_listing_that_fails_once_is_asked_for_again(bucket, proxy, fault, _codes):
    bucket.put(4)
    proxy.spoil(fault, query=LISTING)

    run = bucket.synchronized()

    assert (run.state, run.counts) == ("done", {"added": 1, "already": 3})
    assert bucket.missing() == []


@pytest.mark.parametrize(("fault", "codes"), FAULTS)
def test_a_listing_that_keeps_failing_says_why_and_is_taken_up_again(bucket, proxy, fault, codes):
    bucket.put(4)
    proxy.spoil(fault, query=LISTING, times=40)

    run = bucket.synchronized()

    assert run.state == "failed"
    problem = run.problems.get()
    assert problem.code in codes
    assert bucket.missing() == []
    assert bucket.job.samples.count() == 3
    told = bucket.client.get(f"/api/jobs/{bucket.job.pk}/runs/{run.pk}/problems/").json()
    assert told["results"][0]["message"]

    proxy.spoil(lambda _request, forward: forward(), query=LISTING, times=1_000)
    run = bucket.retried(run)
    assert (run.state, run.counts) == ("done", {"added": 1, "already": 3})
    assert bucket.missing() == []


def test_a_listing_cut_between_its_pages_calls_nothing_missing(bucket, proxy):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(bucket.put, range(4, 1_010)))
    assert bucket.synchronized().counts == {"added": 1_006, "already": 3}
    proxy.spoil(broken_off(after=2_000), query="continuation-token", times=40)

    run = bucket.synchronized()

    assert run.state == "failed"
    assert bucket.missing() == []
    proxy.spoil(lambda _request, forward: forward(), times=10_000)
    assert bucket.retried(run).counts == {"already": 1_009}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(broken_off(after=20), id="reset"),
        pytest.param(truncated(after=20), id="truncated"),
        pytest.param(answered(503, "SlowDown"), id="slow-down"),
    ],
)
def test_an_object_that_cannot_be_read_now_is_looked_into_the_next_time(bucket, proxy, fault):
    bucket.put(4)
    proxy.spoil(fault, method="GET", times=1_000)
    proxy.spoil(lambda _request, forward: forward(), method="GET", query=LISTING, times=1_000)

    assert bucket.synchronized().state == "done"

    image = bucket.dataset.images.get(path="004.png")
    examined = Run.objects.filter(kind=RunKind.EXAMINE).latest("pk")
    assert not image.is_examined
    assert not image.is_refused
    assert examined.problems.get().item == "004.png"
    proxy.spoil(lambda _request, forward: forward(), times=10_000)
    assert bucket.synchronized().counts == {"already": 4}
    image.refresh_from_db()
    assert (image.is_examined, image.width, image.format) == (True, 32, "PNG")

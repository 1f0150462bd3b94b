"""Uploads whose dataset lies in a bucket."""

import io
import zipfile

import pytest

from datasets import unfinished, uploads
from datasets.models import Dataset, Storage, StorageKind
from datasets.secrets import Secret
from datasets.storages.s3_connection import Keys
from datasets.there_already import there_already
from datasets.unfinished import Progress
from datasets.uploads import Stored
from labelhub.env import addresses
from labelhub.errors import Conflict, DomainError, Unavailable
from runs.kinds import Hopeless
from tests.services.fault_proxy import Answer, FaultProxy, answered

pytestmark = [pytest.mark.django_db, pytest.mark.service, pytest.mark.xdist_group("s3")]
CONTENT = bytes(range(256)) * 4_000


def reset(_request, _forward) -> Answer:
    """The connection breaks off before the store has anything."""
    return Answer(0, reset=True)


def passed(_request, forward) -> Answer:
    """All is well again."""
    return forward()


@pytest.fixture
def proxy(s3_server):
    with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def dataset(s3_server, proxy, settings, tmp_path, request, monkeypatch) -> Dataset:
    """Pauses between attempts are left out."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    settings.DATA_DIR = tmp_path
    settings.STORAGE_ADDRESSES = tuple(addresses("127.0.0.1"))
    storage = Storage(
        name="Bucket",
        kind=StorageKind.S3,
        endpoint=proxy.endpoint,
        bucket=s3_server.shared,
        prefix=f"uploads/{request.node.name}".replace("[", "-").replace("]", ""),
        can_write=True,
    )
    storage.set_keys(Keys(access_key=s3_server.access_key, secret_key=Secret(s3_server.secret_key)))
    storage.save()
    return Dataset.objects.create(name="Pets", storage=storage, prefix="in/")


def stored(dataset: Dataset, path: str) -> bytes:
    with dataset.storage.driver().open(dataset.key(path)) as stream:
        return stream.read()


def send(user, dataset: Dataset, start: int, end: int, path: str = "a.jpg") -> Progress:
    body, size = io.BytesIO(CONTENT[start:end]), len(CONTENT)
    return unfinished.take(
        user, dataset, path, body, size=size, modified=1, offset=start, length=end - start
    )


def test_a_storage_takes_uploads_where_a_test_found_that_it_may_be_written(dataset):
    assert uploads.receive(dataset, "a.jpg", io.BytesIO(CONTENT), size=len(CONTENT)) == "stored"
    assert uploads.receive(dataset, "a.jpg", io.BytesIO(CONTENT), size=len(CONTENT)) == "already"
    assert stored(dataset, "a.jpg") == CONTENT

    for can_write in (None, False):
        dataset.storage.can_write = can_write
        with pytest.raises(Conflict):
            uploads.receive(dataset, "b.jpg", io.BytesIO(CONTENT), size=len(CONTENT))


def test_what_the_bucket_has_already_is_found_by_listing_it(dataset, proxy):
    driver = dataset.storage.driver()
    for name in ("a.jpg", "b.jpg", "c/d.png", "other.jpg"):
        driver.put(dataset.key(name), io.BytesIO(name.encode()))
    proxy.requests.clear()

    names = [f"none-{number}.jpg" for number in range(500)]
    found = there_already(
        dataset, [("a.jpg", 5), ("b.jpg", 6), ("c/d.png", 7), *((name, 1) for name in names)]
    )

    assert found == {"a.jpg", "c/d.png"}
    assert len(proxy.requests) == 1


def test_after_a_broken_connection_the_bytes_are_not_sent_again(alice, dataset, proxy):
    send(alice, dataset, 0, 500_000)
    proxy.spoil(reset, method="PUT", times=20)

    with pytest.raises(Unavailable) as broken:
        send(alice, dataset, 500_000, len(CONTENT))
    there = unfinished.progress(alice, dataset, "a.jpg", size=len(CONTENT), modified=1)

    assert broken.value.code == "connection-lost"
    assert "a.jpg" in broken.value.message
    assert there == Progress(len(CONTENT))
    assert list(dataset.storage.driver().list()) == []

    proxy.spoil(passed, times=100)
    assert send(alice, dataset, len(CONTENT), len(CONTENT)).outcome == Stored.STORED
    assert stored(dataset, "a.jpg") == CONTENT
    assert not list(uploads.incoming().rglob("*.part"))


def test_keys_that_may_not_write_any_more_are_named_and_the_bytes_stay(alice, dataset, proxy):
    proxy.spoil(answered(403, "AccessDenied"), method="PUT", times=20)

    with pytest.raises(DomainError) as refused:
        send(alice, dataset, 0, len(CONTENT))

    assert refused.value.code == "write-denied"
    assert not isinstance(refused.value, Unavailable)
    there = unfinished.progress(alice, dataset, "a.jpg", size=len(CONTENT), modified=1)
    assert there == Progress(len(CONTENT))


@pytest.mark.parametrize(
    ("fault", "ends_with"),
    [(reset, Unavailable), (answered(403, "AccessDenied"), Hopeless)],
    ids=["reset", "denied"],
)
def test_an_archive_is_unpacked_whole_or_kept(dataset, proxy, fault, ends_with):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.jpg", f"{number}".encode())
    packed.seek(0)
    uploads.receive(dataset, "pets.zip", packed, size=len(packed.getvalue()))
    (name,) = uploads.waiting_archives(dataset)
    proxy.spoil(fault, method="PUT", skip=1, times=4)

    with pytest.raises(ends_with):
        list(uploads.unpack_archives(dataset, [name]))
    assert uploads.waiting_archives(dataset) == [name]

    proxy.spoil(passed, times=100)
    assert list(uploads.unpack_archives(dataset, [name])) == []
    assert [stored(dataset, f"{number}.jpg") for number in range(3)] == [b"0", b"1", b"2"]

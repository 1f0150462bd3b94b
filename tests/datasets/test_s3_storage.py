"""Images in buckets of real servers, through networks and servers that fail."""

import io
import json
import socket
import tracemalloc
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from datasets.secrets import Secret
from datasets.storages import Denied, StorageError, Unreadable
from datasets.storages.checkup import Step, check_storage
from datasets.storages.s3_connection import Addressing
from tests.services.fault_proxy import FaultProxy, answered, broken_off, rewritten, truncated
from tests.services.web import WITHOUT_PROXY

if TYPE_CHECKING:
    from datasets.storages.s3 import S3Storage

MB = 1 << 20
pytestmark = [pytest.mark.service, pytest.mark.xdist_group("s3")]


@pytest.fixture
def storage(s3_server) -> "S3Storage":
    return s3_server.storage()


@pytest.fixture
def proxy(s3_server):
    with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def shaky(s3_server, proxy, monkeypatch) -> "S3Storage":
    """A storage behind the proxy with five objects; pauses between attempts are left out."""
    storage = s3_server.storage(endpoint=proxy.endpoint, read_seconds=2)
    for name in "abcde":
        storage.put(f"{name}.jpg", io.BytesIO(name.encode() * 1_000))
    proxy.requests.clear()
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return storage


def keys(storage: "S3Storage", *args: str) -> list[str]:
    return [entry.key for entry in storage.list(*args)]


NAMES = [f"{name}.jpg" for name in "abcde"]


class Pattern(io.RawIOBase):
    """So many bytes that need no memory; `fails_at` is where reading breaks off."""

    def __init__(self, size: int, *, fails_at: int | None = None) -> None:
        self.left = size
        self.fails_at = fails_at
        self.given = 0

    def read(self, count: int = -1) -> bytes:
        if self.fails_at is not None and self.given >= self.fails_at:
            raise ConnectionResetError("the upload broke off")
        # Sockets give less than they are asked for.
        taken = min(self.left if count < 0 else count, self.left, 700_001)
        self.left -= taken
        self.given += taken
        return bytes([self.given % 251]) * taken


# Large objects


def test_a_large_object_goes_in_parts_and_is_never_whole_in_memory(storage):
    size = 41 * MB + 7
    storage.head(storage.put("warm.jpg", io.BytesIO(b"x")).key)
    tracemalloc.start()

    entry = storage.put("large.tif", Pattern(size), size=size)
    _, most_to_put = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    with storage.open("large.tif") as stream:
        there, same = 0, Pattern(size)
        while block := stream.read(MB):
            there += len(block)
    _, most_to_read = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert entry.size == there == size
    assert same.left == size
    assert most_to_put < 24 * MB
    assert most_to_read < 8 * MB


def test_a_large_object_comes_back_as_it_was(storage):
    source = Pattern(17 * MB + 1)
    content = b"".join(iter(lambda: source.read(MB), b""))

    storage.put("large.tif", io.BytesIO(content))

    assert storage.open("large.tif").read() == content
    assert (
        storage.open("large.tif", start=8 * MB - 3, length=6).read()
        == content[8 * MB - 3 : 8 * MB + 3]
    )


@pytest.mark.parametrize("promised", [8 * MB, 16 * MB, 18 * MB])
def test_a_large_stream_of_another_length_leaves_nothing(s3_server, storage, promised):
    with pytest.raises(StorageError) as refused:
        storage.put("large.tif", Pattern(17 * MB), size=promised)

    assert refused.value.code == "incomplete"
    assert_nothing_is_there(s3_server, storage)


def test_a_large_stream_that_breaks_off_leaves_nothing(s3_server, storage):
    with pytest.raises(ConnectionResetError):
        storage.put("large.tif", Pattern(30 * MB, fails_at=19 * MB))

    assert_nothing_is_there(s3_server, storage)


def assert_nothing_is_there(s3_server, storage: "S3Storage") -> None:
    assert keys(storage) == []
    uploads = s3_server.client().list_multipart_uploads(
        Bucket=s3_server.shared, Prefix=storage.connection.folder
    )
    assert uploads.get("Uploads", []) == []


def test_parts_grow_with_the_object_so_that_there_are_never_too_many():
    from datasets.storages.s3_upload import Upload

    def part(size: int | None) -> int:
        return Upload(None, bucket="b", full="k", key="k", size=size)._part_bytes

    assert part(None) == part(5) == part(80_000 * MB) == 8 * MB
    assert part(5_000_000 * MB) * 10_000 >= 5_000_000 * MB


# Addresses for browsers


def fetch(address: str, **headers: str) -> urllib.request.addinfourl:
    return WITHOUT_PROXY.open(urllib.request.Request(address, headers=headers), timeout=10)


@pytest.mark.parametrize("key", ["a b+c&d%20.jpg", "苹果/图片.jpg", "😀.jpg"])
def test_a_browser_gets_the_bytes_without_keys_for_a_while(storage, key):
    storage.put(key, io.BytesIO(b"bytes"))

    address = storage.url(key, seconds=60, download_as='Größe "1".jpg')

    with fetch(address) as answer:
        assert answer.read() == b"bytes"
        if disposition := answer.headers["Content-Disposition"]:
            assert disposition.startswith("attachment; filename*=utf-8''Gr%C3%B6")
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["60"]
    assert address.startswith(f"{storage.origin()}/")


def test_a_changed_or_late_address_is_refused(storage, monkeypatch):
    storage.put("a.jpg", io.BytesIO(b"a"))
    storage.put("b.jpg", io.BytesIO(b"b"))
    address = storage.url("a.jpg")
    shift_clock(monkeypatch, -timedelta(hours=2))
    late = storage.url("a.jpg", seconds=60)

    for wrong in (address.replace("a.jpg", "b.jpg"), late):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(wrong)
        assert refused.value.code in (400, 403)


def test_addresses_end_after_a_week_and_can_be_switched_off(s3_server):
    address = s3_server.storage().url("a.jpg", seconds=10**9)

    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["604800"]
    assert s3_server.storage(presigns=False).url("a.jpg") is None
    assert s3_server.storage(presigns=False).origin() is None


def shift_clock(monkeypatch, by: timedelta) -> None:
    from botocore import auth

    now = auth.get_current_datetime
    monkeypatch.setattr(auth, "get_current_datetime", lambda *args: now(*args) + by)


# Keys


def test_a_prefix_is_a_storage_of_its_own(s3_server):
    whole = s3_server.storage(s3_server.shared)
    one, other = s3_server.storage(), s3_server.storage()
    one.put("a.jpg", io.BytesIO(b"one"))
    other.put("a.jpg", io.BytesIO(b"other"))

    assert keys(one) == ["a.jpg"]
    assert list(one.list(after="a.jpg")) == []
    assert one.open("a.jpg").read() == b"one"
    assert f"{one.connection.folder}a.jpg" in keys(whole, one.connection.folder)
    assert [result.deleted for result in one.delete(["a.jpg"])] == [True]
    assert keys(other) == ["a.jpg"]


@pytest.mark.parametrize("key", ["../a.jpg", "a/../../b.jpg", "a/./b.jpg", "..", "", "a/", "a\0b"])
def test_no_key_leads_out_of_the_prefix(storage, key):
    for ask in (
        storage.open,
        storage.head,
        storage.url,
        lambda key: storage.put(key, io.BytesIO()),
    ):
        with pytest.raises(StorageError) as refused:
            ask(key)
        assert refused.value.code == "key-not-a-path"
    assert [result.problem for result in storage.delete([key])] == ["key-not-a-path"]


def test_names_that_no_store_takes_are_refused(storage):
    for key, code in (("\ud800.jpg", "name-not-utf8"), ("汉" * 400, "name-too-long")):
        with pytest.raises(StorageError) as refused:
            storage.put(key, io.BytesIO(b"x"))
        assert refused.value.code == code
        assert [result.problem for result in storage.delete([key])] == [code]


def test_control_characters_in_names_survive(ceph):
    """rclone writes others in their place, as some file systems need it."""
    storage = ceph.storage()
    odd = ["a\tb.jpg", "a\nb.jpg", "cr\r.jpg", "bell\x07.jpg", "end\uffff.jpg"]
    for key in odd:
        storage.put(key, io.BytesIO(key.encode()))

    assert keys(storage) == sorted(odd, key=str.encode)
    assert [storage.open(key).read() for key in odd] == [key.encode() for key in odd]
    assert all(result.deleted for result in storage.delete(odd))
    assert keys(storage) == []


def test_deleting_goes_by_the_thousand(s3_server, proxy):
    storage = s3_server.storage(endpoint=proxy.endpoint)
    for number in range(5):
        storage.put(f"{number}.jpg", io.BytesIO(b"x"))
    asked = [f"{number}.jpg" for number in range(1_500)]

    results = list(storage.delete(asked))

    assert [result.key for result in results] == asked
    assert all(result.deleted for result in results)
    assert proxy.asked(query="delete") == 2
    assert keys(storage) == []


def test_many_objects_come_in_pages(s3_server):
    storage = s3_server.storage()
    names = [f"{number:03}.jpg" for number in range(25)]
    for name in names:
        storage.put(name, io.BytesIO(b"x"))

    from datasets.storages.s3_listing import Listing

    folder = storage.connection.folder
    listing = Listing(storage._client, bucket=s3_server.shared, prefix=folder, page=4)

    assert [key.removeprefix(folder) for key, _ in listing] == names


# What people are told


def problem_of(storage: "S3Storage") -> str:
    with pytest.raises(StorageError) as refused:
        list(storage.list())
    assert str(refused.value)
    return refused.value.code


def test_wrong_keys_and_a_missing_bucket_are_told_apart(s3_server):
    keys = s3_server.connection(s3_server.shared).keys
    wrong_secret = replace(keys, secret_key=Secret("wrong-secret-key"))
    wrong_access = replace(keys, access_key="nobody-we-know")

    assert problem_of(s3_server.storage(keys=wrong_secret)) == "wrong-secret-key"
    assert problem_of(s3_server.storage(keys=wrong_access)) == "wrong-access-key"
    assert problem_of(s3_server.storage("no-such-bucket-here")) == "bucket-missing"


def test_each_of_them_is_told_for_one_object_too(s3_server):
    keys = s3_server.connection(s3_server.shared).keys
    wrong = s3_server.storage(keys=replace(keys, secret_key=Secret("wrong-secret-key")))

    for ask in (wrong.open, wrong.head, lambda key: wrong.put(key, io.BytesIO(b"x"))):
        with pytest.raises(StorageError) as refused:
            ask("a.jpg")
        assert refused.value.code == "wrong-secret-key"
    assert [result.problem for result in wrong.delete(["a.jpg"])] == ["wrong-secret-key"]


def test_a_wrong_clock_is_said_so(s3_server, monkeypatch):
    shift_clock(monkeypatch, timedelta(hours=3))

    assert problem_of(s3_server.storage()) == "clock-skew"


# Test connection


def test_a_storage_that_allows_everything_passes_and_nothing_is_left(s3_server):
    storage = s3_server.storage()

    checkup = check_storage(storage, prefix="photos/")

    assert [result.step for result in checkup.results] == list(Step)
    assert all(result.passed for result in checkup.results)
    assert checkup.is_usable
    assert checkup.can_write
    assert checkup.can_delete
    assert checkup.left_behind == ""
    whole = s3_server.client().list_objects_v2(
        Bucket=s3_server.shared, Prefix=storage.connection.folder
    )
    assert whole.get("Contents", []) == []


def test_the_first_step_that_fails_is_named_with_what_to_do(s3_server):
    checkup = check_storage(s3_server.storage("no-such-bucket-here"))

    (failure,) = checkup.failures
    assert failure.step == Step.LIST
    assert str(failure).startswith("no-such-bucket-here: There is no such bucket.")
    assert not checkup.is_usable
    assert [result.tried for result in checkup.results] == [True, False, False, False]


@pytest.fixture
def guest(ceph):
    """Bob's view of a bucket of Alice with one picture: `guest(*actions)` is what she allows."""
    bob = ceph.another_person()
    with ceph.bucket() as bucket:
        alices = ceph.storage(bucket)
        alices.put("a.jpg", io.BytesIO(b"a"))

        def allow(*actions: str) -> "S3Storage":
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam:::user/{bob.access_key}"]},
                "Action": [f"s3:{action}" for action in actions],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            ceph.client().put_bucket_policy(Bucket=bucket, Policy=policy)
            return bob.storage(bucket)

        allow.owner = alices
        yield allow


def test_a_storage_for_reading_only_is_accepted_and_told(guest):
    storage = guest("ListBucket", "GetObject")

    checkup = check_storage(storage)

    assert checkup.is_usable
    assert not checkup.can_write
    assert not checkup.can_delete
    assert checkup[Step.READ].passed
    assert checkup[Step.WRITE].problem == "write-denied"
    assert not checkup[Step.DELETE].tried
    with pytest.raises(Denied):
        storage.put("b.jpg", io.BytesIO(b"b"))
    assert [result.problem for result in storage.delete(["a.jpg"])] == ["delete-denied"]
    assert keys(guest.owner) == ["a.jpg"]


def test_without_the_permission_to_delete_the_test_file_is_named(guest):
    checkup = check_storage(guest("ListBucket", "GetObject", "PutObject"))

    assert checkup.is_usable
    assert checkup.can_write
    assert not checkup.can_delete
    assert checkup[Step.DELETE].problem == "delete-denied"
    assert "s3:DeleteObject" in str(checkup[Step.DELETE])
    left = guest.owner._client.list_objects_v2(Bucket=guest.owner.connection.bucket)["Contents"]
    assert [item["Key"] for item in left] == [checkup.left_behind, "a.jpg"]


def test_without_the_permission_to_list_or_to_read_it_is_not_usable(guest):
    unlisted = check_storage(guest("GetObject", "PutObject", "DeleteObject"))
    assert unlisted[Step.LIST].problem == "list-denied"
    assert not unlisted.is_usable

    storage = guest("ListBucket")
    unread = check_storage(storage)
    assert unread[Step.READ].problem == "read-denied"
    assert not unread.is_usable
    for ask in (storage.open, storage.head):
        with pytest.raises(Unreadable, match="s3:GetObject"):
            ask("a.jpg")


def test_a_fault_is_no_permission(s3_server, proxy, monkeypatch):
    """A storage that was down for a moment is not remembered as one for reading only."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    proxy.spoil(answered(503, "SlowDown"), method="PUT", times=10)

    checkup = check_storage(s3_server.storage(endpoint=proxy.endpoint))

    assert checkup[Step.WRITE].problem == "storage-busy"
    assert not checkup.is_usable


# Faults


@pytest.mark.parametrize(
    "fault",
    [broken_off(after=300), broken_off(), truncated(after=300), answered(503, "SlowDown")]
    + [answered(500, "InternalError"), answered(502, body=b"<html>Bad Gateway</html>")],
    ids=["reset-amid", "reset-before", "truncated", "busy", "internal", "gateway"],
)
def test_a_listing_goes_on_after_a_fault(shaky, proxy, fault):
    proxy.spoil(fault, query="list-type=2", times=2)

    assert keys(shaky) == NAMES
    assert proxy.asked(query="list-type=2") == 3


def test_a_listing_that_fails_for_good_says_why_and_is_not_taken_for_the_end(s3_server, proxy):
    from datasets.storages.s3_listing import Listing

    storage = s3_server.storage(endpoint=proxy.endpoint, attempts=2)
    for name in NAMES:
        storage.put(name, io.BytesIO(b"x"))
    proxy.spoil(broken_off(after=100), query="list-type=2", skip=1, times=10)

    listing = iter(
        Listing(storage._client, bucket=s3_server.shared, prefix=storage.connection.folder, page=2)
    )
    assert len(list(islice(listing, 2))) == 2
    with pytest.raises(StorageError) as failed:
        next(listing)

    assert failed.value.code in {"connection-lost", "storage-broken"}


def test_a_silent_server_ends_in_words(s3_server, proxy):
    storage = s3_server.storage(endpoint=proxy.endpoint, read_seconds=0.2, attempts=1)
    proxy.spoil(proxy.silence(30), times=10)

    for ask in (lambda: list(storage.list()), lambda: storage.open("a.jpg")):
        with pytest.raises(StorageError) as failed:
            ask()
        assert failed.value.code == "storage-timeout"


def test_reading_goes_on_where_it_ended_too_early(shaky, proxy):
    proxy.spoil(truncated(after=400), method="GET", times=2)

    assert shaky.open("a.jpg").read() == b"a" * 1_000
    assert [request.headers.get("Range") for request in proxy.requests] == [
        None,
        "bytes=400-999",
        "bytes=800-999",
    ]


def test_reading_goes_on_after_a_reset(shaky, proxy):
    proxy.spoil(broken_off(after=400), method="GET", times=3)

    assert shaky.open("a.jpg").read() == b"a" * 1_000
    assert proxy.asked(method="GET") == 4


def test_a_part_goes_on_where_it_broke_off(shaky, proxy):
    proxy.spoil(broken_off(after=10), method="GET")

    with shaky.open("a.jpg", start=100, length=50) as stream:
        assert stream.read() == b"a" * 50


def test_a_store_that_does_not_know_ranges_is_read_from_the_start(shaky, proxy):
    shaky.put("f.jpg", io.BytesIO(bytes(range(250)) * 4))
    whole = shaky.open("f.jpg").read()
    proxy.requests.clear()

    def without_range(_request, forward):
        answer = forward()
        headers = {
            k: v for k, v in answer.headers.items() if k not in ("Content-Length", "Content-Range")
        }
        return replace(answer, status=200, headers=headers, body=whole)

    proxy.spoil(without_range, method="GET", times=2)

    assert shaky.open("f.jpg", start=600, length=20).read() == whole[600:620]
    assert shaky.open("f.jpg", start=5_000).read() == b""


def test_reading_that_fails_for_good_is_an_error_and_never_a_short_image(shaky, proxy):
    proxy.spoil(truncated(after=100), method="GET", times=10)

    with shaky.open("a.jpg") as stream, pytest.raises(StorageError) as failed:
        stream.read()

    assert failed.value.code == "connection-lost"


def test_an_object_that_changes_while_it_is_read_is_not_mixed(s3_server, shaky, proxy):
    direct = s3_server.storage(s3_server.shared, prefix=shaky.connection.prefix)

    def replaced(request, forward):
        answer = broken_off(after=400)(request, forward)
        direct.put("a.jpg", io.BytesIO(b"z" * 1_000))
        return answer

    proxy.spoil(replaced, method="GET")

    with shaky.open("a.jpg") as stream, pytest.raises(StorageError) as failed:
        stream.read()
    assert failed.value.code == "changed-while-read"


@pytest.mark.parametrize(
    "fault",
    [broken_off(), broken_off(after=20), truncated(after=20), answered(503, "SlowDown")],
    ids=["reset-before", "reset-amid", "truncated", "busy"],
)
def test_a_deletion_that_broke_off_is_done_and_confirmed(shaky, proxy, fault):
    proxy.spoil(fault, query="delete")

    results = list(shaky.delete(["a.jpg", "c.jpg"]))

    assert [result.deleted for result in results] == [True, True]
    assert keys(shaky) == ["b.jpg", "d.jpg", "e.jpg"]


def test_a_deletion_that_fails_is_told_for_each_key(shaky, proxy):
    proxy.spoil(answered(503, "SlowDown"), query="delete", times=100)

    results = list(shaky.delete(["a.jpg", "c.jpg"]))

    assert [(result.key, result.problem) for result in results] == [
        ("a.jpg", "storage-busy"),
        ("c.jpg", "storage-busy"),
    ]
    assert keys(shaky) == NAMES


def test_a_batch_that_is_half_done_says_which_half(shaky, proxy):
    """One key the store refuses, one it forgets to mention."""
    folder = shaky.connection.folder

    def half(_body: bytes) -> bytes:
        return (
            f"<DeleteResult><Deleted><Key>{folder}a.jpg</Key></Deleted><Error>"
            f"<Key>{folder}b.jpg</Key><Code>AccessDenied</Code></Error></DeleteResult>"
        ).encode()

    proxy.spoil(rewritten(half), query="delete")

    results = list(shaky.delete(["a.jpg", "b.jpg", "c.jpg"]))

    assert [result.problem for result in results] == ["", "delete-denied", ""]


@pytest.mark.parametrize("fault", [broken_off(), answered(503, "SlowDown")])
def test_an_upload_that_broke_off_is_sent_again_whole(shaky, proxy, fault):
    proxy.spoil(fault, method="PUT")

    entry = shaky.put("new.jpg", io.BytesIO(b"n" * 5_000), size=5_000)

    assert entry.size == 5_000
    assert shaky.open("new.jpg").read() == b"n" * 5_000


def test_a_lost_part_is_sent_again(shaky, proxy):
    proxy.spoil(broken_off(), method="PUT", skip=1, times=2)

    assert shaky.put("new.tif", Pattern(17 * MB), size=17 * MB).size == 17 * MB


def test_an_upload_whose_last_answer_was_lost_is_there(shaky, proxy):
    proxy.spoil(broken_off(), method="POST", query="uploadId")

    assert shaky.put("new.tif", Pattern(17 * MB), size=17 * MB).size == 17 * MB


def test_an_upload_that_fails_for_good_leaves_what_was_there(shaky, proxy):
    proxy.spoil(answered(503, "SlowDown"), method="PUT", times=100)

    with pytest.raises(StorageError) as failed:
        shaky.put("a.jpg", io.BytesIO(b"new"))

    assert failed.value.code == "storage-busy"
    assert shaky.open("a.jpg").read() == b"a" * 1_000


def test_bytes_that_change_on_the_way_are_noticed(shaky, proxy):
    # The first of both lists.
    proxy.spoil(rewritten(lambda body: body[:-1] + b"?"), method="GET", skip=1)

    checkup = check_storage(shaky)

    assert checkup[Step.READ].problem == "probe-differs"
    assert not checkup.is_usable


def test_the_bucket_can_stand_in_the_name_of_the_host(ceph, monkeypatch):
    """rclone knows the path alone."""
    really = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *args, **more: really("127.0.0.1", *args, **more)
    )
    endpoint = ceph.endpoint.replace("127.0.0.1", "localhost")
    storage = ceph.storage(endpoint=endpoint, addressing=Addressing.VIRTUAL)

    storage.put("a b.jpg", io.BytesIO(b"a"))

    assert keys(storage) == ["a b.jpg"]
    assert storage.open("a b.jpg").read() == b"a"
    assert [result.deleted for result in storage.delete(["a b.jpg"])] == [True]
    assert storage.origin() == endpoint.replace("localhost", f"{ceph.shared}.localhost")

"""What every storage driver has to do, on a folder and on every S3 server there is."""

import io
from collections.abc import Callable

import pytest

from datasets.storages import Missing, Storage, StorageError
from datasets.storages.local import LocalStorage
from tests.services import s3

# In the order of their bytes: "-" < "." < "/" < "0", capitals first, and the emoji last although
# UTF-16 would put it before U+FF21.
KEYS = [
    "B.jpg",
    "a%20b.jpg",
    "a+b & 100%.jpg",
    "a-b.jpg",
    "a.jpg",
    "a/1.jpg",
    "a/b/2.jpg",
    "a/b3.jpg",
    "a0.jpg",
    "b.jpg",
    "café.jpg",
    "cafe\u0301.jpg",
    "with space/new '\"<img>?#;=.jpg",
    "苹果/图片.jpg",
    "Ａ.jpg",
    "😀🍎.jpg",
]
KEYS.sort(key=str.encode)


@pytest.fixture(scope="module", params=["local", *s3.SERVERS])
def new_storage(request, tmp_path_factory) -> Callable[[], Storage]:
    """Makes an empty storage."""
    if request.param == "local":
        return lambda: LocalStorage(tmp_path_factory.mktemp("root"))
    return request.getfixturevalue(request.param).storage


@pytest.fixture
def storage(new_storage) -> Storage:
    return new_storage()


@pytest.fixture
def filled(new_storage) -> Storage:
    return fill(new_storage())


@pytest.fixture(scope="module")
def kept(new_storage) -> Storage:
    """Filled too, and shared by tests that only read."""
    return fill(new_storage())


def fill(storage: Storage) -> Storage:
    for key in reversed(KEYS):
        storage.put(key, io.BytesIO(key.encode()))
    return storage


def keys(storage: Storage, *args, **options) -> list[str]:
    return [entry.key for entry in storage.list(*args, **options)]


def test_keys_are_listed_in_the_order_of_their_bytes(kept):
    assert keys(kept) == KEYS


def test_listing_continues_behind_any_key(kept):
    for position, key in enumerate(KEYS):
        assert keys(kept, after=key) == KEYS[position + 1 :]
    assert keys(kept, after="a/") == KEYS[KEYS.index("a/1.jpg") :]
    assert keys(kept, after="a/b/zzz") == KEYS[KEYS.index("a/b3.jpg") :]


@pytest.mark.parametrize(
    "prefix", ["a", "a/", "a/b", "a/b/", "a+", "B", "苹", "with space/", "none/"]
)
def test_prefix_is_the_start_of_the_key_and_no_folder(kept, prefix):
    assert keys(kept, prefix) == [key for key in KEYS if key.startswith(prefix)]


def test_prefix_and_after_go_together(kept):
    assert keys(kept, "a/", after="a/1.jpg") == ["a/b/2.jpg", "a/b3.jpg"]


def test_entries_tell_size_and_time_of_change(kept):
    for entry in kept.list():
        assert entry.size == len(entry.key.encode())
        assert entry.modified_at.utcoffset().total_seconds() == 0
        assert entry == kept.head(entry.key)


def test_bytes_come_back_as_they_were_put(kept):
    for key in KEYS:
        with kept.open(key) as stream:
            assert stream.read() == key.encode()


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 3, b"012"),
        (3, None, b"3456789"),
        (3, 4, b"3456"),
        (8, 100, b"89"),
        (9, 1, b"9"),
        (10, None, b""),
        (500, 5, b""),
        (4, 0, b""),
    ],
)
def test_a_part_of_the_bytes_comes_alone(storage, start, length, expected):
    storage.put("a b.jpg", io.BytesIO(b"0123456789"))

    with storage.open("a b.jpg", start=start, length=length) as stream:
        assert stream.read() == expected
        assert stream.read() == b""


def test_a_part_is_read_in_pieces(storage):
    storage.put("a.jpg", io.BytesIO(bytes(range(200))))

    with storage.open("a.jpg", start=10, length=100) as stream:
        assert [len(stream.read(30)) for _ in range(5)] == [30, 30, 30, 10, 0]


def test_an_empty_object_is_empty(storage):
    assert storage.put("empty.jpg", io.BytesIO()).size == 0

    assert storage.open("empty.jpg").read() == b""
    assert storage.open("empty.jpg", start=0, length=10).read() == b""


def test_nothing_that_is_not_there_has_a_part(storage):
    with pytest.raises(Missing):
        storage.open("no/such.jpg", start=5, length=1)


def test_put_replaces_and_changes_the_etag(filled):
    before = filled.head("a.jpg")

    after = filled.put("a.jpg", io.BytesIO(b"other bytes"), size=11)

    assert after.etag != before.etag
    assert filled.open("a.jpg").read() == b"other bytes"
    assert keys(filled) == KEYS


@pytest.mark.parametrize("size", [3, 30])
def test_a_stream_of_another_length_than_promised_changes_nothing(filled, size):
    with pytest.raises(StorageError) as refused:
        filled.put("a.jpg", io.BytesIO(b"0123456789"), size=size)

    assert refused.value.code == "incomplete"
    assert filled.open("a.jpg").read() == b"a.jpg"
    assert keys(filled) == KEYS


def test_a_stream_that_breaks_off_changes_nothing(filled):
    class Broken(io.RawIOBase):
        def read(self, count: int = -1) -> bytes:
            if count > 0 and not self.closed:
                self.close()
                return b"the first part"
            raise ConnectionResetError

    for key in ("a.jpg", "new.jpg"):
        with pytest.raises((StorageError, ConnectionResetError)):
            filled.put(key, Broken())

    assert filled.open("a.jpg").read() == b"a.jpg"
    assert keys(filled) == KEYS


def test_what_is_not_there_is_missing(storage):
    for ask in (storage.open, storage.head):
        with pytest.raises(Missing) as missing:
            ask("no/such.jpg")
        assert missing.value.item == "no/such.jpg"
        assert "no/such.jpg" in str(missing.value)


def test_delete_answers_for_every_key(filled):
    gone = ["a.jpg", "never-there.jpg", "苹果/图片.jpg"]

    results = list(filled.delete(gone))

    assert [(result.key, result.deleted) for result in results] == [(key, True) for key in gone]
    assert keys(filled) == [key for key in KEYS if key not in gone]


def test_hidden_and_junk_files_are_not_listed(filled):
    for key in (
        ".DS_Store",
        "a/Thumbs.db",
        "a/desktop.ini",
        "__MACOSX/a/._1.jpg",
        "a/._1.jpg",
        ".git/x.jpg",
        ".hidden",
    ):
        filled.put(key, io.BytesIO(b"junk"))

    assert keys(filled) == KEYS


def test_a_picture_with_a_leading_dot_is_a_picture(storage):
    storage.put(".cover.jpg", io.BytesIO(b"x"))

    assert keys(storage) == [".cover.jpg"]


def test_one_level_shows_its_folders_and_counts_its_images(kept):
    top, inside, below = kept.level(), kept.level("a/"), kept.level("a/b/")

    assert top.folders == ("a", "with space", "苹果")
    assert top.images == sum("/" not in key for key in KEYS)
    assert (inside.folders, inside.images) == (("b",), 2)
    assert (below.folders, below.images) == ((), 1)
    assert kept.level("苹果/").images == 1
    assert not top.is_cut


def test_what_is_hidden_is_in_no_level(storage):
    for key in (".git/a.jpg", "__MACOSX/b.jpg", "c/.d/e.jpg", "c/f.txt", "g.txt"):
        storage.put(key, io.BytesIO(b"x"))

    assert storage.level().folders == ("c",)
    assert storage.level().images == 0
    assert storage.level("c/").folders == ()

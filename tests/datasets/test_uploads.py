"""Uploads in parts: they go on where they stopped, and end as if they had come at once."""

import errno
import io
import os
import shutil
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from datasets import contents, unfinished, uploads
from datasets.models import Dataset, Image, Storage
from datasets.there_already import there_already
from datasets.unfinished import Progress
from datasets.uploads import Stored
from labelhub.errors import Conflict, DomainError
from runs import clock

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def dataset(alice, settings, tmp_path) -> Dataset:
    settings.DATA_DIR = tmp_path
    root = tmp_path / "uploads"
    root.mkdir()
    storage = Storage.objects.create(name="Uploads", root=str(root))
    return Dataset.objects.create(name="Pets", storage=storage, prefix="1/", created_by=alice)


def stored(dataset: Dataset, path: str) -> bytes:
    with dataset.storage.driver().open(dataset.key(path)) as stream:
        return stream.read()


def parts() -> list[int]:
    """Lengths of what lies there of unfinished uploads."""
    folder = uploads.incoming() / "parts"
    return sorted(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Sender:
    """Sends parts of one file, as one person."""

    def __init__(self, user, dataset, path="a.jpg", content=CONTENT, *, modified=1) -> None:
        self.who = (user, dataset, path)
        self.content = content
        self.version = {"size": len(content), "modified": modified}

    def send(self, start: int, end: int, *, body: bytes | None = None) -> Progress:
        content = self.content[start:end] if body is None else body
        return unfinished.take(
            *self.who, io.BytesIO(content), **self.version, offset=start, length=end - start
        )

    def offset(self) -> int:
        return unfinished.progress(*self.who, **self.version).offset


@pytest.fixture
def sender(alice, dataset) -> Sender:
    return Sender(alice, dataset)


def test_parts_one_after_the_other_are_stored_as_one_file(sender, dataset):
    assert sender.offset() == 0
    assert sender.send(0, 4_000) == Progress(4_000)
    assert sender.offset() == 4_000
    assert sender.send(4_000, 9_000) == Progress(9_000)

    assert sender.send(9_000, len(CONTENT)) == Progress(len(CONTENT), Stored.STORED)

    assert stored(dataset, "a.jpg") == CONTENT
    assert parts() == []


def test_a_file_in_one_part_is_stored_at_once(sender, dataset):
    assert sender.send(0, len(CONTENT)).outcome == Stored.STORED

    assert stored(dataset, "a.jpg") == CONTENT
    assert parts() == []


def test_an_empty_file_is_one_part_without_bytes(alice, dataset):
    assert Sender(alice, dataset, content=b"").send(0, 0) == Progress(0, Stored.STORED)


def test_a_part_that_comes_twice_is_taken_once(sender, dataset):
    sender.send(0, 4_000)

    assert sender.send(0, 4_000) == Progress(4_000)
    assert sender.send(1_000, 3_000) == Progress(4_000)
    # Half of it was there when the process was killed.
    assert sender.send(2_000, 6_000) == Progress(6_000)
    sender.send(6_000, len(CONTENT))

    assert stored(dataset, "a.jpg") == CONTENT


def test_a_part_that_leaves_a_gap_is_refused_with_the_right_offset(sender):
    sender.send(0, 4_000)

    with pytest.raises(Conflict) as refused:
        sender.send(5_000, 6_000)

    assert (refused.value.code, refused.value.details) == ("offset", {"offset": 4_000})
    assert sender.offset() == 4_000


def test_other_bytes_than_the_first_time_begin_again(sender):
    sender.send(0, 4_000)

    with pytest.raises(Conflict) as refused:
        sender.send(0, 4_000, body=b"x" * 4_000)

    assert refused.value.details == {"offset": 0}
    assert sender.offset() == 0


@pytest.mark.parametrize("body", [CONTENT[4_000:5_999], CONTENT[4_000:6_001]])
def test_a_part_shorter_or_longer_than_it_says_is_refused_whole(sender, body):
    sender.send(0, 4_000)

    with pytest.raises(DomainError) as refused:
        sender.send(4_000, 6_000, body=body)

    assert refused.value.code == "incomplete"
    assert sender.offset() == 4_000


def test_a_part_beyond_the_end_is_refused(sender):
    with pytest.raises(DomainError) as refused:
        sender.send(0, len(CONTENT) + 1, body=CONTENT + b"x")

    assert refused.value.code == "incomplete"
    assert parts() == []


@pytest.mark.parametrize("body", [CONTENT[:-1], CONTENT + b"x"])
def test_a_file_that_comes_whole_is_as_long_as_it_says(dataset, body):
    for path in ("a.jpg", "a.zip"):
        with pytest.raises(DomainError) as refused:
            uploads.receive(dataset, path, io.BytesIO(body), size=len(CONTENT))
        assert refused.value.code == "incomplete"

    assert list(dataset.storage.driver().list()) == []
    assert parts() == []


def test_versions_and_people_have_uploads_of_their_own(alice, bob, dataset):
    Sender(alice, dataset).send(0, 4_000)

    assert Sender(alice, dataset, modified=2).offset() == 0
    assert Sender(bob, dataset).offset() == 0
    assert Sender(alice, dataset, "b.jpg").offset() == 0
    assert Sender(alice, dataset).offset() == 4_000


@pytest.mark.django_db(transaction=True)
def test_the_same_part_from_many_requests_at_once_is_there_once(sender, dataset):
    def send(start: int) -> Progress:
        from django.db import connection

        try:
            return sender.send(start, start + 2_048)
        finally:
            connection.close()

    for start in range(0, len(CONTENT) - 2_048, 2_048):
        with ThreadPoolExecutor(4) as requests:
            answers = list(requests.map(send, [start] * 4))
        assert answers == [Progress(start + 2_048)] * 4
    sender.send(8_192, len(CONTENT))

    assert stored(dataset, "a.jpg") == CONTENT


def test_a_kill_between_storing_and_tidying_up_ends_in_the_same_file(sender, dataset):
    sender.send(0, 4_000)
    dataset.storage.driver().put(dataset.key("a.jpg"), io.BytesIO(CONTENT))

    assert sender.send(4_000, len(CONTENT)).outcome == Stored.ALREADY
    assert parts() == []


def test_a_name_that_is_taken_is_refused_and_nothing_is_left(sender, dataset):
    dataset.storage.driver().put(dataset.key("a.jpg"), io.BytesIO(b"another"))

    with pytest.raises(DomainError) as refused:
        sender.send(0, len(CONTENT))

    assert refused.value.code == "name-taken-by-other"
    assert stored(dataset, "a.jpg") == b"another"
    assert parts() == []


# Archives ----------------------------------------------------------------------------------------
def test_an_archive_in_parts_waits_for_the_import_once(alice, dataset):
    sender = Sender(alice, dataset, "in/pets.zip")
    sender.send(0, 4_000)
    last = sender.send(4_000, len(CONTENT))

    # The answer was lost, so it is sent again; or asked for.
    again = sender.send(4_000, len(CONTENT))

    assert last == again == Progress(len(CONTENT), Stored.ARCHIVE)
    assert sender.offset() == len(CONTENT)
    (name,) = uploads.waiting_archives(dataset)
    assert name.endswith("-pets.zip")
    assert parts() == []


def test_an_archive_can_be_sent_again_after_its_import(alice, dataset):
    sender = Sender(alice, dataset, "pets.zip")
    sender.send(0, len(CONTENT))

    uploads.remove_archives(dataset, uploads.waiting_archives(dataset))

    assert sender.offset() == 0
    assert sender.send(0, len(CONTENT)).outcome == Stored.ARCHIVE


def test_an_archive_with_a_long_chinese_name_is_kept(alice, dataset):
    name = "很长的名字" * 16 + ".zip"
    assert len(name.encode()) < uploads.LONGEST_NAME

    Sender(alice, dataset, name).send(0, len(CONTENT))
    uploads.receive(dataset, name, io.BytesIO(CONTENT), size=len(CONTENT))

    waiting = uploads.waiting_archives(dataset)
    assert len(waiting) == 2
    assert all(one.endswith("名字.zip") for one in waiting)


# Limits ------------------------------------------------------------------------------------------
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def free_disk(monkeypatch):
    def leave(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 0, free))

    return leave


def test_what_would_be_refused_is_so_before_its_bytes_come(alice, dataset, settings):
    settings.MAX_IMAGE_BYTES = 5_000

    with pytest.raises(DomainError) as asked:
        Sender(alice, dataset).offset()
    with pytest.raises(DomainError) as sent:
        Sender(alice, dataset).send(0, 1_000)

    assert asked.value.code == sent.value.code == "too-large-file"
    assert parts() == []


def test_a_disk_that_would_be_full_takes_nothing(sender, free_disk):
    # The bytes, and once more in their place.
    free_disk(uploads.KEPT_FREE_BYTES + 2 * len(CONTENT) - 1)

    with pytest.raises(DomainError) as refused:
        sender.send(0, 1_000)

    assert refused.value.code == "no-space"
    assert "a.jpg" in refused.value.message
    assert parts() == []


def test_what_is_there_needs_no_room_any_more(sender, free_disk):
    sender.send(0, len(CONTENT) - 10)
    free_disk(uploads.KEPT_FREE_BYTES + len(CONTENT) + 10)

    assert sender.send(len(CONTENT) - 10, len(CONTENT)).outcome == Stored.STORED


def test_a_disk_that_runs_full_amid_a_part_leaves_what_was_there(sender, monkeypatch):
    sender.send(0, 4_000)

    def full(_stream, **_more):
        yield CONTENT[4_000:5_000]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(uploads, "blocks", full)
    with pytest.raises(DomainError) as refused:
        sender.send(4_000, 6_000)

    assert refused.value.code == "no-space"
    assert parts() == [4_000]


def test_nobody_fills_the_disk_with_beginnings(alice, bob, dataset, monkeypatch):
    monkeypatch.setattr(unfinished, "MOST_OF_A_PERSON", 2)
    for number in range(2):
        Sender(alice, dataset, f"{number}.jpg").send(0, 100)

    with pytest.raises(DomainError) as refused:
        Sender(alice, dataset, "3.jpg").send(0, 100)

    assert refused.value.code == "too_many_uploads"
    assert Sender(bob, dataset).send(0, 100) == Progress(100)
    assert Sender(alice, dataset, "1.jpg").send(100, 200) == Progress(200)


def test_parts_that_nothing_is_added_to_are_removed(alice, dataset, settings):
    old, new = Sender(alice, dataset, "old.jpg"), Sender(alice, dataset, "new.jpg")
    for one in (old, new):
        one.send(0, 4_000)
    (path,) = (path for path in unfinished._all_parts().rglob("*") if old_is(path, alice, dataset))
    long_ago = time.time() - settings.UNFINISHED_UPLOAD_HOURS * 3600 - 60
    os.utime(path, (long_ago, long_ago))

    clock.tick(at_once=True)

    assert (old.offset(), new.offset()) == (0, 4_000)


def old_is(path, user, dataset) -> bool:
    return path == unfinished.Upload(user, dataset, "old.jpg", len(CONTENT), 1).part


def test_an_upload_that_is_given_up_leaves_nothing(sender):
    sender.send(0, 4_000)

    unfinished.forget(*sender.who, **sender.version)
    unfinished.forget(*sender.who, **sender.version)

    assert parts() == []
    assert sender.offset() == 0


# What is kept, and what is there ------------------------------------------------------------------
@pytest.mark.parametrize("name", ["labels.csv", "a.txt", "all.json", "train.manifest", "x.HEIC"])
def test_labels_beside_images_and_foreign_pictures_are_kept(alice, dataset, name):
    assert Sender(alice, dataset, f"in/{name}").send(0, len(CONTENT)).outcome == Stored.STORED

    assert stored(dataset, f"in/{name}") == CONTENT


@pytest.mark.parametrize("path", ["__MACOSX/a.jpg", "in/.DS_Store", "Thumbs.db"])
def test_junk_is_passed_over(alice, dataset, path):
    assert Sender(alice, dataset, path).send(0, 100) == Progress(len(CONTENT), Stored.JUNK)

    assert list(dataset.storage.driver().list()) == []
    assert parts() == []


def test_the_bytes_of_a_file_have_one_digest():
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    assert contents.digest_of(io.BytesIO()) == empty
    assert contents.digest_of(io.BytesIO(b"a" * 3_000_000)) != empty
    assert contents.is_digest(empty)
    assert not contents.is_digest("0cc175b9c0f1b6a831c399e269772661")


def test_a_file_whose_digest_an_import_found_is_not_read_again(sender, dataset, monkeypatch):
    sender.send(0, len(CONTENT))
    entry = dataset.storage.driver().head(dataset.key("a.jpg"))
    image = Image.objects.create(
        dataset=dataset,
        path="a.jpg",
        size=entry.size,
        etag=entry.etag,
        modified_at=timezone.now(),
        width=1,
        height=1,
        format="JPEG",
        content=contents.digest_of(io.BytesIO(CONTENT)),
    )
    opened = []
    driver = type(dataset.storage.driver())
    really = driver.open
    monkeypatch.setattr(
        driver, "open", lambda self, key, **more: opened.append(key) or really(self, key, **more)
    )

    assert sender.send(0, len(CONTENT)).outcome == Stored.ALREADY
    assert opened == []
    # Of other bytes than those that lie there now.
    Image.objects.filter(pk=image.pk).update(etag="older")
    assert sender.send(0, len(CONTENT)).outcome == Stored.ALREADY
    assert opened == [dataset.key("a.jpg")]


def test_files_of_the_same_name_and_size_are_there_already(dataset):
    driver = dataset.storage.driver()
    for path in ("a.jpg", "in/b.png", "c.bmp", "d.txt"):
        driver.put(dataset.key(path), io.BytesIO(CONTENT))
    size = len(CONTENT)

    found = there_already(
        dataset,
        [("a.jpg", size), ("in\\b.png", size), ("in/b.png", size - 1), ("new.jpg", size)]
        + [("../1/a.jpg", size), ("", 1), ("c.bmp", size), ("d.txt", size)],
    )

    # Pictures that are not compressed and labels can be others although they are as long.
    assert found == {"a.jpg", "in\\b.png"}

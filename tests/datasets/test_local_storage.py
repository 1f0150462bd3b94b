import os
import shutil
import tempfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from datasets.problems import codes
from datasets.storages import Denied, Missing, OutsideRoot, StorageError, Unreadable
from datasets.storages.local import LocalStorage, check_folder

NOBODY = 65_534


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"cat")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "dog.jpg").write_bytes(b"dog")
    return folder


@pytest.fixture
def storage(root) -> LocalStorage:
    return LocalStorage(root)


@pytest.fixture
def open_folder():
    """A folder that every user of the machine can enter, other than pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_privileges():
    """File permissions bind everybody but root, so root becomes somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def found(storage: LocalStorage, prefix: str = "") -> dict[str, str]:
    return {entry.key: entry.problem for entry in storage.list(prefix)}


@pytest.mark.parametrize(
    "key",
    ["../secret.jpg", "a/../../secret.jpg", "/etc/passwd", "a//b.jpg", "./cat.jpg", "", ".."]
    + ["cat.jpg\0.png", "a/", "\ud800.jpg"],
)
def test_keys_that_lead_out_or_are_no_keys_are_refused(storage, root, key):
    for ask in (storage.open, storage.head, lambda key: storage.put(key, BytesIO(b"x"))):
        with pytest.raises(OutsideRoot):
            ask(key)
    assert [result.problem for result in storage.delete([key])] == ["outside-root"]
    assert (root.parent / "secret.jpg").read_bytes() == b"secret"


@pytest.mark.parametrize("key", ["link.jpg", "folder/dog.jpg"])
def test_links_that_lead_out_are_never_followed(storage, root, key):
    (root / "link.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "folder").symlink_to(root.parent / "outside")

    for ask in (storage.open, storage.head, lambda key: storage.put(key, BytesIO(b"x"))):
        with pytest.raises(OutsideRoot):
            ask(key)
    with pytest.raises(OutsideRoot):
        list(storage.list("folder/"))

    assert found(storage) == {
        "cat.jpg": "",
        "folder": "link-outside-root",
        "link.jpg": "link-outside-root",
    }
    assert (root.parent / "secret.jpg").read_bytes() == b"secret"


def test_deleting_a_link_leaves_what_it_leads_to(storage, root):
    (root / "link.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "folder").symlink_to(root.parent / "outside")

    results = list(storage.delete(["link.jpg", "folder/dog.jpg"]))

    assert [result.problem for result in results] == ["", "outside-root"]
    assert not (root / "link.jpg").is_symlink()
    assert (root.parent / "secret.jpg").exists()
    assert (root.parent / "outside" / "dog.jpg").exists()


def test_a_link_to_a_file_inside_is_an_image_like_others(storage, root):
    (root / "same.jpg").symlink_to("cat.jpg")

    assert found(storage) == {"cat.jpg": "", "same.jpg": ""}
    assert storage.open("same.jpg").read() == b"cat"


def test_folders_that_link_in_a_circle_are_reported_once(storage, root):
    (root / "again").symlink_to(root, target_is_directory=True)
    (root / "sub").mkdir()
    (root / "sub" / "up").symlink_to(root / "sub", target_is_directory=True)
    (root / "broken.jpg").symlink_to("nowhere.jpg")

    assert found(storage) == {
        "again": "link-outside-root",
        "broken.jpg": "link-broken",
        "cat.jpg": "",
        "sub/up": "link-to-folder",
    }


def test_a_pipe_is_reported_and_never_waited_for(storage, root):
    os.mkfifo(root / "pipe.jpg")

    assert found(storage)["pipe.jpg"] == "not-a-file"
    for ask in (storage.open, storage.head):
        with pytest.raises(Unreadable, match="not an ordinary file"):
            ask("pipe.jpg")


def test_a_name_that_is_not_utf8_is_reported_and_can_be_shown(storage, root):
    with open(os.fsencode(root) + b"/caf\xe9.jpg", "wb") as file:
        file.write(b"x")

    (entry,) = (entry for entry in storage.list() if entry.problem)

    assert entry.problem == "name-not-utf8"
    assert entry.readable_key == r"caf\xe9.jpg"
    assert storage.open(entry.key).read() == b"x"


def test_a_folder_that_may_not_be_read_is_named_and_the_rest_is_listed(open_folder):
    (open_folder / "locked").mkdir(mode=0)
    (open_folder / "zebra.jpg").write_bytes(b"x")
    (open_folder / "zebra.jpg").chmod(0o000)
    storage = LocalStorage(open_folder)

    with without_privileges():
        listed = found(storage)
        with pytest.raises(Unreadable):
            storage.open("zebra.jpg")
    (open_folder / "locked").chmod(0o755)

    assert listed == {"locked/": "no-access", "zebra.jpg": ""}


def test_what_may_not_be_written_is_refused_in_words(open_folder):
    (open_folder / "cat.jpg").write_bytes(b"cat")
    storage = LocalStorage(open_folder)

    with without_privileges() if os.geteuid() == 0 else read_only(open_folder):
        with pytest.raises(Denied) as denied:
            storage.put("dog.jpg", BytesIO(b"dog"))
        results = list(storage.delete(["cat.jpg"]))

    assert str(denied.value) == "dog.jpg: The server may not write or delete there."
    assert [result.problem for result in results] == ["read-only"]
    assert (open_folder / "cat.jpg").exists()


@contextmanager
def read_only(folder: Path):
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


def test_a_file_where_a_folder_should_be_is_said_so(storage, root):
    (root / "folder").mkdir()
    for key in ("cat.jpg/inside.jpg", "folder"):
        with pytest.raises(StorageError) as refused:
            storage.put(key, BytesIO(b"x"))
        assert refused.value.code == "name-taken"
    with pytest.raises(Missing):
        storage.open("cat.jpg/inside.jpg")
    assert list(storage.list("cat.jpg/")) == []


def test_names_of_255_bytes_fit_and_longer_ones_are_refused(storage):
    longest = "汉" * 83 + "ab.jpg"
    assert len(longest.encode()) == 255

    storage.put(longest, BytesIO(b"x"))

    assert longest in found(storage)
    with pytest.raises(StorageError) as refused:
        storage.put(f"x{longest}", BytesIO(b"x"))
    assert refused.value.code == "name-too-long"


def test_a_full_disk_is_said_so_and_leaves_nothing(storage, root, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError) as refused:
        storage.put("dog.jpg", BytesIO(b"dog"))

    assert refused.value.code == "no-space"
    assert sorted(os.listdir(root)) == ["cat.jpg"]


def test_a_copy_under_way_is_not_listed(storage, root):
    seen = []

    class Watched(BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            seen.append((len(os.listdir(root)), list(found(storage))))
            return super().read(count)

    storage.put("dog.jpg", Watched(b"dog"))

    assert seen[0] == (2, ["cat.jpg"])
    assert sorted(os.listdir(root)) == ["cat.jpg", "dog.jpg"]


def test_the_etag_changes_with_the_content_even_at_equal_size(storage, root):
    before = storage.head("cat.jpg").etag
    os.utime(root / "cat.jpg", ns=(1, 1))

    assert storage.head("cat.jpg").etag == "1-3" != before


def test_browsers_get_the_bytes_from_the_server(storage):
    assert storage.url("cat.jpg") is None


def test_a_root_that_is_gone_is_an_error_and_not_an_empty_folder(tmp_path):
    with pytest.raises(Missing) as missing:
        list(LocalStorage(tmp_path / "gone").list())

    assert missing.value.code == "folder-missing"


def test_a_folder_inside_an_allowed_root_is_taken_as_it_really_is(root, tmp_path):
    (root / "photos").mkdir()
    (tmp_path / "shortcut").symlink_to(root / "photos")

    assert check_folder(f" {root}/photos/ ", [root]) == root / "photos"
    assert check_folder(str(root), [Path("/nowhere"), root]) == root
    assert check_folder(str(root / "photos" / ".." / "photos"), [root]) == root / "photos"
    assert check_folder(str(tmp_path / "shortcut"), [root]) == root / "photos"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "no-folder"),
        ("  ", "no-folder"),
        ("{root}/nothing", "folder-missing"),
        ("{root}/nul\0", "folder-missing"),
        ("{root}/" + "x" * 300, "folder-missing"),
        ("~no-such-person/x", "folder-missing"),
        ("{root}/cat.jpg", "not-a-folder"),
        ("{root}/..", "outside-allowed-roots"),
        ("{root}/link", "outside-allowed-roots"),
        ("{root}-twin", "outside-allowed-roots"),
        ("/etc", "outside-allowed-roots"),
        ("/etc/no-such-folder", "outside-allowed-roots"),
        ("relative/folder", "outside-allowed-roots"),
    ],
)
def test_a_folder_that_cannot_be_taken_is_refused_with_its_reason(root, tmp_path, typed, code):
    (root / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "root-twin").mkdir()

    with pytest.raises(StorageError) as refused:
        check_folder(typed.format(root=root), [root])

    assert refused.value.code == code in codes()
    assert typed.format(root=root).strip().split("\0")[0] in str(refused.value)


def test_a_folder_that_may_not_be_read_is_refused(open_folder):
    (open_folder / "locked").mkdir(mode=0)

    with without_privileges(), pytest.raises(Unreadable):
        check_folder(str(open_folder / "locked"), [open_folder])
    (open_folder / "locked").chmod(0o755)

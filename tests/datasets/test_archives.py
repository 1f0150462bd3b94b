import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from datasets.archives import ArchiveLimits, BadArchive, Extracted, Refused, extract_zip
from datasets.problems import codes, describe
from datasets.storages.local import LocalStorage

LIMITS = ArchiveLimits()


def zipped(members, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def unpack(content: bytes, *, limits: ArchiveLimits = LIMITS, put=None):
    """What was put, what was refused, and how much junk was passed over."""
    taken: dict[str, bytes] = {}

    def keep(name: str, stream: io.RawIOBase) -> None:
        taken[name] = b"".join(iter(lambda: stream.read(1000), b""))

    extraction = extract_zip(io.BytesIO(content), put=put or keep, limits=limits)
    results = list(extraction)
    refused = {item.name: item.code for item in results if isinstance(item, Refused)}
    for item in results:
        if isinstance(item, Refused):
            assert item.code in codes()
            assert "…" not in describe(item.code, item.params)
    for item in results:
        if isinstance(item, Extracted) and put is None:
            assert len(taken[item.name]) == item.size
    return taken, refused, extraction.junk


def test_files_come_out_under_their_folders():
    members = [("cats/", b""), ("cats/1.jpg", b"one"), ("dogs/1.jpg", b"two"), ("a.txt", b"")]

    taken, refused, junk = unpack(zipped(members))

    assert taken == {"cats/1.jpg": b"one", "dogs/1.jpg": b"two", "a.txt": b""}
    assert (refused, junk) == ({}, 0)


@pytest.mark.parametrize(
    "name",
    ["../out.jpg", "a/../../out.jpg", "/etc/out.jpg", "..\\out.jpg", "a\\..\\..\\out.jpg"]
    + ["C:\\out.jpg", "c:out.jpg", "\\\\server\\out.jpg", "//server/out.jpg", "..", "./"]
    + ["a/.."],
)
def test_names_that_lead_out_are_refused_and_the_rest_is_taken(name, tmp_path):
    storage = LocalStorage(tmp_path / "root")
    (tmp_path / "root").mkdir()
    info = zipfile.ZipInfo("x")
    info.filename = name
    content = zipped([("cat.jpg", b"cat"), (info, b"evil"), ("dog.jpg", b"dog")])

    _taken, refused, _junk = unpack(content, put=storage.put)

    assert refused == ({} if name == "./" else {name: "unsafe-name"})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cat.jpg", "dog.jpg", "root"]


def test_backslashes_of_windows_are_folders():
    taken, _refused, _junk = unpack(zipped([("cats\\", b""), ("cats\\1.jpg", b"one")]))

    assert taken == {"cats/1.jpg": b"one"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = (kind | 0o777) << 16

    taken, refused, _junk = unpack(zipped([(info, b"/etc/passwd"), ("cat.jpg", b"cat")]))

    assert refused == {"link.jpg": "link-in-archive"}
    assert taken == {"cat.jpg": b"cat"}


def test_files_with_a_password_are_refused():
    content = bytearray(zipped([("cat.jpg", b"cat")]))
    for signature, flags_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags_at] |= 1

    assert unpack(bytes(content))[1] == {"cat.jpg": "encrypted"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_compressions_are_refused(compression):
    content = zipped([("cat.jpg", b"cat")], compression=compression)

    assert unpack(content)[1] == {"cat.jpg": "compression-not-supported"}


def test_a_bomb_is_refused_before_it_is_unpacked():
    asked = []
    content = zipped([("bomb.jpg", bytes(20_000_000)), ("cat.jpg", b"cat")])

    _taken, refused, _junk = unpack(content, put=lambda name, _stream: asked.append(name))

    assert refused == {"bomb.jpg": "compression-bomb"}
    assert asked == ["cat.jpg"]


def test_a_small_file_may_pack_well():
    assert "flat.bmp" in unpack(zipped([("flat.bmp", bytes(900_000))]))[0]


def test_a_size_that_lies_does_not_pass_the_limit():
    real = os.urandom(50_000)
    content = bytearray(zipped([("cat.jpg", real), ("dog.jpg", b"dog")]))
    size_at = content.index(b"PK\1\2") + 24
    content[size_at : size_at + 4] = struct.pack("<I", 100)

    taken, refused, _junk = unpack(bytes(content))

    assert refused == {"cat.jpg": "damaged-member"}
    assert len(taken.get("cat.jpg", b"")) <= 100
    assert taken["dog.jpg"] == b"dog"


def test_a_member_over_the_limit_is_refused():
    content = zipped([("large.jpg", os.urandom(5_001)), ("fits.jpg", os.urandom(5_000))])

    taken, refused, _junk = unpack(content, limits=ArchiveLimits(max_member_bytes=5_000))

    assert refused == {"large.jpg": "too-large-file"}
    assert list(taken) == ["fits.jpg"]


@pytest.mark.parametrize(
    ("content", "limits", "code"),
    [
        (b"", LIMITS, "not-a-zip"),
        (b"garbage behind .zip xx", LIMITS, "not-a-zip"),
        (zipped([("cat.jpg", b"cat" * 99)])[:60], LIMITS, "damaged-archive"),
        (zipped([]), LIMITS, "empty-archive"),
        (zipped([("folder/", b"")]), LIMITS, "empty-archive"),
        (
            zipped([(f"{i}.jpg", b"") for i in range(4)]),
            ArchiveLimits(max_members=3),
            "too-many-members",
        ),
        (
            zipped([(f"{i}.jpg", os.urandom(100)) for i in range(4)]),
            ArchiveLimits(max_total_bytes=399),
            "archive-too-large",
        ),
    ],
    ids=["nothing", "garbage", "cut-off", "empty", "folders-alone", "many-members", "large"],
)
def test_an_archive_that_cannot_be_taken_is_refused_before_anything_is_put(content, limits, code):
    def put(_name: str, _stream: object) -> None:
        raise AssertionError("put")

    with pytest.raises(BadArchive) as bad:
        list(extract_zip(io.BytesIO(content), put=put, limits=limits))

    assert bad.value.code == code in codes()
    assert "…" not in describe(code, bad.value.params)


def test_a_table_of_contents_of_any_length_is_not_read_whole():
    content = bytearray(zipped([("cat.jpg", b"cat")]))
    end = content.index(b"PK\5\6")
    content[end + 12 : end + 16] = struct.pack("<I", 2_000_000_000)
    sparse = bytes(content[:end])
    file = _Padded(sparse, 2_000_000_000, bytes(content[end:]))

    with pytest.raises(BadArchive) as bad:
        extract_zip(file, put=print, limits=LIMITS)

    assert bad.value.code == "too-many-members"
    assert file.most_read < 1_000_000


class _Padded(io.RawIOBase):
    """Start, a gap that nothing should read, end."""

    def __init__(self, start: bytes, gap: int, end: bytes) -> None:
        self._start, self._end_at, self._end = start, len(start) + gap, end
        self._at = self.most_read = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._at, self._end_at + len(self._end))[whence]
        self._at = base + offset
        return self._at

    def read(self, count: int = -1) -> bytes:
        self.most_read = max(self.most_read, count)
        if self._at >= self._end_at:
            found = self._end[self._at - self._end_at :]
        else:
            found = self._start[self._at :] + bytes(70_000)
        found = found if count < 0 else found[:count]
        self._at += len(found)
        return found


def test_a_name_that_comes_twice_is_taken_once():
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped([("cat.jpg", b"first"), ("cat.jpg", b"second"), ("./cat.jpg", b"third")])

    taken, refused, _junk = unpack(content)

    assert taken == {"cat.jpg": b"first"}
    assert refused == {"cat.jpg": "duplicate-member", "./cat.jpg": "duplicate-member"}


def test_names_that_differ_in_case_or_composition_are_different():
    names = ["CASE.jpg", "case.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg"]

    assert list(unpack(zipped([(name, b"x") for name in names]))[0]) == names


def test_what_systems_leave_behind_is_counted_and_passed_over():
    junk = ["__MACOSX/._a.jpg", "a/.DS_Store", "Thumbs.db", "a/desktop.ini", "._a.jpg"]

    taken, refused, passed = unpack(zipped([(name, b"x") for name in [*junk, "a.jpg"]]))

    assert (list(taken), refused, passed) == (["a.jpg"], {}, len(junk))


def test_archives_within_are_refused():
    names = ["inner.zip", "a/inner.TAR.GZ", "x.rar"]

    assert set(unpack(zipped([(name, b"x") for name in names]))[1].values()) == {"nested-archive"}


def unmarked(names: list[bytes]) -> bytes:
    """Made by a tool that writes raw bytes and does not say in which encoding."""
    places = [f"{index:x}".ljust(len(name), "~") for index, name in enumerate(names)]
    content = zipped([(place, b"x") for place in places])
    for place, name in zip(places, names, strict=True):
        content = content.replace(place.encode(), name)
    return content


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_without_a_mark_are_read_in_the_encoding_that_fits(encoding):
    names = ["苹果/图片.jpg", "苹果/镕喆.jpg", "plain-name.jpg"]

    assert list(unpack(unmarked([name.encode(encoding) for name in names]))[0]) == names


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        # Valid UTF-8 by chance.
        (["图片.jpg"], "gbk"),
        (["猫/1.jpg"], "gbk"),
        (["小猫/鞋.jpg"], "gbk"),
        (["图片/IMG1.jpg", "苹果/1.jpg"], "gbk"),
        # Valid GBK by chance.
        (["café.jpg"], "utf-8"),
        (["cafe\u0301.jpg", "Über.jpg"], "utf-8"),
        (["Привет/Мир.jpg"], "utf-8"),
        (["Ö.jpg"], "utf-8"),
        (["白-1.jpg"], "utf-8"),
        (["图片/é.jpg"], "utf-8"),
    ],
)
def test_names_that_fit_two_encodings_are_read_in_the_likelier_one(names, encoding):
    assert list(unpack(unmarked([name.encode(encoding) for name in names]))[0]) == names


def test_the_field_with_the_name_in_unicode_counts_where_it_belongs_to_the_name():
    raw, name = b"caf?.jpg", "café.jpg"
    for checked, expected in ((raw, name), (b"other", "caf?.jpg")):
        info = zipfile.ZipInfo(raw.decode())
        value = b"\1" + struct.pack("<I", zlib.crc32(checked)) + name.encode()
        info.extra = struct.pack("<HH", 0x7075, len(value)) + value
        assert list(unpack(zipped([(info, b"x")]))[0]) == [expected]


def test_a_damaged_member_is_refused_and_leaves_nothing(tmp_path):
    storage = LocalStorage(tmp_path)
    noise = os.urandom(300_000)
    content = zipped([("a.jpg", noise), ("b.jpg", b"b")], compression=zipfile.ZIP_STORED)
    content = content.replace(noise, noise[:-1] + bytes([noise[-1] ^ 1]))

    _taken, refused, _junk = unpack(content, put=storage.put)

    assert refused == {"a.jpg": "damaged-member"}
    assert [path.name for path in tmp_path.iterdir()] == ["b.jpg"]


def test_what_the_storage_refuses_is_refused_alone(tmp_path):
    storage = LocalStorage(tmp_path)
    names = ["a", "a/b.jpg", "x" * 256 + ".jpg", "fine.jpg"]

    _taken, refused, _junk = unpack(zipped([(name, b"x") for name in names]), put=storage.put)

    assert refused == {"a/b.jpg": "name-taken", names[2]: "name-too-long"}
    assert (tmp_path / "fine.jpg").exists()


def test_members_are_streamed(tmp_path):
    size = 20_000_000
    path = tmp_path / "large.zip"
    path.write_bytes(zipped([("a.jpg", os.urandom(size))], compression=zipfile.ZIP_STORED))
    most = 0

    def put(_name: str, stream: io.RawIOBase) -> None:
        nonlocal most
        while block := stream.read(65_536):
            most = max(most, len(block))

    with Path(path).open("rb") as file:
        assert [item.size for item in extract_zip(file, put=put, limits=LIMITS)] == [size]

    assert most == 65_536

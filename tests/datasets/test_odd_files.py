"""About 70 odd and hostile files, each with the verdict that a good platform gives."""

import csv
import os
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from datasets.archives import ArchiveLimits, BadArchive, Refused, extract_zip
from datasets.pixels import BadImage, Limits, display, probe, thumbnail
from datasets.problems import codes, describe
from datasets.storages.local import LocalStorage
from tests import needs

LIMITS = Limits()
ACCEPTED = {"accept", "convert", "first-frame", "duplicate", "warn", "limit"}
# Where the index leaves a choice (by limit; warn or reject): the product's, and why.
DIFFERENT = {
    "bombs/200MP.heic": ("too-many-pixels", "HEIC has a limit of its own, 30 megapixels"),
    "broken/truncated.heic": ("truncated", "a HEIC that is cut may turn grey without an error"),
}
NOT_UTF8 = "names/latin1_caf\\xe9.jpg (raw byte 0xE9, not UTF-8)"
FRAMES_ARE_REMARKED = {"first-frame", "limit"}


@pytest.fixture(scope="module", autouse=True)
def _heic():
    needs.heic()


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    with tarfile.open(needs.shared_data() / "odd.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    yield folder / "odd"
    # Some of these names break tools that look into the folders pytest keeps.
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def index(odd) -> list[dict[str, str]]:
    with open(odd / "index.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_odd_files_get_the_verdict_of_their_index(odd, index):
    images = [row for row in index if row["group"] != "archives" and row["file"] != NOT_UTF8]

    mismatches = [text for row in images for text in _compared(odd, row)]

    assert mismatches == []
    assert len(images) >= 60
    assert set(DIFFERENT) <= {row["file"] for row in images}


def _compared(odd: Path, row: dict[str, str]) -> list[str]:
    name, verdict = row["file"], row["verdict"]
    found = probe(odd / name, name=name, limits=LIMITS)
    if found.problem:
        assert found.problem in codes()
        assert "…" not in describe(found.problem, found.params)
    if name in DIFFERENT:
        code, _reason = DIFFERENT[name]
        return [] if found.problem == code else [f"{name}: {found.problem}, not {code}"]
    if (verdict in ACCEPTED) is bool(found.problem):
        return [f"{name}: {found.problem or 'accepted'}, not {verdict}"]
    if found.problem:
        return []
    if verdict == "warn" and not found.warning:
        return [f"{name}: without a warning"]
    if verdict in FRAMES_ARE_REMARKED and found.warning != "several-frames":
        return [f"{name}: {found.warning or 'no warning'}, not several-frames"]
    return _size_and_rendering(odd, row, (found.width, found.height))


def _size_and_rendering(odd: Path, row: dict[str, str], size: tuple[int, int]) -> list[str]:
    width, height = map(int, row["size"].split("x"))
    if row["exif_orientation"] in ("5", "6", "7", "8"):
        width, height = height, width
    if size != (width, height):
        return [f"{row['file']}: {size}, not {width}x{height}"]
    path = odd / row["file"]
    try:
        small = Image.open(BytesIO(thumbnail(path, side=128, limits=LIMITS)))
        large = Image.open(BytesIO(display(path, limits=LIMITS).content))
    except BadImage as bad:
        return [f"{row['file']}: accepted, but not shown: {bad.code}"]
    scale = min(1, 128 / max(size))
    fitted = tuple(max(1, round(edge * scale)) for edge in size)
    if small.size != fitted or large.size != size:
        return [f"{row['file']}: shown as {small.size} and {large.size}"]
    return []


def test_a_large_phone_photo_is_taken_where_the_limit_allows_it(odd):
    limits = Limits(max_pixels=200_000_000, max_heic_pixels=200_000_000)

    found = probe(odd / "bombs" / "200MP.heic", name="200MP.heic", limits=limits)

    assert (found.problem, found.width, found.height) == ("", 12_240, 16_320)


def test_a_phone_photo_stands_upright_though_its_exif_and_its_container_both_turn_it(odd):
    path = odd / "formats" / "IMG_5195.HEIC"

    found = probe(path, name=path.name, limits=LIMITS)
    picture = Image.open(BytesIO(thumbnail(path, side=384, limits=LIMITS)))

    assert (found.width, found.height, found.orientation) == (2566, 3313, 1)
    assert picture.size == (297, 384)


def test_a_phone_photo_that_is_cut_anywhere_is_refused(odd):
    content = (odd / "formats" / "samplefilehub.heif").read_bytes()

    for share in (0.1, 0.5, 0.9, 0.999):
        cut = content[: int(len(content) * share)]
        for bad in (cut, cut + bytes(len(content) - len(cut))):
            found = probe(bad, name="x.heif", limits=LIMITS)
            is_barely_zeroed = len(bad) == len(content) and share > 0.99
            assert found.problem in ("truncated", "unreadable") or is_barely_zeroed


def test_every_odd_name_is_listed_and_opened_as_it_is(odd, index, tmp_path):
    shutil.copytree(odd / "names", tmp_path / "names")
    # Not in the archive, since few tools could unpack it.
    with open(os.fsencode(tmp_path) + b"/names/latin1_caf\xe9.jpg", "wb") as file:
        file.write((odd / "names" / "case.jpg").read_bytes())
    storage = LocalStorage(tmp_path)

    listed = list(storage.list("names/"))

    named = {row["file"] for row in index if row["group"] == "names"} - {NOT_UTF8}
    assert {entry.key for entry in listed if not entry.problem} == named
    (not_utf8,) = (entry for entry in listed if entry.problem)
    assert not_utf8.readable_key == r"names/latin1_caf\xe9.jpg"
    assert not_utf8.problem == "name-not-utf8"
    for entry in listed:
        with storage.open(entry.key) as stream:
            assert probe(stream, name=entry.key, limits=LIMITS).width == 348


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("zip_gbk_names.zip", {"苹果/图片.jpg"}, {}),
        ("zip_symlink.zip", None, {"link-in-archive"}),
    ],
)
def test_odd_archives_give_what_is_harmless(odd, tmp_path, name, taken, refused):
    storage = LocalStorage(tmp_path)
    with open(odd / "archives" / name, "rb") as file:
        results = list(extract_zip(file, put=storage.put, limits=ArchiveLimits()))

    put = {item.name for item in results if not isinstance(item, Refused)}
    assert put == {entry.key for entry in storage.list()}
    assert taken is None or put == taken
    assert {item.code for item in results if isinstance(item, Refused)} == set(refused)


@pytest.mark.parametrize("name", ["not_a_zip.zip", "tar_traversal_device_hardlink.tar.gz"])
def test_odd_archives_that_are_no_zip_are_refused(odd, name):
    with open(odd / "archives" / name, "rb") as file, pytest.raises(BadArchive) as bad:
        extract_zip(file, put=print, limits=ArchiveLimits())

    assert bad.value.code == "not-a-zip"


def test_every_odd_archive_is_looked_at(index):
    assert {row["file"] for row in index if row["group"] == "archives"} == {
        "archives/not_a_zip.zip",
        "archives/tar_traversal_device_hardlink.tar.gz",
        "archives/zip_gbk_names.zip",
        "archives/zip_symlink.zip",
    }


def test_cmyk_looks_natural_with_and_without_its_profile(odd):
    with_profile, without = (
        Image.open(BytesIO(thumbnail(odd / "modes" / name, side=128, limits=LIMITS)))
        for name in ("cmyk_with_profile.jpg", "cmyk_no_profile.jpg")
    )

    # Both are the same photo of a lawn: a negative would be far off, and purple.
    difference = ImageStat.Stat(ImageChops.difference(with_profile, without)).mean
    assert max(difference) < 45
    for picture in (with_profile, without):
        red, green, blue = ImageStat.Stat(picture.crop((0, 60, 60, 80))).mean
        assert green > red > blue


def test_a_large_profile_is_applied_and_not_passed_on(odd):
    path = odd / "exif" / "icc_profile_big.jpg"

    content = thumbnail(path, side=256, limits=LIMITS)

    picture = Image.open(BytesIO(content))
    assert "icc_profile" not in picture.info
    assert len(content) < 20_000
    with Image.open(path) as original:
        original.thumbnail((256, 256))
        difference = ImageChops.difference(picture, original.convert("RGB"))
    assert max(ImageStat.Stat(difference).mean) > 1

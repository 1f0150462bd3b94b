import io
import struct

import pytest
from PIL import Image, ImageFile, PngImagePlugin

from datasets.pixels import Limits, probe, sniff
from datasets.problems import codes, describe
from tests.datasets.pictures import (
    corners,
    huge_png,
    noise,
    oriented,
    png_chunk,
    saved,
)

LIMITS = Limits()
SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "GIF": ".gif",
    "BMP": ".bmp",
    "WEBP": ".webp",
    "TIFF": ".tiff",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
}
COMPRESSED_TIFF = {"compression": "tiff_lzw"}


def look(content: bytes, name: str = "photo", limits: Limits = LIMITS):
    found = probe(content, name=name, limits=limits)
    for code in filter(None, (found.problem, found.warning)):
        assert code in codes()
        assert "…" not in describe(code, found.params)
    return found


@pytest.mark.parametrize("kind", SUFFIXES)
def test_each_format_is_taken_with_its_size(kind):
    found = look(saved(corners(60, 40), kind), f"photo{SUFFIXES[kind]}")

    assert (found.problem, found.warning) == ("", "")
    assert (found.format, found.width, found.height) == (kind, 60, 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("value", range(1, 9))
def test_size_is_that_of_the_upright_picture(kind, value):
    found = look(saved(corners(60, 40), kind, exif=oriented(value)))

    assert (found.width, found.height) == ((40, 60) if value > 4 else (60, 40))


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_orientations_that_do_not_exist_are_ignored(value):
    exif = b"Exif\0\0" + oriented(value).tobytes()[6:]

    found = look(saved(corners(60, 40), "JPEG", exif=exif))

    assert (found.problem, found.width, found.height, found.orientation) == ("", 60, 40, 1)


def test_broken_exif_does_not_cost_the_image():
    exif = b"Exif\0\0MM\0*" + b"\xff" * 40

    assert look(saved(corners(60, 40), "JPEG", exif=exif)).width == 60


def test_orientation_behind_the_pixels_of_a_png_counts():
    exif = oriented(6).tobytes().removeprefix(b"Exif\0\0")
    content = saved(corners(60, 40), "PNG")
    end = content.index(b"IEND") - 4
    late = content[:end] + png_chunk(b"eXIf", exif) + content[end:]

    found = look(late)

    assert (found.width, found.height, found.orientation) == (40, 60, 6)


def test_orientation_in_xmp_counts():
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'

    assert look(saved(corners(60, 40), "JPEG", xmp=xmp)).height == 60


@pytest.mark.parametrize(
    ("kind", "options"),
    [(kind, {}) for kind in SUFFIXES]
    + [("JPEG", {"progressive": True}), ("TIFF", COMPRESSED_TIFF), ("WEBP", {"lossless": True})]
    + [("JPEG", {"exif": oriented(6)}), ("PNG", {"compress_level": 0})],
)
def test_a_file_that_is_cut_off_anywhere_is_refused(kind, options):
    content = saved(noise(), kind, **options)
    cuts = [1, 2, 12, 100, *(len(content) * part // 10 for part in range(1, 10))]
    cuts += [len(content) - len(content) // 100]

    taken = [cut for cut in cuts if not look(content[:cut]).problem]

    assert taken == []


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_jpeg_without_its_last_bytes_is_refused(missing):
    assert look(saved(noise(), "JPEG")[:-missing]).problem == "truncated"


def test_the_end_of_a_thumbnail_in_the_exif_is_not_the_end_of_the_photo():
    preview = saved(noise(100, 80), "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + preview
    content = saved(noise(), "JPEG", exif=exif)
    start = content.index(b"\xff\xda", content.index(preview) + len(preview))

    found = look(content[: start + 600])

    assert found.problem == "truncated"


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("AVIF", {})]
    + [("WEBP", {}), ("WEBP", {"lossless": True}), ("JPEG2000", {}), ("TIFF", COMPRESSED_TIFF)],
)
def test_a_download_that_was_never_finished_is_refused(kind, options):
    content = saved(noise(), kind, **options)

    for part in range(1, 9):
        there = len(content) * part // 10
        assert look(content[:there] + bytes(len(content) - there)).problem


@pytest.mark.parametrize("behind", [b"PK\3\4 a zip", bytes(3), b"\xff" * 9000, b"x" * 9000])
def test_bytes_behind_the_picture_do_no_harm(behind):
    assert look(saved(noise(), "JPEG") + behind).problem == ""


def test_damage_within_a_png_is_found_by_its_checksums():
    content = bytearray(saved(noise(), "PNG"))
    content[len(content) // 2] ^= 0xFF

    assert look(bytes(content)).problem in ("unreadable", "truncated")


def test_a_png_whose_text_inflates_enormously_is_refused():
    bomb = PngImagePlugin.PngInfo()
    bomb.add_text("Comment", "x" * (PngImagePlugin.MAX_TEXT_CHUNK + 1), zip=True)

    assert look(saved(corners(), "PNG", pnginfo=bomb)).problem == "unreadable"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty-file"),
        (b"x", "not-an-image"),
        (b"just some text, whatever the name says", "not-an-image"),
        (b"<html><svg></svg><script>alert(1)</script></html>", "not-an-image"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not-an-image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format-not-supported"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg []><svg/>", "format-not-supported"),
        (b"8BPS\0\1" + bytes(30), "format-not-supported"),
        (b"\0\0\1\0\1\0" + bytes(30), "format-not-supported"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(30), "format-not-supported"),
        (b"\xff\xd8\xff\xe0", "unreadable"),
        (b"GIF89a", "unreadable"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(content, problem):
    assert look(content, "photo.jpg").problem == problem


def test_the_reason_names_the_format_that_is_not_taken():
    found = look(b"8BPS\0\1" + bytes(30), "drawing.psd")

    assert describe(found.problem, {"item": "drawing.psd", **found.params}) == (
        "drawing.psd: PSD files cannot be labeled here. Save it as JPEG or PNG and add that."
    )


def test_an_avif_may_call_itself_a_picture_of_any_kind_first():
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"


def test_a_header_that_claims_too_many_pixels_is_refused_before_decoding(monkeypatch):
    def decode(_image: ImageFile.ImageFile) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)

    found = look(huge_png(32_000, 32_000))

    assert found.problem == "too-many-pixels"
    assert found.params == {
        "width": 32_000,
        "height": 32_000,
        "megapixels": "1024",
        "limit": "100",
    }


@pytest.mark.parametrize(
    "header",
    [
        b"VP8X" + struct.pack("<II", 10, 0) + b"\xff\xff\xff" * 2,
        b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f",
        b"VP8L" + struct.pack("<I", 5) + b"\x2f\xff\xff\xff\x0f",
    ],
)
def test_a_webp_with_too_large_a_canvas_never_reaches_the_decoder(header, monkeypatch):
    def decode(*_args: object, **_options: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Image, "open", decode)
    content = b"WEBP" + header + bytes(50)

    assert look(b"RIFF" + struct.pack("<I", len(content)) + content).problem == "too-many-pixels"


@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_limit_of_pixels_is_exact(kind):
    content = saved(corners(60, 40), kind)

    assert look(content, limits=Limits(max_pixels=2_400)).problem == ""
    assert look(content, limits=Limits(max_pixels=2_399)).problem == "too-many-pixels"


def test_the_limit_of_bytes_is_exact():
    content = saved(noise(), "JPEG")

    assert look(content, limits=Limits(max_bytes=len(content))).problem == ""
    found = look(content, limits=Limits(max_bytes=len(content) - 1))
    assert found.problem == "too-large-file"


def test_a_long_strip_is_a_picture():
    found = look(saved(Image.new("RGB", (30_000, 2)), "PNG"))

    assert (found.problem, found.width, found.height) == ("", 30_000, 2)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("photo.jpg", ""),
        ("photo.JPEG", ""),
        ("photo.php.jpg", ""),
        ("photo", ""),
        ("photo.2", ""),
        ("photo.png", "wrong-extension"),
        ("photo.HEIC", "wrong-extension"),
    ],
)
def test_a_name_that_claims_another_format_is_remarked_and_taken(name, warning):
    found = look(saved(corners(), "JPEG"), name)

    assert (found.problem, found.warning, found.width) == ("", warning, 60)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_several_frames_are_remarked_and_the_first_is_taken(kind):
    frames = [noise(30, 20), noise(30, 20)]

    found = look(saved(frames[0], kind, save_all=True, append_images=frames[1:]))

    assert (found.problem, found.warning) == ("", "several-frames")
    assert (found.width, found.height) == (30, 20)


def test_a_stereo_jpeg_is_a_jpeg():
    content = saved(noise(30, 20), "MPO", save_all=True, append_images=[noise(30, 20)])

    found = look(content, "photo.mpo")

    assert (found.format, found.warning, found.problem) == ("JPEG", "", "")
    assert look(content[: len(content) // 3], "photo.mpo").problem


def test_most_files_are_not_decoded(monkeypatch):
    def decode(_image: Image.Image) -> None:
        raise AssertionError("decoded")

    contents = [saved(noise(), kind) for kind in SUFFIXES]
    for owner in (ImageFile.ImageFile, Image.Image):
        monkeypatch.setattr(owner, "load", decode)

    assert [look(content).problem for content in contents] == [""] * len(SUFFIXES)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("boo"), struct.error(), KeyError(1)])
def test_whatever_a_decoder_raises_is_a_verdict_on_this_file(error, monkeypatch):
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)

    found = look(saved(corners(), "JPEG"))

    assert (found.problem, found.params) == ("unreadable", {"format": "JPEG"})


def test_a_stream_that_cannot_seek_is_read_up_to_the_limit():
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    content = saved(noise(), "JPEG")
    small = Limits(max_bytes=1_000)

    assert probe(Pipe(content), name="x", limits=LIMITS).width == 160
    pipe = Pipe(content)
    assert probe(pipe, name="x", limits=small).problem == "too-large-file"
    assert pipe.tell() == 1_001


def test_a_storage_that_fails_while_reading_is_no_verdict_on_the_image():
    class Failing(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def read(self, _count: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        probe(Failing(), name="x", limits=LIMITS)


def test_files_are_probed_by_path_as_well(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(corners(), "JPEG"))

    assert probe(path, name=path.name, limits=LIMITS).width == 60
    assert probe(str(path), name=path.name, limits=LIMITS).width == 60
    assert probe(tmp_path / "no.jpg", name="no.jpg", limits=LIMITS).problem == "missing"
    assert probe(tmp_path, name="folder", limits=LIMITS).problem == "no-access"

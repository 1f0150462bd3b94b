"""Photos of phones. The decoder can write them too, so the tests make their own."""

import io

import pytest
from PIL import Image

from datasets.pixels import BadImage, Limits, display, is_plain, opening, probe, thumbnail
from datasets.problems import describe
from tests import needs
from tests.datasets.pictures import corners, noise, oriented, saved

LIMITS = Limits()
HEADER = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture
def photo() -> bytes:
    needs.heic()
    return saved(corners(120, 80), "HEIF")


def look(content: bytes, name: str = "IMG_1.HEIC", limits: Limits = LIMITS):
    return probe(content, name=name, limits=limits)


def test_a_photo_is_taken_with_its_size_and_shown_converted(photo):
    found = look(photo)

    assert (found.problem, found.warning) == ("", "")
    assert (found.format, found.width, found.height) == ("HEIC", 120, 80)
    assert not is_plain(found)
    assert display(photo, limits=LIMITS).media_type == "image/jpeg"


@pytest.mark.parametrize("value", [0, 1, 3, 6, 8, 9])
def test_a_photo_is_turned_once(value):
    needs.heic()
    # Written as phones do: the container turns it, and the EXIF still says that it has to be.
    content = saved(corners(120, 80), "HEIF", exif=oriented(value).tobytes())

    found = look(content)
    picture = Image.open(io.BytesIO(thumbnail(content, side=60, limits=LIMITS)))

    is_sideways = value in (6, 8)
    red_at = {3: (55, 35), 6: (35, 5), 8: (5, 55)}.get(value, (5, 5))
    assert (found.width, found.height) == ((80, 120) if is_sideways else (120, 80))
    assert picture.size == ((40, 60) if is_sideways else (60, 40))
    assert found.orientation == 1
    red, green, blue = picture.convert("RGB").getpixel(red_at)
    assert red > 180
    assert max(green, blue) < 80


def test_the_limit_of_pixels_is_its_own():
    needs.heic()
    limits = Limits(max_pixels=100_000, max_heic_pixels=9_600)

    assert look(saved(noise(120, 80), "HEIF"), limits=limits).problem == ""
    found = look(saved(noise(120, 82), "HEIF"), limits=limits)
    assert found.problem == "too-many-pixels"
    assert found.params["limit"] == "0"
    assert look(saved(noise(400, 400), "PNG"), "a.png", limits=limits).problem == "too-many-pixels"
    assert look(saved(noise(120, 82), "PNG"), "a.png", limits=limits).problem == ""


def test_the_limit_of_all_pictures_holds_for_it_too():
    needs.heic()
    limits = Limits(max_pixels=5_000, max_heic_pixels=9_600)

    assert look(saved(noise(120, 80), "HEIF"), limits=limits).problem == "too-many-pixels"


def test_a_photo_that_is_cut_off_is_never_half_shown():
    needs.heic()
    content = saved(noise(), "HEIF")

    for length in (40, len(content) // 2, len(content) - 1):
        assert look(content[:length]).problem in ("truncated", "unreadable")
        with pytest.raises(BadImage):
            thumbnail(content[:length], side=64, limits=LIMITS)
        with pytest.raises(BadImage):
            display(content[:length], limits=LIMITS)
    half = content[: len(content) // 2] + bytes(len(content) - len(content) // 2)
    assert look(half).problem == "truncated"


def test_several_photos_are_remarked_and_the_first_is_taken():
    needs.heic()
    frames = [noise(64, 48), noise(64, 48)]

    found = look(saved(frames[0], "HEIF", save_all=True, append_images=frames[1:]))

    assert (found.problem, found.warning, found.width) == ("", "several-frames", 64)


def test_a_header_alone_is_refused():
    needs.heic()

    assert look(HEADER).problem in ("truncated", "unreadable")


def test_without_the_decoder_a_photo_is_refused_and_the_reason_says_so(monkeypatch):
    monkeypatch.setattr(opening, "reads_heic", lambda: False)

    for content in (HEADER, b"\0\0\0\x14ftypmif1\0\0\0\0heic"):
        found = look(content)
        assert describe(found.problem, {"item": "IMG_1.HEIC", **found.params}) == (
            "IMG_1.HEIC: HEIC files cannot be labeled here. Save it as JPEG or PNG and add that."
        )

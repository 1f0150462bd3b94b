import io

import pytest
from PIL import Image, ImageChops, ImageCms

from datasets.pixels import (
    BadImage,
    Limits,
    display,
    is_browser_safe,
    is_plain,
    probe,
    thumbnail,
)
from tests.datasets.pictures import (
    BLUE,
    GREEN,
    ORIENTATION,
    RED,
    WHITE,
    corners,
    huge_png,
    noise,
    oriented,
    saved,
)

LIMITS = Limits()
# How an upright picture is stored for each orientation.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def small(content: bytes, side: int = 32) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail(content, side=side, limits=LIMITS)))
    assert image.format == "WEBP"
    return image


def shown(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(display(content, limits=LIMITS).content))


def near(colour: tuple[int, ...], expected: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(colour, expected, strict=True))


def has_corners(image: Image.Image) -> bool:
    picture = image.convert("RGB")
    right, bottom = picture.width - 4, picture.height - 4
    places = (3, 3), (right, 3), (3, bottom), (right, bottom)
    return all(
        near(picture.getpixel(place), colour, 30)
        for place, colour in zip(places, (RED, GREEN, BLUE, WHITE), strict=True)
    )


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((600, 400), 60, (60, 40)),
        ((400, 600), 60, (40, 60)),
        ((60, 40), 60, (60, 40)),
        ((20, 10), 60, (20, 10)),
        ((30_000, 2), 60, (60, 1)),
        ((2, 30_000), 60, (1, 60)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_whole_picture_is_fitted_and_never_enlarged(kind, size, side, expected):
    assert small(saved(Image.new("RGB", size, RED), kind), side).size == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("value", STORED_AS)
def test_pictures_stand_upright(kind, value):
    turn = STORED_AS[value]
    stored = corners(120, 80) if turn is None else corners(120, 80).transpose(turn)
    content = saved(stored, kind, exif=oriented(value))

    picture = small(content, 60)

    assert picture.size == (60, 40)
    assert has_corners(picture)
    assert has_corners(shown(content))
    found = probe(content, name="x", limits=LIMITS)
    assert (found.width, found.height) == shown(content).size == (120, 80)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind):
    grey = Image.new("I;16", (64, 64), 0x8000)

    assert abs(small(saved(grey, kind)).convert("L").getpixel((9, 9)) - 128) <= 3


def test_a_ramp_of_sixteen_bits_stays_a_ramp():
    ramp = Image.linear_gradient("L").convert("I").point(lambda value: value * 257)

    picture = small(saved(ramp.convert("I;16"), "PNG"), 256).convert("L")

    for row in (5, 64, 128, 250):
        assert abs(picture.getpixel((100, row)) - row) <= 4


def test_twelve_bits_in_sixteen_are_not_black():
    grey = Image.new("I;16", (64, 64), 0x0800)
    grey.putpixel((0, 0), 0x0FFF)

    assert abs(small(saved(grey, "TIFF")).convert("L").getpixel((20, 20)) - 128) <= 4


@pytest.mark.parametrize("mode", ["I", "F"])
def test_wide_and_floating_grey_goes_from_black_to_white(mode):
    ramp = Image.linear_gradient("L").convert("F").point(lambda value: value * 1000.0 - 9000.0)

    picture = small(saved(ramp.convert(mode), "TIFF"), 256).convert("L")

    assert picture.getpixel((100, 2)) < 10
    assert picture.getpixel((100, 253)) > 245


def test_one_value_everywhere_is_a_picture_too():
    assert small(saved(Image.new("F", (20, 20), 7.5), "TIFF")).size == (20, 20)


def test_floating_grey_that_is_not_a_number_is_refused():
    with pytest.raises(BadImage):
        small(saved(Image.new("F", (20, 20), float("nan")), "TIFF"))


def test_black_and_white_is_smoothed():
    checks = Image.new("1", (200, 200))
    checks.paste(1, (0, 0, 100, 200))

    picture = small(saved(checks, "PNG"), 33).convert("L")

    assert 40 < picture.getpixel((16, 16)) < 215


def test_cmyk_keeps_its_colours():
    for colour in (RED, GREEN, BLUE, WHITE):
        cmyk = Image.new("RGB", (64, 64), colour).convert("CMYK")
        for kind in ("JPEG", "TIFF"):
            content = saved(cmyk, kind)
            assert near(small(content).convert("RGB").getpixel((9, 9)), colour)
            assert near(shown(content).convert("RGB").getpixel((9, 9)), colour)


def test_lab_keeps_its_colours():
    rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.new("RGB", (64, 64), RED), rgb, lab, outputMode="LAB")

    assert near(small(saved(image, "TIFF")).convert("RGB").getpixel((9, 9)), RED)


def test_a_broken_profile_does_not_cost_the_picture():
    content = saved(corners(), "JPEG", icc_profile=b"no profile")

    assert has_corners(small(content, 60))


def test_a_profile_for_other_pixels_is_left_aside():
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    assert has_corners(small(saved(corners(), "JPEG", icc_profile=grey), 60))


def see_through() -> Image.Image:
    image = Image.new("RGBA", (64, 64), (*RED, 255))
    image.paste((0, 0, 0, 0), (32, 0, 64, 64))
    return image


def keyed(mode: str) -> bytes:
    image = Image.new(mode, (64, 64), 200 if mode == "L" else RED)
    image.paste(0, (32, 0, 64, 64))
    return saved(image, "PNG", transparency=0 if mode == "L" else (0, 0, 0))


@pytest.mark.parametrize(
    "content",
    [
        saved(see_through(), "PNG"),
        saved(see_through(), "WEBP"),
        saved(see_through(), "GIF"),
        saved(see_through().convert("LA"), "PNG"),
        saved(see_through().quantize(4), "PNG"),
        keyed("RGB"),
        keyed("L"),
    ],
)
def test_what_is_see_through_stays_so(content):
    for picture in (small(content), shown(content)):
        assert picture.mode == "RGBA"
        left, right = picture.width // 4, picture.width * 3 // 4
        assert picture.getpixel((left, 9))[3] == 255
        assert picture.getpixel((right, 9))[3] == 0


def test_alpha_that_hides_nothing_is_dropped():
    opaque = Image.new("RGBA", (64, 64), (*RED, 255))

    assert small(saved(opaque, "PNG")).mode == "RGB"
    assert display(saved(opaque, "PNG"), limits=LIMITS).media_type == "image/jpeg"


def test_the_first_frame_is_shown():
    frames = [Image.new("RGB", (30, 20), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(small(content).convert("RGB").getpixel((9, 9)), RED)


def test_nothing_but_pixels_is_passed_on():
    exif = oriented(6)
    exif[0x010F] = "maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = saved(corners(120, 80), "JPEG", exif=exif, icc_profile=profile, comment=b"secret")

    for picture in (small(content, 60), shown(content)):
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(picture.info)
        assert picture.getexif().get(ORIENTATION) is None


def test_the_fast_way_of_jpeg_shows_the_same_picture():
    photo = noise(64, 48).resize((1920, 1440), Image.Resampling.BICUBIC)

    fast, slow = small(saved(photo, "JPEG"), 256), small(saved(photo, "PNG"), 256)

    difference = ImageChops.difference(fast.convert("RGB"), slow.convert("RGB"))
    assert fast.size == slow.size == (256, 192)
    assert max(high for _low, high in difference.getextrema()) < 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"])
def test_a_cut_off_picture_is_never_half_shown(kind):
    content = saved(noise(), kind)

    for render in (thumbnail, display):
        options = {"side": 64} if render is thumbnail else {}
        with pytest.raises(BadImage) as bad:
            render(content[: len(content) // 2], limits=LIMITS, **options)
        assert bad.value.code in ("truncated", "unreadable")


def test_limits_hold_for_rendering_too():
    with pytest.raises(BadImage) as bad:
        thumbnail(huge_png(32_000, 32_000), side=64, limits=LIMITS)
    assert bad.value.code == "too-many-pixels"

    with pytest.raises(BadImage) as bad:
        display(saved(noise(), "JPEG"), limits=Limits(max_bytes=100))
    assert bad.value.code == "too-large-file"


def test_a_see_through_strip_fits_into_webp():
    content = saved(Image.new("RGBA", (20_000, 40), (0, 0, 0, 0)), "PNG")

    assert shown(content).size == (16_383, 33)


@pytest.mark.parametrize(
    ("facts", "is_safe"),
    [
        (("JPEG", "RGB"), True),
        (("JPEG", "L", 6), True),
        (("JPEG", "CMYK"), False),
        (("PNG", "RGBA"), True),
        (("PNG", "I;16"), False),
        (("PNG", "RGB", 3), False),
        (("WEBP", "RGB"), True),
        (("GIF", "P"), True),
        (("BMP", "RGB"), True),
        (("AVIF", "RGB", 6), True),
        (("TIFF", "RGB"), False),
        (("JPEG2000", "RGB"), False),
        (("", ""), False),
    ],
)
def test_browsers_are_given_what_they_show_right(facts, is_safe):
    assert is_browser_safe(*facts) is is_safe


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (saved(noise(), "JPEG"), True),
        (saved(noise(), "JPEG", exif=oriented(6)), True),
        (saved(noise(), "PNG"), True),
        (saved(noise(), "PNG", exif=oriented(6)), False),
        (saved(noise(), "WEBP"), True),
        (saved(noise().convert("CMYK"), "JPEG"), False),
        (saved(Image.new("I;16", (9, 9)), "PNG"), False),
        (saved(noise(), "TIFF"), False),
        (saved(noise(), "GIF"), True),
        (saved(noise(), "GIF", save_all=True, append_images=[noise()]), False),
        (saved(noise(), "WEBP", save_all=True, append_images=[noise()]), False),
        (saved(noise(), "PNG", save_all=True, append_images=[noise()]), False),
        (saved(noise(), "MPO", save_all=True, append_images=[noise()]), True),
        (saved(noise(), "JPEG")[:-9], False),
        (b"no image", False),
    ],
)
def test_a_plain_original_is_one_picture_that_every_browser_shows(content, expected):
    assert is_plain(probe(content, name="photo.jpg", limits=LIMITS)) is expected

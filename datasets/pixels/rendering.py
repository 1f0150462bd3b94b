"""Pictures for the screen: upright, 8-bit sRGB, the first frame."""

import io
import math
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageCms

from datasets.pixels.opening import BadImage, Guard, Limits, Opened, Source, opened
from datasets.pixels.probing import Probe, orientation_of
from datasets.pixels.signatures import MEDIA_TYPES
from datasets.pixels.structure import check_whole

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The JPEG decoder scales by 2, 4 and 8 for next to nothing, and well: little is kept for the fine
# resampling. Other formats are averaged in whole steps first, which needs more to look the same.
_JPEG_GAP = 1.5
_REDUCING_GAP = 2.0
_THUMBNAIL_QUALITY = 80
_DISPLAY_QUALITY = 90
# Half the time of the usual 4 for files that are 5 % larger.
_WEBP_EFFORT = 2
_WEBP_LONGEST_SIDE = 16_383
# Modes whose pixels can be averaged and that `_in_srgb` finishes afterwards.
_RESAMPLED_AS_THEY_ARE = frozenset({"L", "RGB", "RGBA", "CMYK"})
_COLOUR_SPACES = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
_BROWSER_MODES = {
    "JPEG": frozenset({"L", "RGB"}),
    "PNG": frozenset({"1", "L", "LA", "P", "RGB", "RGBA"}),
    "GIF": frozenset({"1", "L", "P", "RGB", "RGBA"}),
    "BMP": frozenset({"1", "L", "P", "RGB", "RGBA"}),
    "WEBP": frozenset({"RGB", "RGBA"}),
    "AVIF": frozenset({"L", "RGB", "RGBA"}),
}
# Browsers turn these by themselves; what other formats say is followed by some and not by others.
_TURNED_BY_BROWSERS = frozenset({"JPEG", "AVIF"})


class Rendition(NamedTuple):
    content: bytes
    media_type: str


def is_browser_safe(kind: str, mode: str, orientation: int = 1) -> bool:
    """Whether every browser shows the original file right; all three as `probe` gave them."""
    if mode not in _BROWSER_MODES.get(kind, ()):
        return False
    return orientation == 1 or kind in _TURNED_BY_BROWSERS


def is_plain(found: Probe) -> bool:
    """Whether every browser shows the original file, and that as one picture that stands still."""
    if found.problem or found.has_frames:
        return False
    return is_browser_safe(found.format, found.mode, found.orientation)


def thumbnail(source: Source, *, side: int, limits: Limits) -> bytes:
    """The whole picture as WebP, at most `side` pixels wide and high, never enlarged.

    Raises BadImage where it cannot be shown as it is, a cut-off one included.
    """
    with opened(source, limits=limits) as found:
        with Guard(found.kind):
            image = _upright_in_srgb(found, side=side)
            return _encoded(image, "WEBP", quality=_THUMBNAIL_QUALITY)


def display(source: Source, *, limits: Limits) -> Rendition:
    """The picture at full size in a form that every browser shows: JPEG, or WebP if it is see-
    through. Raises BadImage like `thumbnail`."""
    with opened(source, limits=limits) as found:
        with Guard(found.kind):
            side = max(found.image.size)
            image = _upright_in_srgb(found, side=side)
            if image.mode != "RGBA":
                return Rendition(
                    _encoded(image, "JPEG", quality=_DISPLAY_QUALITY), MEDIA_TYPES["JPEG"]
                )
            image.thumbnail((_WEBP_LONGEST_SIDE, _WEBP_LONGEST_SIDE))
            return Rendition(_encoded(image, "WEBP", quality=_DISPLAY_QUALITY), MEDIA_TYPES["WEBP"])


def _upright_in_srgb(found: Opened, *, side: int) -> Image.Image:
    image = found.image
    check_whole(found)
    size = _fitted(image.size, side)
    image.draft(None, tuple(math.ceil(edge * _JPEG_GAP) for edge in size))
    image.load()
    orientation = orientation_of(found)
    profile = image.info.get("icc_profile")
    # Both may have been turned while they were loaded.
    size = _fitted(image.size, side) if found.kind in ("TIFF", "HEIC") else size
    image = _resamplable(image)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)
    image = _in_srgb(image, profile)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    if image.mode == "RGBA" and image.getextrema()[3] == (255, 255):
        image = image.convert("RGB")
    return image


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    longest = max(size)
    if longest <= side:
        return size
    width, height = (max(1, round(edge * side / longest)) for edge in size)
    return width, height


def _resamplable(image: Image.Image) -> Image.Image:
    """The image in a mode whose neighbouring pixels can be averaged."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bit(image)
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in _RESAMPLED_AS_THEY_ARE:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled: Pillow's own conversion turns all above 255 white."""
    if image.mode not in ("I;16", "F"):
        image = image.convert("I")
    low, high = image.getextrema()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise BadImage("unreadable", format=image.format or "")
    if image.mode == "I;16" or (image.mode == "I" and low >= 0 and high <= 65_535):
        # Cameras that deliver 10 or 12 bits store them in 16: that would be nearly black.
        low, high = 0, next(top for top in (255, 1_023, 4_095, 65_535) if high <= top)
    scale = 255 / (high - low) if high > low else 0
    offset = 0.5 - low * scale
    return image.point(lambda value: value * scale + offset).convert("L")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _to_srgb(profile, image.mode) if profile and image.mode in _COLOUR_SPACES else None
    if transform is not None:
        return transform.apply(image)
    return image.convert("RGB") if image.mode == "CMYK" else image


@lru_cache(maxsize=8)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Nothing where the profile says sRGB already, fits another kind of image or is broken."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _COLOUR_SPACES[mode]:
            return None
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None
        shown = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.ImageCmsTransform(source, shown, mode, "RGBA" if mode == "RGBA" else "RGB")
    except (OSError, ImageCms.PyCMSError, TypeError, ValueError):
        return None


def _encoded(image: Image.Image, kind: str, *, quality: int) -> bytes:
    # Without this the profile, the EXIF and with it the place of the photo would be copied.
    image.info = {}
    content = io.BytesIO()
    image.save(content, kind, quality=quality, method=_WEBP_EFFORT)
    return content.getvalue()

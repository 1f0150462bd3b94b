"""The verdict on an image file: its upright size, or why it cannot be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image

from datasets.names import suffix
from datasets.pixels.opening import BadImage, Guard, Limits, Opened, Source, opened
from datasets.pixels.signatures import is_named_otherwise
from datasets.pixels.structure import check_whole, has_late_metadata

_UPRIGHT = 1
_SIDEWAYS = frozenset({5, 6, 7, 8})
_EXIF_PLACES = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")
# Several pictures in a JPEG are a stereo pair or a preview: nobody expects more than the first.
_ONE_PICTURE = frozenset({"JPEG", "BMP", "JPEG2000"})


@dataclass(frozen=True, slots=True)
class Probe:
    """Width and height are upright. `has_frames`: there are pictures behind the first. With a
    `problem` the image is refused, a `warning` accepts.

    Both are codes of datasets.problems, and `params` fills in the words of whichever is set.
    """

    width: int = 0
    height: int = 0
    format: str = ""
    mode: str = ""
    orientation: int = _UPRIGHT
    has_frames: bool = False
    problem: str = ""
    warning: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


def probe(source: Source, *, name: str, limits: Limits) -> Probe:
    """Reads the header and makes sure of the end; decodes only where that leaves a doubt.

    `name` is asked for its suffix alone. A stream stays open, a path does not.
    """
    try:
        with opened(source, limits=limits) as found:
            return _verdict(found, name)
    except BadImage as bad:
        return Probe(problem=bad.code, params=bad.params)


def _verdict(found: Opened, name: str) -> Probe:
    image = found.image
    width, height = image.size
    mode = image.mode
    with Guard(found.kind):
        check_whole(found)
        orientation = orientation_of(found)
    if orientation in _SIDEWAYS:
        width, height = height, width
    has_frames = found.kind not in _ONE_PICTURE and _has_several_frames(image)
    warning, params = _warning(found.kind, name, has_frames=has_frames)
    return Probe(
        width=width,
        height=height,
        format=found.kind,
        mode=mode,
        orientation=orientation,
        has_frames=has_frames,
        warning=warning,
        params=params,
    )


def orientation_of(found: Opened) -> int:
    """How the pixels have to be turned: 1 to 8 as in EXIF. Other values count as upright, and so
    does whatever cannot be read."""
    image = found.image
    if found.kind in ("TIFF", "HEIC"):
        # Turned by Pillow and by libheif: a TIFF when it is loaded, which swaps its size at once.
        return _UPRIGHT
    if found.kind == "PNG" and "exif" not in image.info and has_late_metadata(found.stream):
        image.load()
    if not any(place in image.info for place in _EXIF_PLACES):
        return _UPRIGHT
    try:
        # Not PngImageFile.getexif, which decodes the whole image first.
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - broken EXIF must not cost the image
        return _UPRIGHT
    return value if isinstance(value, int) and 1 <= value <= 8 else _UPRIGHT


def _warning(kind: str, name: str, *, has_frames: bool) -> tuple[str, dict[str, Any]]:
    if is_named_otherwise(name, kind):
        return "wrong-extension", {"suffix": suffix(name), "format": kind}
    if has_frames:
        return "several-frames", {}
    return "", {}


def _has_several_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # noqa: BLE001 - whatever is wrong with the second frame, the first is fine
        return False

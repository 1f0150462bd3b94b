"""Pictures made from images for the screen, kept in the data folder: each is made once."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from datasets.models import Image
from datasets.pixels import Limits, Rendition, display, is_browser_safe, probe, thumbnail
from datasets.pixels.signatures import MEDIA_TYPES

# Sharp on a tile of 200 pixels on a screen with two dots per pixel.
SIDE = 384
MEDIA_TYPE = "image/webp"


def content_key(image: Image) -> str:
    """Changes with the bytes of the image: what is made from them is kept and cached under it."""
    return key_of(image.dataset_id, image.path, image.etag)


def key_of(dataset_id: int, path: str, etag: str) -> str:
    """`content_key` of an image that was read without its model."""
    identity = f"{dataset_id}/{path}/{etag}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def thumbnail_of(image: Image) -> bytes:
    """The thumbnail as WebP. Raises StorageError or BadImage."""
    return _kept(f"{content_key(image)}.webp", lambda: _make_thumbnail(image))


def _make_thumbnail(image: Image) -> bytes:
    with image.dataset.storage.driver().open(image.key) as stream:
        return thumbnail(stream, side=SIDE, limits=_limits())


def shown(image: Image) -> Rendition:
    """The image at full size as every browser shows it: its own bytes where those will do.

    Raises StorageError or BadImage.
    """
    with image.dataset.storage.driver().open(image.key) as stream:
        # One byte more than allowed shows that the file has grown too large.
        content = stream.read(settings.MAX_IMAGE_BYTES + 1)
    found = probe(content, name=image.path, limits=_limits())
    if not found.problem and is_browser_safe(found.format, found.mode, found.orientation):
        return Rendition(content, MEDIA_TYPES[found.format])
    made = _kept(f"{content_key(image)}.shown", lambda: _make_shown(content))
    return Rendition(made, "image/jpeg" if made.startswith(b"\xff\xd8") else MEDIA_TYPE)


def _make_shown(content: bytes) -> bytes:
    return display(content, limits=_limits()).content


def forget(images: Iterable[Image]) -> None:
    """Removes what was made from images whose files are deleted."""
    for image in images:
        for ending in ("webp", "shown"):
            _place(f"{content_key(image)}.{ending}").unlink(missing_ok=True)


def _limits() -> Limits:
    return Limits(settings.MAX_IMAGE_BYTES, settings.MAX_IMAGE_PIXELS)


def _place(name: str) -> Path:
    # Two letters of the name as a folder: no folder gets millions of files.
    return settings.DATA_DIR / "thumbnails" / name[:2] / name


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    path = _place(name)
    with suppress(FileNotFoundError):
        return path.read_bytes()
    content = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: two requests for the same picture both write it, with the same bytes.
    draft = path.with_name(f".{name}-{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return content

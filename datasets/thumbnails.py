"""Pictures made from images for the screen, kept in the data folder: each is made once."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from datasets.models import Image
from datasets.pixels import Limits, display, is_plain, probe, thumbnail
from datasets.storages import Storage

MEDIA_TYPE = "image/webp"


class Size(StrEnum):
    """TILE is sharp on a tile of 200 pixels on a screen with two dots per pixel; PREVIEW stands in
    the viewer until the image itself is there."""

    TILE = "tile"
    PREVIEW = "preview"

    @property
    def side(self) -> int:
        return {Size.TILE: 384, Size.PREVIEW: 1280}[self]


def content_key(image: Image) -> str:
    """Changes with the bytes of the image: what is made from them is kept and cached under it."""
    return key_of(image.dataset_id, image.path, image.etag)


def key_of(dataset_id: int, path: str, etag: str) -> str:
    """`content_key` of an image that was read without its model."""
    identity = f"{dataset_id}/{path}/{etag}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def thumbnail_of(image: Image, size: Size) -> bytes:
    """The thumbnail as WebP. Raises StorageError or BadImage."""
    key = content_key(image)
    with suppress(FileNotFoundError):
        return kept_at(key, size).read_bytes()
    return make_thumbnail(image.dataset.storage.driver(), image.key, key, size)


def keep_thumbnail(image: Image, content: bytes) -> None:
    """Makes the tile of bytes that were read already. Raises BadImage."""
    tile = thumbnail(content, side=Size.TILE.side, limits=limits())
    _keep(kept_at(content_key(image), Size.TILE), tile)


def make_thumbnail(driver: Storage, path: str, key: str, size: Size) -> bytes:
    """Makes and keeps it, of the object at `path` in the storage. Needs no database."""
    with driver.open(path) as stream:
        content = thumbnail(stream, side=size.side, limits=limits())
    _keep(kept_at(key, size), content)
    return content


def kept_at(key: str, size: Size) -> Path:
    """Where the thumbnail lies once it is made."""
    return _place(f"{key}.webp" if size == Size.TILE else f"{key}.{size}.webp")


def rendition_of(image: Image) -> Path | None:
    """The image at full size as every browser shows it; None: its own bytes will do.

    Raises StorageError or BadImage.
    """
    place = _place(f"{content_key(image)}.shown")
    if image.is_plain:
        return None
    if place.exists():
        return place
    with image.dataset.storage.driver().open(image.key) as stream:
        # One byte more than allowed shows that the file has grown too large.
        source = stream if stream.seekable() else stream.read(settings.MAX_IMAGE_BYTES + 1)
        if is_plain(probe(source, name=image.path, limits=limits())):
            return None
        _keep(place, display(source, limits=limits()).content)
    return place


def media_type_of(rendition: Path) -> str:
    with rendition.open("rb") as file:
        return "image/jpeg" if file.read(2) == b"\xff\xd8" else MEDIA_TYPE


def limits() -> Limits:
    """What the settings allow an image to be."""
    return Limits(
        max_bytes=settings.MAX_IMAGE_BYTES,
        max_pixels=settings.MAX_IMAGE_PIXELS,
        max_heic_pixels=settings.MAX_HEIC_PIXELS,
    )


def forget(images: Iterable[Image]) -> None:
    """Removes what was made from images whose files are deleted."""
    for image in images:
        key = content_key(image)
        for path in (*(kept_at(key, size) for size in Size), _place(f"{key}.shown")):
            path.unlink(missing_ok=True)


def _place(name: str) -> Path:
    # Two letters of the name as a folder: no folder gets millions of files.
    return settings.DATA_DIR / "thumbnails" / name[:2] / name


def _keep(path: Path, content: bytes) -> None:
    """Whole or not at all: two that make the same picture both write it, with the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

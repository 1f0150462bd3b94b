"""The original of an image: straight from the storage where browsers can reach that, else through
the server."""

import time
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from datasets.models import Image, Storage, StorageKind
from datasets.pixels.signatures import MEDIA_TYPES
from datasets.storages import StorageError
from datasets.thumbnails import Size, content_key, key_of
from jobs.streams import Content

# An address of the storage is good for so long, and a browser keeps the way to it for less.
ADDRESS_SECONDS = 900
KEPT_SECONDS = 600
# After a failure the origin of a storage is asked for again.
PATIENCE_SECONDS = 60.0
MOST_KNOWN = 500

_origins: dict[tuple, tuple[float, str | None]] = {}


def address_of(request: HttpRequest, image: Image) -> str | None:
    """Where the storage itself shows the image, to everybody who has the address; None: nowhere."""
    if not _is_elsewhere(request, image):
        return None
    try:
        return image.dataset.storage.driver().url(image.key, seconds=ADDRESS_SECONDS)
    except StorageError:
        return None


def _is_elsewhere(request: HttpRequest, image: Image) -> bool:
    return image.is_plain and bool(_origin_for(request, image.dataset.storage))


def shown(request: HttpRequest, job_id: int, sample_id: int, image: Image) -> dict[str, str]:
    """The addresses that the viewer needs: of the image, of what stands there until it has come
    (none for small ones), and of the way through the server, where the first leads elsewhere."""
    key = content_key(image)
    original = f"{reverse('image', args=[job_id, sample_id])}?v={key}"
    preview = ""
    if max(image.width, image.height) > Size.PREVIEW.side:
        preview = reverse("thumbnail", args=[job_id, sample_id, Size.PREVIEW.value, key])
    stream = f"{original}&stream=1" if _is_elsewhere(request, image) else ""
    return {"image_url": original, "preview_url": preview, "stream_url": stream}


def allow_originals(request: HttpRequest, response: HttpResponse, storage: Storage) -> None:
    """Lets the page show images of the storage: others are stopped by its security policy."""
    if origin := _origin_for(request, storage):
        response._csp_update = {"img-src": [origin]}


def _origin_for(request: HttpRequest, storage: Storage) -> str | None:
    origin = _origin(storage)
    # Browsers do not fetch from http what a page of https shows.
    is_safe_page = request.is_secure() or settings.PUBLIC_URL.startswith("https:")
    if origin and is_safe_page and urlsplit(origin).scheme != "https":
        return None
    return origin


def _origin(storage: Storage) -> str | None:
    """Found once in each process: it takes the library for S3, and a signature."""
    if storage.kind == StorageKind.LOCAL or not storage.presigns:
        return None
    where = (storage.endpoint, storage.region, storage.bucket, storage.addressing)
    identity = (storage.pk, *where, storage.credentials)
    good_until, origin = _origins.get(identity, (0.0, None))
    if time.monotonic() < good_until:
        return origin
    try:
        origin, good_for = storage.connection().storage().origin(), float("inf")
    except StorageError:
        origin, good_for = None, PATIENCE_SECONDS
    if len(_origins) >= MOST_KNOWN:
        _origins.clear()
    _origins[identity] = time.monotonic() + good_for, origin
    return origin


def content_of(image: Image) -> Content:
    """The bytes as they are in the storage now. Raises StorageError."""
    driver, path = image.dataset.storage.driver(), image.key
    # Not from the row: the file may have been replaced since it was listed.
    entry = driver.head(path)
    return Content(
        size=entry.size,
        media_type=MEDIA_TYPES.get(image.format, "application/octet-stream"),
        tag=key_of(image.dataset_id, image.path, entry.etag),
        modified_at=entry.modified_at,
        open=lambda start, length: driver.open(path, start=start, length=length),
    )

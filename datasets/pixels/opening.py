"""Opens an image file as far as its header, within limits, and turns every failure of the
decoders into a verdict."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

# Registers the formats once: `Image.open` would otherwise import forty plugins at the first miss.
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from datasets.pixels.signatures import HEAD_BYTES, SUFFIXES, sniff
from datasets.problems import megabytes

PLUGINS = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
# What Pillow calls a format where that is not the name that people know.
_PILLOW_NAMES = {"HEIC": "HEIF"}
# Pillow's limit is one for the whole process and merely warns at first; ours is checked below, for
# each file, before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None

Source = Path | str | bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class Limits:
    """What one image may be at most."""

    max_bytes: int = 25_000_000
    max_pixels: int = 100_000_000
    # HEIC is decoded whole, whatever size is wanted: 7 bytes and 30 ns a pixel.
    max_heic_pixels: int = 30_000_000

    def most_pixels(self, kind: str) -> int:
        return min(self.max_pixels, self.max_heic_pixels) if kind == "HEIC" else self.max_pixels


class BadImage(Exception):
    """The image cannot be taken or shown; `code` and `params` as in datasets.problems."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(slots=True)
class Opened:
    """An image whose header was read and found within the limits."""

    image: Image.Image
    kind: str
    stream: BinaryIO
    size: int


@contextmanager
def opened(source: Source, *, limits: Limits) -> Iterator[Opened]:
    with _stream_of(source, limits=limits) as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        head = stream.read(HEAD_BYTES)
        kind = _accepted_kind(head)
        if size > limits.max_bytes:
            raise BadImage(
                "too-large-file", megabytes=megabytes(size), limit=megabytes(limits.max_bytes)
            )
        if kind == "WEBP":
            # Pillow's decoder allocates the canvas as soon as it is opened.
            _check_pixels(_webp_size(head), kind, limits)
        stream.seek(0)
        with Guard(kind):
            image = Image.open(stream, formats=(_PILLOW_NAMES.get(kind, kind),))
        _check_pixels(image.size, kind, limits)
        yield Opened(image, kind, stream, size)


class Guard:
    """Around everything that decoders do with one file: one bad file must not stop the others."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Decoders raise anything at all; what stops the process is not theirs.
        if isinstance(error, Exception) and not isinstance(error, BadImage):
            is_cut = isinstance(error, EOFError) or "truncated" in str(error).lower()
            raise BadImage("truncated" if is_cut else "unreadable", format=self.kind) from error


def _stream_of(source: Source, *, limits: Limits) -> AbstractContextManager[BinaryIO]:
    """Closes what it opened itself, and nothing else."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, Path | str):
        try:
            return open(source, "rb")
        except FileNotFoundError as error:
            raise BadImage("missing") from error
        except OSError as error:
            raise BadImage("no-access") from error
    if source.seekable():
        return nullcontext(source)
    # One byte more than allowed shows that the file is too large.
    return io.BytesIO(source.read(limits.max_bytes + 1))


def _accepted_kind(head: bytes) -> str:
    if not head:
        raise BadImage("empty-file")
    kind = sniff(head)
    if not kind:
        raise BadImage("not-an-image")
    if kind not in SUFFIXES or (kind == "HEIC" and not reads_heic()):
        raise BadImage("format-not-supported", format=kind)
    return kind


@lru_cache(maxsize=1)
def reads_heic() -> bool:
    """Whether there is a decoder. It is loaded with the first HEIC file: few have any."""
    try:
        import pillow_heif
    except ImportError:
        return False
    # The small pictures inside a file may show something else than the file does.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return True


def _check_pixels(size: tuple[int, int], kind: str, limits: Limits) -> None:
    width, height = size
    if width * height > limits.most_pixels(kind):
        raise BadImage(
            "too-many-pixels",
            width=width,
            height=height,
            megapixels=megabytes(width * height),
            limit=megabytes(limits.most_pixels(kind)),
        )


def _webp_size(head: bytes) -> tuple[int, int]:
    """The canvas as the first chunk gives it; nothing where the decoder will refuse the file."""
    match head[12:16]:
        case b"VP8X":
            return (
                int.from_bytes(head[24:27], "little") + 1,
                int.from_bytes(head[27:30], "little") + 1,
            )
        case b"VP8 ":
            return (
                int.from_bytes(head[26:28], "little") & 0x3FFF,
                int.from_bytes(head[28:30], "little") & 0x3FFF,
            )
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0

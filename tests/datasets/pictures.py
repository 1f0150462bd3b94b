"""Image files made for the tests."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 60), (40, 60, 220), (250, 250, 250)
ORIENTATION = 0x0112


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for index, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        image.paste(colour, (index % 2 * half[0], index // 2 * half[1], width, height))
    return image


def noise(width: int = 160, height: int = 120) -> Image.Image:
    """Something that does not compress away."""
    return Image.effect_noise((width, height), 80).convert("RGB")


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def oriented(value: object) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def huge_png(width: int, height: int) -> bytes:
    """A header that claims so many pixels, and no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)

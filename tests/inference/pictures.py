"""Pictures made in code, and the answers that are known for photos."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

# PaddleLabel's sample pictures, fp32: best label (first name of it) and score (paddle 2.6 and 3.3).
KNOWN_ANSWERS = {
    "bear/1.jpeg": ("switch", 0.0508),
    "bear/2.jpeg": ("hook", 0.1277),
    "bear/3.jpeg": ("joystick", 0.1223),
    "bear/4.jpeg": ("disk brake", 0.2408),
    "fruit/1.jpeg": ("strawberry", 0.6251),
    "fruit/2.jpeg": ("gong", 0.1436),
    "fruit/3.jpeg": ("candle", 0.3131),
    "fruit/4.jpeg": ("lemon", 0.5978),
    "fruit/5.jpeg": ("bell pepper", 0.7252),
}


BEST = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
    "PNG": {},
    "TIFF": {},
}


def photo(width: int = 320, height: int = 240, seed: int = 0) -> np.ndarray:
    """Smooth colours with grain, uint8 RGB: like a photo to a codec, and different at each edge."""
    grain = np.random.default_rng(seed)
    coarse = Image.fromarray(grain.integers(0, 256, (6, 8, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.clip(smooth + grain.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def encoded(picture: np.ndarray | Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(upright: np.ndarray, orientation: int, kind: str = "JPEG") -> bytes:
    """A file whose pixels lie as a camera writes them for this EXIF orientation."""
    undo = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation])
    return encoded(stored, kind, exif=exif, **BEST[kind])


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")

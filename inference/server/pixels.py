"""From the bytes of an image to the numbers that the network takes.

The pixels are PaddleClas' own, bit for bit (a test compares them with its operators): decode, EXIF
orientation, bilinear resize of the short side, centre crop, RGB, normalise. Two steps are done in
another order for speed, without changing a bit: the channels are swapped after the crop (on 50,000
pixels, not on 2 million), and the normalisation is a look-up table of 256 values per channel.
"""

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import ExifTags, Image

# Formats that a photo or a web picture comes in. Not PSD, ICO, EPS and the like.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000")
# 1/255 as PaddleClas writes it in its configuration files.
SCALE = np.float32(0.00392157)
# A strip of 30,000 x 2 pixels would become 3,840,000 x 256 by the short side.
LONGEST_TO_SHORTEST = 64
TRANSPOSE = Image.Transpose
UPRIGHT = {
    2: TRANSPOSE.FLIP_LEFT_RIGHT,
    3: TRANSPOSE.ROTATE_180,
    4: TRANSPOSE.FLIP_TOP_BOTTOM,
    5: TRANSPOSE.TRANSPOSE,
    6: TRANSPOSE.ROTATE_270,
    7: TRANSPOSE.TRANSVERSE,
    8: TRANSPOSE.ROTATE_90,
}
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    LookupError,
    EOFError,
    MemoryError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
)


class BadImage(ValueError):
    """The bytes are not a picture that can be read; the sentence says why."""


def decode(data: bytes | memoryview, *, max_pixels: int) -> np.ndarray:
    """Upright 8-bit BGR picture, uint8 (height, width, 3), of any of FORMATS.

    JPEG goes through OpenCV: the same pixels as Pillow in a third of the time. All else goes
    through Pillow, which reports a damaged file where OpenCV gives half a picture.
    """
    if not len(data):
        raise BadImage("the file is empty")
    picture = _open(data, max_pixels)
    try:
        if picture.format in ("JPEG", "MPO"):
            return _decode_jpeg(data)
        return _decode_other(picture)
    except BadImage:
        raise
    except UNREADABLE as error:
        raise BadImage(f"damaged {picture.format} picture: {_first_line(error)}") from error


def resize_and_crop(image: np.ndarray, *, resize_short: int, size: int) -> np.ndarray:
    """Centre square of the resized picture, uint8 BGR (size, size, 3)."""
    image = _without_far_ends(image)
    height, width = image.shape[:2]
    percent = float(resize_short) / min(width, height)
    scaled = (int(round(width * percent)), int(round(height * percent)))
    image = cv2.resize(image, scaled, interpolation=cv2.INTER_LINEAR)
    left, top = (scaled[0] - size) // 2, (scaled[1] - size) // 2
    return image[top : top + size, left : left + size]


def normalise_tables(mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """(value * SCALE - mean) / std of every 8-bit value: float32 (3 channels RGB, 256)."""
    values = np.arange(256).astype("float32") * SCALE
    means, stds = np.array(mean).astype("float32"), np.array(std).astype("float32")
    return (values[None, :] - means[:, None]) / stds[:, None]


def normalise_into(out: np.ndarray, crop: np.ndarray, tables: np.ndarray) -> None:
    """Fill `out`, float32 RGB (3, size, size), from an 8-bit BGR crop (size, size, 3)."""
    for channel in range(3):
        np.take(tables[channel], crop[:, :, 2 - channel], out=out[channel], mode="clip")


def _open(data: bytes | memoryview, max_pixels: int) -> Image.Image:
    """Read the header alone: what it claims decides before any memory is taken for pixels."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise BadImage(f"not a picture in one of the formats {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise BadImage(f"over the limit of {max_pixels / 1e6:g} megapixels: {error}") from error
    except UNREADABLE as error:
        raise BadImage(f"the header is damaged: {_first_line(error)}") from error
    width, height = picture.size
    if width * height > max_pixels:
        raise BadImage(
            f"{width} x {height} pixels is over the limit of {max_pixels / 1e6:g} megapixels"
        )
    return picture


def _decode_jpeg(data: bytes | memoryview) -> np.ndarray:
    if not _has_jpeg_end(bytes(data)):
        # OpenCV would fill the rest with grey and say nothing.
        raise BadImage("truncated JPEG: the end of the picture is missing")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BadImage("damaged JPEG picture")
    return image


def _has_jpeg_end(data: bytes) -> bool:
    """Is there an end marker (FF D9) behind the first scan?

    A plain search would find the end of the thumbnail that many cameras put into the EXIF block, so
    the blocks before the scan are stepped over by their lengths. In the scan, FF is always escaped.
    """
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            position += 1
            continue
        marker = data[position + 1]
        if marker == 0xDA:
            return data.find(b"\xff\xd9", position) != -1
        if marker == 0xFF:
            position += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8 or marker == 0:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _decode_other(picture: Image.Image) -> np.ndarray:
    picture.load()
    turn = UPRIGHT.get(_orientation(picture))
    upright = picture if turn is None else picture.transpose(turn)
    if upright.mode.startswith(("I", "F")):
        upright = Image.fromarray(_to_8_bit(np.asarray(upright)))
    if upright.mode != "RGB":  # Pillow would copy it
        upright = upright.convert("RGB")
    return np.asarray(upright)[:, :, ::-1]


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation; 1 where there is none or it cannot be read (the picture itself can)."""
    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except UNREADABLE:
        return 1


def _to_8_bit(grey: np.ndarray) -> np.ndarray:
    """16-bit grey by its high byte, as PaddleClas reads it (Pillow's convert would clip to white).

    Wider values have no agreed range: they are stretched from their least to their greatest.
    """
    if grey.dtype.itemsize == 2:
        return (grey >> 8).astype(np.uint8)
    values = np.nan_to_num(grey.astype(np.float64))
    low, high = values.min(), values.max()
    return ((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)


def _without_far_ends(image: np.ndarray) -> np.ndarray:
    """Cut a strip to its centre: the crop takes nothing of the rest, and resizing it costs GBs."""
    height, width = image.shape[:2]
    longest = min(width, height) * LONGEST_TO_SHORTEST
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image[top : top + longest, left : left + longest]


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

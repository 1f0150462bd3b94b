"""Whether the end of an image file is there, found without decoding it.

Decoders open a file that was cut off, or whose rest is zeros as downloads leave it, and some fill
what is missing with grey. So the end of each format is looked for; only where that leaves a doubt
the file is decoded.
"""

import io
import struct
import zlib
from typing import BinaryIO

from PIL import Image

from datasets.pixels.opening import BadImage, Opened

_END_OF_JPEG = b"\xff\xd9"
_TAIL_BYTES = 4096
# No compressed picture ends in so many zeros.
_ZEROS = bytes(256)
_READ_BYTES = 1 << 16
# Text and EXIF behind the pixels of a PNG: Pillow sees them only after decoding.
_PNG_METADATA = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt"})


def check_whole(opened: Opened) -> None:
    """Raises BadImage, or whatever the decoder raises, for a file that was cut off.

    To be called before anything else is read from a newly opened image.
    """
    if opened.kind == "JPEG" and not hasattr(opened.image, "mpinfo"):
        if not _has_end_of_jpeg(opened):
            raise BadImage("truncated", format=opened.kind)
    elif not _is_surely_whole(opened):
        opened.image.load()


def _is_surely_whole(opened: Opened) -> bool:
    stream, size = opened.stream, opened.size
    match opened.kind:
        case "JPEG":
            return _first_of_several_is_whole(opened)
        case "PNG":
            return _png_is_whole(stream)
        case "GIF":
            return _tail(opened).endswith(b";")
        case "WEBP":
            _refuse_zeros(opened)
            stream.seek(4)
            return 8 + int.from_bytes(stream.read(4), "little") <= size
        case "AVIF":
            _refuse_zeros(opened)
            return _boxes_are_whole(stream, size)
        case "HEIC":
            _refuse_cut_boxes(opened)
            return True
        case "JPEG2000":
            return _tail(opened).endswith(_END_OF_JPEG)
        case "BMP":
            return _bmp_is_whole(opened.image, size)
        case "TIFF":
            return _tiff_is_whole(opened.image, size)
    raise ValueError(opened.kind)


def _tail(opened: Opened) -> bytes:
    opened.stream.seek(max(0, opened.size - _TAIL_BYTES))
    return opened.stream.read()


def _refuse_zeros(opened: Opened) -> None:
    if _tail(opened).endswith(_ZEROS):
        raise BadImage("truncated", format=opened.kind)


def _has_end_of_jpeg(opened: Opened) -> bool:
    """The mark of the end cannot occur within pixels; with a thumbnail in the EXIF there is one
    before them. Cameras and tools append much behind it, so all of the file is searched."""
    stream = opened.stream
    # Pillow has read as far as the start of the pixels.
    pixels_at = stream.tell()
    stream.seek(max(pixels_at, opened.size - _TAIL_BYTES))
    if _END_OF_JPEG in stream.read():
        return True
    stream.seek(pixels_at)
    last = b""
    while block := stream.read(_READ_BYTES):
        if _END_OF_JPEG in last + block:
            return True
        last = block[-1:]
    return False


def _first_of_several_is_whole(opened: Opened) -> bool:
    """A stereo JPEG tells where the first of its pictures ends."""
    length = opened.image.mpinfo[0xB002][0]["Size"]  # type: ignore[attr-defined]
    opened.stream.seek(max(0, length - len(_END_OF_JPEG)))
    return opened.stream.read(len(_END_OF_JPEG)) == _END_OF_JPEG


def _png_is_whole(stream: BinaryIO) -> bool:
    """Walks the chunks and compares their checksums: 1 ms for 2 MB."""
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        checksum = zlib.crc32(kind)
        while length:
            block = stream.read(min(length, _READ_BYTES))
            if not block:
                return False
            checksum = zlib.crc32(block, checksum)
            length -= len(block)
        if stream.read(4) != checksum.to_bytes(4, "big"):
            return False
        if kind == b"IEND":
            return True
    return False


def has_late_metadata(stream: BinaryIO) -> bool:
    """Whether a PNG keeps metadata behind its pixels, where an orientation may hide."""
    stream.seek(8)
    has_pixels = False
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if has_pixels and kind in _PNG_METADATA:
            return True
        has_pixels = has_pixels or kind == b"IDAT"
        stream.seek(length + 4, io.SEEK_CUR)
    return False


def _boxes_are_whole(stream: BinaryIO, size: int) -> bool:
    return _end_of_boxes(stream, size) == size


def _end_of_boxes(stream: BinaryIO, size: int) -> int:
    """Where the last box says that it ends. One without a length ends the search before it: 0
    means "to the end of the file", wherever that is."""
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            break
        at += length
    return at


def _refuse_cut_boxes(opened: Opened) -> None:
    """The decoder fills what is missing with grey and says nothing, so it is not asked."""
    _refuse_zeros(opened)
    if _end_of_boxes(opened.stream, opened.size) > opened.size:
        raise BadImage("truncated", format=opened.kind)


def _bmp_is_whole(image: Image.Image, size: int) -> bool:
    tile = image.tile[0]
    if tile.codec_name != "raw" or not isinstance(tile.args, tuple):
        return False
    row_bytes = tile.args[1]
    return tile.offset + row_bytes * image.height <= size


def _tiff_is_whole(image: Image.Image, size: int) -> bool:
    tags = image.tag_v2  # type: ignore[attr-defined]
    for offsets_tag, lengths_tag in ((273, 279), (324, 325)):
        offsets, lengths = tags.get(offsets_tag, ()), tags.get(lengths_tag, ())
        if offsets and len(offsets) == len(lengths):
            ends = (start + length for start, length in zip(offsets, lengths, strict=True))
            return min(lengths) > 0 and max(ends) <= size
    return False

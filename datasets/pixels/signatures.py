"""Tells the format of a file by its first bytes; names and suffixes prove nothing."""

from datasets.names import IMAGE_SUFFIXES, REFUSED_SUFFIXES, suffix

# How much of a file `sniff` looks at.
HEAD_BYTES = 512

# The formats that are taken, by the name that Pillow gives them (HEIC: see opening.py).
SUFFIXES = {
    "JPEG": frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}),
    "PNG": frozenset({".png", ".apng"}),
    "GIF": frozenset({".gif"}),
    "BMP": frozenset({".bmp", ".dib"}),
    "WEBP": frozenset({".webp"}),
    "TIFF": frozenset({".tif", ".tiff"}),
    "AVIF": frozenset({".avif", ".avifs"}),
    "JPEG2000": frozenset({".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc"}),
    "HEIC": frozenset({".heic", ".heif", ".hif"}),
}
MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "JPEG2000": "image/jp2",
    "HEIC": "image/heic",
}

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    # Pictures of kinds that are not taken: the reason should name the kind.
    (b"8BPS", "PSD"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"%PDF-", "PDF"),
    (b"FUJIFILMCCD-RAW", "RAW"),
)
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)


def sniff(head: bytes) -> str:
    """The format, one of `SUFFIXES` or of a kind that is not taken; nothing for other files."""
    for start, name in _STARTS:
        if head.startswith(start):
            # Canon's raw pictures are TIFF files with a mark of their own.
            return "RAW" if name == "TIFF" and head[8:10] == b"CR" else name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _sniff_boxes(head)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!")) and b"svg" in text):
        return "SVG"
    return ""


def _sniff_boxes(head: bytes) -> str:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, length, 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIC" if brands & _HEIF_BRANDS else ""


def is_named_otherwise(name: str, kind: str) -> bool:
    """Whether the name claims to be an image of another kind. No suffix, or any other, claims
    nothing."""
    claimed = suffix(name)
    return claimed in IMAGE_SUFFIXES | REFUSED_SUFFIXES and claimed not in SUFFIXES[kind]

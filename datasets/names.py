"""Rules about file names and keys that hold for every storage, archive and format."""

import hashlib
import re

# fmt: off
IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp",
    ".tif", ".tiff", ".avif", ".avifs", ".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc", ".heic",
    ".heif", ".hif",
})
# Pictures too, of kinds that are refused with a reason rather than passed over in silence.
REFUSED_SUFFIXES = frozenset({
    ".psd", ".ico", ".svg", ".jxl", ".tga", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf",
})
ARCHIVE_SUFFIXES = frozenset({
    ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar",
})
# What lies beside images without being one. Everything else is looked into.
_COMPANION_SUFFIXES = ARCHIVE_SUFFIXES | {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".manifest", ".xml", ".yaml", ".yml",
    ".toml", ".md", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".py",
    ".ipynb", ".sh", ".log", ".db", ".sqlite3", ".parquet", ".npy", ".npz", ".mp4", ".mov",
}
_COMPANION_NAMES = frozenset({
    "license", "licence", "copying", "readme", "notice", "authors", "changelog", "checksums",
})
# The last two are kept by servers of Synology and by Windows.
_JUNK = frozenset({
    "__macosx", ".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin",
})
# fmt: on


def suffix(name: str) -> str:
    """The suffix with its dot in lower case, or nothing; a leading dot starts no suffix."""
    base = name.rpartition("/")[2]
    stem, dot, last = base.rpartition(".")
    return f".{last.lower()}" if dot and stem.strip(".") else ""


def is_junk(part: str, *, is_folder: bool = False) -> bool:
    """What operating systems leave behind, and hidden files.

    A hidden file with the suffix of an image is an image: people name pictures `.cover.jpg`.
    """
    if part.lower() in _JUNK or part.startswith("._"):
        return True
    if not part.startswith("."):
        return False
    return is_folder or suffix(part) not in IMAGE_SUFFIXES | REFUSED_SUFFIXES


def is_junk_key(key: str) -> bool:
    """Whether any folder on the way, or the file itself, is junk."""
    *folders, name = key.split("/")
    return is_junk(name) or any(is_junk(folder, is_folder=True) for folder in folders)


def is_companion(key: str) -> bool:
    """Whether the name says that this is a label file, a text or the like, and no image."""
    name = key.rpartition("/")[2].lower()
    return suffix(name) in _COMPANION_SUFFIXES or name in _COMPANION_NAMES


def is_archive(key: str) -> bool:
    return suffix(key) in ARCHIVE_SUFFIXES


def readable(key: str) -> str:
    """The key as text that can be shown and stored: bytes that are not UTF-8 become `\\xe9`."""
    shown = re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", key)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


# The mark that `list_safe` adds. A path that carries one already is marked again, so that no
# path of a dataset can be equal to the new name of another.
_MARK = re.compile(r"~[0-9a-f]{12}(?=\.[^.]*$|$)")
# Readers of lists split lines at these, each one at some of them.
_LINE_BREAKS = r"\x00-\x1f\x7f\x85\u2028\u2029"
_BREAKS = re.compile(f"[{_LINE_BREAKS}]+|^\\s+")
_BREAKS_AND_SPACES = re.compile(f"[ {_LINE_BREAKS}]+|^\\s+")
_LONGEST_SUFFIX = 16


def fits_list(path: str, *, with_spaces: bool) -> bool:
    """Whether the path can stand first in a line of a list; without spaces where they part the
    fields of the line."""
    return not (_BREAKS if with_spaces else _BREAKS_AND_SPACES).search(path)


def list_safe(path: str, *, with_spaces: bool) -> str:
    """The path itself where it fits a list, else a name made from it that no other path gets."""
    breaks = _BREAKS if with_spaces else _BREAKS_AND_SPACES
    if not breaks.search(path) and not _MARK.search(path):
        return path
    folder, slash, name = breaks.sub("_", path).rpartition("/")
    stem, dot, last = name.rpartition(".")
    if not stem or len(last) > _LONGEST_SUFFIX:
        stem, dot, last = name, "", ""
    mark = hashlib.sha256(path.encode()).hexdigest()[:12]
    # File systems take names of 255 bytes.
    room = 255 - len(f"~{mark}{dot}{last}".encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore")
    return f"{folder}{slash}{stem}~{mark}{dot}{last}"

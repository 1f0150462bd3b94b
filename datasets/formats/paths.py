"""From what a label file calls an image to the path that the dataset knows it by."""

import re
from collections.abc import Iterator

_URI = re.compile(r"(?:s3|s3a|s3n|obs)://([^/]*)/(.*)", re.IGNORECASE | re.DOTALL)
_ANY_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*/?", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:[/\\]", re.IGNORECASE)
# Label Studio puts eight digits before the name of what is uploaded.
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")


def resolve(raw: str, *, bucket: str = "", prefix: str = "", folder: str = "") -> str | None:
    """The path in the dataset, or none where it leads out of it.

    `raw` is relative to `folder`, which is the one of the label file or of the images below the
    dataset, or it is the address of an object: then its bucket and prefix must be the dataset's.
    """
    if "\0" in raw:
        return None
    if found := _URI.fullmatch(raw):
        key = found[2]
        if not bucket or found[1] != bucket or not key.startswith(prefix):
            return None
        path = key.removeprefix(prefix)
        return None if ".." in path.split("/") else _inside(path)
    # Lists that were made on Windows have its slashes.
    path = raw.replace("\\", "/")
    if path.startswith("/") or _ANY_URI.match(path) or _DRIVE.match(path):
        return None
    return _inside(f"{folder}/{path}")


def _inside(path: str) -> str | None:
    if path.rpartition("/")[2] in ("", ".", ".."):
        # That is a folder.
        return None
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not kept:
                return None
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    return "/".join(kept) or None


def suffixes(raw: str) -> Iterator[str]:
    """Shorter and shorter ends of a path, down to the name.

    For images that have moved since the file was written: another bucket, another disk. A short
    end can fit the wrong image, so a person should see what it was matched with.
    """
    path = _DRIVE.sub("", _ANY_URI.sub("", raw.replace("\\", "/"), count=1), count=1)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return
    for start in range(len(parts)):
        yield "/".join(parts[start:])
    if _UPLOADED.match(parts[-1]):
        yield _UPLOADED.sub("", parts[-1], count=1)

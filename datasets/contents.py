"""Tells files of the same bytes from others, by a digest in the form that `Image.content` keeps."""

import hashlib
from typing import BinaryIO

from datasets import problems

ALGORITHM = "sha256"
_BLOCK_BYTES = 1_048_576


def digest_of(stream: BinaryIO) -> str:
    """`sha256:` and 64 hexadecimal digits, of all that the stream still gives."""
    digest = hashlib.new(ALGORITHM)
    while block := stream.read(_BLOCK_BYTES):
        digest.update(block)
    return f"{ALGORITHM}:{digest.hexdigest()}"


def is_digest(content: str) -> bool:
    """Whether it is one of ours: a store's own tells nothing about bytes that are elsewhere."""
    return content.startswith(f"{ALGORITHM}:")


def too_large(size: int, limit: int) -> dict[str, str]:
    """The params of the problem `too-large-file`; both in bytes."""
    return {"megabytes": problems.megabytes(size), "limit": problems.megabytes(limit)}

"""What tells that two files hold the same bytes."""

import hashlib
from typing import BinaryIO

from datasets import problems

READ_BYTES = 1_048_576


def digest_of(stream: BinaryIO) -> str:
    """The content key of the bytes: `sha256:` and the digest."""
    digest = hashlib.sha256()
    while block := stream.read(READ_BYTES):
        digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def too_large(size: int, limit: int) -> dict[str, str]:
    """The params of the problem `too-large-file`; both in bytes."""
    return {"megabytes": problems.megabytes(size), "limit": problems.megabytes(limit)}

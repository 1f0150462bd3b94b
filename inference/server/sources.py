"""Where an image's bytes come from: the request itself, base64 in it, or a file on this host."""

import binascii
import os
import stat
from pathlib import Path

from inference.server.options import Options
from inference.server.pixels import BadImage


def read_source(kind: str, content: memoryview, options: Options) -> bytes | memoryview:
    """The image file's bytes; raises BadImage."""
    if kind == "b64":
        return _from_base64(content)
    if kind == "path":
        return _from_file(bytes(content).decode(), options)
    return content


def _from_base64(content: memoryview) -> bytes:
    if bytes(content[:5]) == b"data:":
        raise BadImage("'img' starts with 'data:'; send the base64 text alone")
    try:
        return binascii.a2b_base64(content)
    except binascii.Error as error:
        raise BadImage(f"'img' is not base64: {error}") from error


def _from_file(name: str, options: Options) -> bytes:
    """Read a regular file below one of the allowed folders, links followed before comparing."""
    try:
        path = Path(name).resolve(strict=True)
        if not any(path.is_relative_to(root.resolve()) for root in options.path_roots):
            raise BadImage(f"{name} is outside the folders that this server may read")
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadImage(f"{name} is not a file")
            if status.st_size > options.max_body_bytes:
                raise BadImage(f"{name} is over the limit of {options.max_body_bytes:,} bytes")
            return file.read()
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, BadImage):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadImage(f"{name} cannot be read: {reason}") from error


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would block for ever

"""Bytes of any length as an answer: block by block, from any place on, and not at all to those who
have them."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

BLOCK_BYTES = 262_144
PARTIAL, UNSATISFIABLE = 206, 416
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is sent. `tag` changes with the bytes; open(start, length) may raise StorageError."""

    size: int
    media_type: str
    tag: str
    modified_at: datetime
    open: Callable[[int, int], BinaryIO]

    @property
    def etag(self) -> str:
        return f'"{self.tag}"'

    @property
    def modified(self) -> int:
        """Seconds since 1970, as HTTP has them."""
        return int(self.modified_at.timestamp())


class BadRange(Exception):
    """The bytes that are asked for lie behind the end."""


def answer(request: HttpRequest, content: Content) -> HttpResponseBase:
    """The content, or the one part of it that is asked for; the body is left out for HEAD."""
    response = get_conditional_response(request, content.etag, content.modified)
    if response is None:
        response = _body(request, content)
    response["ETag"] = content.etag
    response["Last-Modified"] = http_date(content.modified)
    response["Accept-Ranges"] = "bytes"
    return response


def _body(request: HttpRequest, content: Content) -> HttpResponseBase:
    try:
        part = _part(request, content)
    except BadRange:
        response = HttpResponse(status=UNSATISFIABLE)
        response["Content-Range"] = f"bytes */{content.size}"
        return response
    start, length = part or (0, content.size)
    if request.method == "HEAD":
        response = HttpResponse(content_type=content.media_type)
    else:
        blocks = Blocks(content.open(start, length), length)
        response = StreamingHttpResponse(blocks, content_type=content.media_type)
    response["Content-Length"] = length
    if part is not None:
        response.status_code = PARTIAL
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{content.size}"
    return response


def _part(request: HttpRequest, content: Content) -> tuple[int, int] | None:
    """Start and length; None where all is wanted. More ranges than one, and what cannot be
    understood, get everything, as the rules of HTTP allow."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if not found or request.method == "HEAD" or not _is_still(request, content):
        return None
    if found[3] is not None:
        length = min(int(found[3]), content.size)
        start, end = content.size - length, content.size
    else:
        start = int(found[1])
        end = min(int(found[2]) + 1, content.size) if found[2] else content.size
        if found[2] and int(found[2]) < start:
            return None
    if start >= end:
        raise BadRange
    return start, end - start


def _is_still(request: HttpRequest, content: Content) -> bool:
    """Whether If-Range, if there is one, names the bytes as they are now."""
    condition = request.headers.get("If-Range", "").strip()
    if not condition or condition == content.etag:
        return True
    return parse_http_date_safe(condition) == content.modified


class Blocks:
    """Reads a stream in other threads, and closes it whether or not anybody reads it to its end.

    Of a plain file, which is no asynchronous iterator, all would be read into memory.
    """

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        block = b""
        if self._left:
            wanted = min(BLOCK_BYTES, self._left)
            block = await asyncio.to_thread(self._stream.read, wanted)
        if not block:
            raise StopAsyncIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._stream.close()


def file_content(path: Path, *, media_type: str, tag: str) -> Content:
    """A file of our own. Raises FileNotFoundError."""
    status = path.stat()

    def opened(start: int, length: int) -> BinaryIO:  # noqa: ARG001 it ends by itself
        file = path.open("rb")
        file.seek(start)
        return file

    return Content(
        size=status.st_size,
        media_type=media_type,
        tag=tag,
        modified_at=datetime.fromtimestamp(status.st_mtime).astimezone(),
        open=opened,
    )

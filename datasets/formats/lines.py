"""The lines of a text file in whatever encoding it has, however large it is, with their numbers."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from datasets.archive_names import encoding_of
from datasets.formats.reading import BadLabelFile, BadLine

LINE_BYTES = 1_000_000
_READ_BYTES = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\f\r\x1a\x1b"})
# Of three bytes in UTF-8: bytes of GBK hardly ever fall into such groups.
_FIRST_OF_THREE_BYTES = "\u0800"


def text_lines(stream: BinaryIO) -> Iterator[tuple[int, str] | BadLine]:
    """Numbers begin at 1, and lines have lost their ends. Blank lines are given too."""
    chunks = _chunks(stream)
    head = next(chunks, b"")
    _must_be_text(head[:4_096])
    is_utf8 = _is_utf8(head)
    for number, raw in enumerate(_raw_lines(head.removeprefix(codecs.BOM_UTF8), chunks), 1):
        if raw is None:
            yield BadLine(number, "line-too-long", {"limit": f"{LINE_BYTES:,}"})
            continue
        text = _decoded(raw, is_utf8=is_utf8)
        if text is None:
            yield BadLine(number, "line-encoding")
        else:
            yield number, text


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes, with line feeds where an old Mac has carriage returns."""
    is_old_mac = None
    for chunk in _as_utf8(stream):
        if is_old_mac is None:
            is_old_mac = b"\n" not in chunk and b"\r" in chunk
        yield chunk.replace(b"\r", b"\n") if is_old_mac else chunk


def _as_utf8(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes as they are, but UTF-16: "Unicode text" of Excel, and what PowerShell writes."""
    chunk = stream.read(_READ_BYTES)
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    is_utf16 = chunk.startswith(_UTF16)
    while chunk:
        yield decoder.decode(chunk).encode() if is_utf16 else chunk
        chunk = stream.read(_READ_BYTES)


def _must_be_text(head: bytes) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls >= 8 and controls * 20 > len(head):
        raise BadLabelFile("not-text")


def _is_utf8(head: bytes) -> bool:
    if head.startswith(codecs.BOM_UTF8):
        return True
    # The last line may be cut inside a character.
    whole = head.splitlines()[: -1 if len(head) >= _READ_BYTES else None]
    return encoding_of([line for line in whole if not line.isascii()]) == "utf-8"


def _raw_lines(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """None for one that is too long, of which no more than the limit is ever held."""
    rest, is_long = b"", False
    chunk: bytes | None = head
    while chunk is not None:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield None if is_long or len(line) > LINE_BYTES else line.removesuffix(b"\r")
            is_long = False
        if is_long or len(rest) > LINE_BYTES:
            rest, is_long = b"", True
        chunk = next(chunks, None)
    if rest or is_long:
        yield None if is_long else rest.removesuffix(b"\r")


def _decoded(line: bytes, *, is_utf8: bool) -> str | None:
    """Files that grew over years have lines in both encodings: each is looked at on its own."""
    if line.isascii():
        return line.decode("ascii")
    text = _in("utf-8", line)
    if text is not None and (is_utf8 or max(text) >= _FIRST_OF_THREE_BYTES):
        return text
    other = _in("gb18030", line)
    return text if other is None else other


def _in(encoding: str, line: bytes) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None

"""JSON that is read one entry at a time: an object per line, or one long list of objects."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from datasets.formats.lines import text_lines
from datasets.formats.reading import BadLabelFile, BadLine

ENTRY_CHARACTERS = 8_000_000
_READ_BYTES = 65_536
_BLANK = re.compile(r"[ \t\r\n]*")
_BETWEEN = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


def json_lines(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]] | BadLine]:
    """The objects of a file with one on each line, with the numbers of their lines."""
    for line in text_lines(stream):
        if isinstance(line, BadLine):
            yield line
            continue
        number, text = line
        if not text.strip():
            continue
        value = loaded(text)
        yield (number, value) if isinstance(value, dict) else BadLine(number, "line-not-json")


def loaded(text: str) -> Any:
    """The value, or nothing where it is no JSON or is nested deeper than anybody means."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def json_list(stream: BinaryIO, *, code: str) -> Iterator[tuple[int, Any] | BadLine]:
    """The entries of a list, numbered from 1; `code` is for a file that is no list.

    The list may be of any length: one entry is held at a time. Where the text is damaged, the
    last thing given is a BadLine, since nobody can tell where the next entry begins.
    """
    text = _Text(stream)
    text.skip(_BLANK)
    if not text.starts_with("["):
        raise BadLabelFile(code)
    text.position += 1
    number = 0
    text.skip(_BLANK)
    while not text.starts_with("]"):
        number += 1
        try:
            yield number, text.value()
        except (ValueError, RecursionError):
            yield BadLine(number, "entry-damaged")
            return
        text.skip(_BETWEEN)


class _Text:
    """A stream of UTF-8 as text, of which what has been used is forgotten."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        # Bytes that are none become what `checked` refuses, in their entry alone.
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._raw_decode = json.JSONDecoder().raw_decode
        self._has_more = True
        self._text = ""
        self.position = 0
        self._grow(_READ_BYTES)

    def _grow(self, size: int) -> None:
        chunk = self._stream.read(size)
        self._has_more = bool(chunk)
        self._text = self._text[self.position :] + self._decode(chunk, not chunk)
        self.position = 0

    def skip(self, pattern: re.Pattern[str]) -> None:
        while True:
            self.position = _end(pattern.match(self._text, self.position))
            if self.position < len(self._text) or not self._has_more:
                return
            self._grow(_READ_BYTES)

    def starts_with(self, character: str) -> bool:
        return self._text.startswith(character, self.position)

    def value(self) -> Any:
        while True:
            try:
                value, end = self._raw_decode(self._text, self.position)
            except ValueError:
                if not self._has_more or len(self._text) - self.position > ENTRY_CHARACTERS:
                    raise
            else:
                # A number at the very end of what was read may go on.
                if end < len(self._text) or not self._has_more:
                    self.position = end
                    return value
            # Twice as much each time: an entry is tried again and again until it is whole.
            self._grow(max(_READ_BYTES, len(self._text) - self.position))


def _end(found: re.Match[str] | None) -> int:
    assert found is not None  # the patterns match nothing as well
    return found.end()

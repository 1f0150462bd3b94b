"""Text files in whatever encoding and size."""

import io
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.formats.lines import LINE_BYTES, text_lines
from datasets.formats.reading import BadLabelFile, BadLine


def lines(content: bytes) -> list:
    return list(text_lines(io.BytesIO(content)))


def texts(content: bytes) -> list[str]:
    return [line[1] for line in lines(content)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le-bom"]
)
def test_chinese_text_is_read_in_its_encoding(encoding):
    text = "图片/苹果 1.jpg 0\n图片/梨.jpg 1\n"
    content = (
        b"\xff\xfe" + text.encode("utf-16-le")
        if encoding == "utf-16-le-bom"
        else text.encode(encoding)
    )

    assert texts(content) == ["图片/苹果 1.jpg 0", "图片/梨.jpg 1"]


def test_chinese_that_is_valid_utf8_by_chance():
    """图片 in GBK are bytes that UTF-8 reads as two odd letters."""
    content = "图片/1.jpg 0\n".encode("gbk") * 3
    content.decode("utf-8")

    assert texts(content) == ["图片/1.jpg 0"] * 3


def test_accented_letters_stay_what_they_are():
    content = "Äpfel/café.jpg 0\nпомидор.jpg 1\n".encode()

    assert texts(content) == ["Äpfel/café.jpg 0", "помидор.jpg 1"]


def test_a_file_that_grew_in_two_encodings():
    content = "苹果.jpg 0\n".encode() + "梨子.jpg 1\n".encode("gb18030") + "橙子.jpg 2\n".encode()

    assert texts(content) == ["苹果.jpg 0", "梨子.jpg 1", "橙子.jpg 2"]


def test_a_line_in_no_known_encoding_is_told():
    assert lines(b"1.jpg 0\ncaf\xe9.jpg 0\n2.jpg 0\n") == [
        (1, "1.jpg 0"),
        BadLine(2, "line-encoding"),
        (3, "2.jpg 0"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_three_ways(end):
    assert texts(end.join([b"a", b"b", b"", b"c"]) + end) == ["a", "b", "", "c"]


def test_characters_that_only_look_like_line_ends_are_none():
    assert texts("a\u2028b\x85c\x0cd\n".encode()) == ["a\u2028b\x85c\x0cd"]


def test_a_line_that_is_too_long_is_left_out_and_never_held():
    """10 MB in one line, and good lines around it."""
    content = b"first\n" + b"x" * 10_000_000 + b"\nlast\n"
    stream = io.BytesIO(content)

    tracemalloc.start()
    found = list(text_lines(stream))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == [
        (1, "first"),
        BadLine(2, "line-too-long", {"limit": "1,000,000"}),
        (3, "last"),
    ]
    assert peak < 4 * LINE_BYTES


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limit_of_a_line(extra):
    (found,) = lines(b"x" * (LINE_BYTES + extra))

    assert isinstance(found, BadLine) == bool(extra)


def test_a_million_lines_pass_through():
    class Lines(io.RawIOBase):
        left = 1_000

        def read(self, size=-1):
            self.left -= 1
            return b"a/1.jpg 0\n" * 1_000 if self.left >= 0 else b""

    tracemalloc.start()
    count = sum(1 for _line in text_lines(Lines()))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 1_000_000
    assert peak < 1_000_000


@pytest.mark.parametrize(
    "head",
    [b"\x89PNG\r\n\x1a\n" + bytes(40), "1.jpg 0\n2.jpg 1\n".encode("utf-16-le"), bytes(range(256))],
)
def test_what_is_no_text_is_refused(head):
    with pytest.raises(BadLabelFile) as caught:
        lines(head)

    assert caught.value.code == "not-text"


def test_a_null_in_a_long_text_is_left_to_its_line():
    assert texts(b"1.jpg 0\n\0\n" + b"2.jpg 1\n" * 9)[1] == "\0"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)))
def test_utf8_with_its_mark_is_read_as_it_is(parts):
    content = "\n".join(parts).encode("utf-8-sig")

    try:
        found = texts(content)
    except BadLabelFile:
        return
    assert found == (parts[:-1] if parts and not parts[-1] else parts)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content):
    with suppress(BadLabelFile):
        found = lines(content)
        numbers = [line.line if isinstance(line, BadLine) else line[0] for line in found]
        assert numbers == list(range(1, len(found) + 1))

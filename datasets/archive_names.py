"""Names of files in a zip archive, in the encoding of the tool that made it.

A name is marked as UTF-8, or it is bytes that most tools do not explain: Chinese Windows writes
GBK, macOS writes UTF-8 without the mark, and zipfile reads all of them as IBM 437.
"""

import re
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from zipfile import ZipInfo

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+")
# Below, UTF-8 takes two bytes for a character, as GBK does.
_FIRST_OF_THREE_BYTES = "\u0800"


def decoded_names(members: Sequence[ZipInfo]) -> list[str]:
    unmarked = [
        _raw(info) for info in members if _is_unmarked(info) and not info.orig_filename.isascii()
    ]
    encoding = encoding_of(unmarked)
    return [_name_of(info, encoding) for info in members]


def _raw(info: ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437")


def _is_unmarked(info: ZipInfo) -> bool:
    return not info.flag_bits & _UTF8_FLAG


def _name_of(info: ZipInfo, encoding: str) -> str:
    if not _is_unmarked(info):
        return info.orig_filename
    return _unicode_path(info) or _raw(info).decode(encoding)


def encoding_of(names: Sequence[bytes]) -> str:
    """The one encoding that fits all names of an archive, or all lines of a list of names."""
    # Many Chinese words in GBK are valid UTF-8 by chance, "图片" for one: it would read "ͼƬ".
    if _all_in("utf-8", names) and (_makes_sense(names) or not _all_in("gb2312", names)):
        return "utf-8"
    return "gb18030" if _all_in("gb18030", names) else "cp437"


def _all_in(encoding: str, names: Sequence[bytes]) -> bool:
    try:
        for name in names:
            name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _makes_sense(names: Sequence[bytes]) -> bool:
    """Whether the names, read as UTF-8, look like words of some language."""
    texts = [name.decode("utf-8") for name in names]
    if any(max(text) >= _FIRST_OF_THREE_BYTES for text in texts):
        # Bytes of GBK hardly ever fall into groups of three.
        return True
    return all(
        _is_word(word) for text in texts for word in _WORD.findall(text) if not word.isascii()
    )


def _is_word(word: str) -> bool:
    """Accented letters stand among plain ones; other alphabets keep to themselves."""
    scripts = {unicodedata.name(character, "?").split()[0] for character in word} - {"COMBINING"}
    if scripts == {"LATIN"}:
        return re.search("[A-Za-z]", word) is not None
    return len(scripts) == 1 and len(word) >= 3


def _unicode_path(info: ZipInfo) -> str:
    """The name in UTF-8 that some tools add as an extra field; Python 3.11 does not look for it.

    It carries the checksum of the plain name, so that one left over from a renaming is noticed.
    """
    extra, checksum = info.extra, struct.pack("<I", zlib.crc32(_raw(info)))
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        value, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and value[1:5] == checksum:
            return value[5:].decode("utf-8", "replace")
    return ""

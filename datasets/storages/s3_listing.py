"""Lists a bucket page by page, whatever its store makes of the protocol.

Pages come with tokens (version 2) or go by the last key (version 1). Some stores promise more and
give no token, some begin again at the first page, some do not know where to start. So each page is
held against the ones before it: no key comes twice, none is passed over, and a listing that does
not get on ends with an error.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from datasets.storages import StorageError
from datasets.storages.checkup import Step
from datasets.storages.levels import Level, level_of
from datasets.storages.s3_errors import explained

_PAGE = 1_000
# Stores may give empty pages, between which lies what was deleted.
_EMPTY_PAGES = 1_000
_NO_VERSION_2 = frozenset({"NotImplemented", "MethodNotAllowed"})

Answer = Mapping[str, Any]


class Listing:
    """Objects of a bucket whose key starts with `prefix`, those behind `after`, by their bytes.

    Iterating gives (key, what the store tells of the object); a key that is not UTF-8 has its odd
    bytes as lone surrogates.
    """

    def __init__(
        self, client: BaseClient, *, bucket: str, prefix: str, after: str = "", page: int = _PAGE
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._asked = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": page, "EncodingType": "url"}
        self._prefix, self._after = prefix, after
        self._floor = _bytes(after)
        # The last key that the store has shown, and all of the page that it was on.
        self._position = b""
        self._page: frozenset[bytes] = frozenset()
        self._empty = 0

    def __iter__(self) -> Iterator[tuple[str, Answer]]:
        answer = self._first()
        while True:
            found = self._read(answer)
            yield from self._fresh(found)
            if not answer.get("IsTruncated"):
                return
            answer = self._next(answer, [key for key, _, _ in found])

    def _first(self) -> Answer:
        try:
            answer = self._ask(version=2, **({"StartAfter": self._after} if self._after else {}))
        except _NoVersion2:
            answer = self._ask(version=1, Marker=self._after)
        _check_is_listing(answer, self._bucket)
        found = self._read(answer)
        if self._after and found and found[0][0] <= self._floor:
            # It does not know where to start; all know markers.
            answer = self._ask(version=1, Marker=self._after)
        return answer

    def _next(self, answer: Answer, keys: list[bytes]) -> Answer:
        token = answer.get("NextContinuationToken")
        self._empty = 0 if keys else self._empty + 1
        if keys and keys[-1] <= self._position or self._empty > _EMPTY_PAGES:
            raise StorageError(self._bucket, code="listing-stuck")
        if keys:
            self._position, self._page = keys[-1], frozenset(keys)
        if token:
            return self._ask(version=2, ContinuationToken=token)
        marker = _decoded(answer.get("NextMarker", ""), answer) or (
            keys[-1].decode("utf-8", "surrogateescape") if keys else ""
        )
        if not marker or not _is_utf8(marker):
            raise StorageError(self._bucket, code="listing-stuck")
        return self._ask(version=1, Marker=marker)

    def _ask(self, *, version: int, **where: str) -> Answer:
        client = self._client
        ask = client.list_objects_v2 if version == 2 else client.list_objects
        with explained(self._bucket, Step.LIST):
            try:
                return ask(**self._asked, **where)
            except ClientError as error:
                if version == 2 and error.response["Error"].get("Code") in _NO_VERSION_2:
                    raise _NoVersion2 from error
                raise

    def _read(self, answer: Answer) -> list[tuple[bytes, str, Answer]]:
        """The objects of a page; one page is put in order here, several cannot be."""
        found = []
        for item in answer.get("Contents", ()):
            key = _decoded(item["Key"], answer)
            if key.startswith(self._prefix):
                found.append((_bytes(key), key, item))
        keys = [key for key, _, _ in found]
        if any(later <= earlier for earlier, later in zip(keys, keys[1:], strict=False)):
            found.sort(key=lambda one: one[0])
        return found

    def _fresh(self, found: list[tuple[bytes, str, Answer]]) -> Iterator[tuple[str, Answer]]:
        last = None
        for key, text, item in found:
            if key <= self._position:
                if key not in self._page and key > self._floor:
                    raise StorageError(self._bucket, code="listing-unordered")
            elif key > self._floor and key != last:
                yield text, item
            last = key


def read_level(client: BaseClient, *, bucket: str, prefix: str) -> Level:
    """One page of what lies right below the prefix; in version 1, which all stores know."""
    asked = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": _PAGE}
    with explained(bucket, Step.LIST):
        answer = client.list_objects(**asked, EncodingType="url")
    _check_is_listing(answer, bucket)
    folders = [_decoded(one["Prefix"], answer) for one in answer.get("CommonPrefixes", ())]
    files = [_decoded(one["Key"], answer) for one in answer.get("Contents", ())]
    return level_of(
        [key[len(prefix) :].rstrip("/") for key in folders if key.startswith(prefix)],
        [key[len(prefix) :] for key in files if key.startswith(prefix) and key != prefix],
        is_cut=bool(answer.get("IsTruncated")),
    )


class _NoVersion2(Exception):
    pass


def _check_is_listing(answer: Answer, bucket: str) -> None:
    if not answer.keys() & {"IsTruncated", "Name", "Contents"}:
        raise StorageError(bucket, code="not-s3")


def _decoded(text: str, answer: Answer) -> str:
    if answer.get("EncodingType") != "url":
        return text
    return unquote_plus(text, errors="surrogateescape")


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _is_utf8(key: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in key)

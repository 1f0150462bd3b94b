"""The bytes of one object as a stream that asks again where the connection broke off."""

import io
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import HTTPClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from datasets.storages import StorageError
from datasets.storages.checkup import Step
from datasets.storages.s3_errors import explained

_BLOCK = 1 << 18
_RESUMES = 3
_FIRST_PAUSE = 0.2  # seconds, doubled each time

# The store's answer for the bytes from one on; a length of None means up to the end.
Ask = Callable[[int, int | None], Mapping[str, Any]]


class ObjectStream(io.RawIOBase):
    """Reads on behind the last byte that came, as long as it is still the same object."""

    def __init__(self, key: str, ask: Ask, *, start: int, length: int | None) -> None:
        self._key = key
        self._ask = ask
        self._next = start
        self._left = length
        self._resumes = 0
        self._take(ask(start, length))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer).cast("B") as view:
            wanted = len(view) if self._left is None else min(len(view), self._left)
            count = self._read(view[:wanted]) if wanted else 0
        self._next += count
        if self._left is not None:
            self._left -= count
        return count

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(_BLOCK), b""))

    def close(self) -> None:
        if not self.closed:
            self._answer["Body"].close()
        super().close()

    def _take(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer
        # Some stores do not know ranges and send everything.
        self._before = 0 if answer.get("ContentRange") else self._next
        if (size := answer.get("ContentLength")) is not None:
            there = max(size - self._before, 0)
            self._left = there if self._left is None else min(there, self._left)

    def _read(self, view: memoryview) -> int:
        while True:
            try:
                body = self._answer["Body"]
                while self._before:
                    self._before -= len(body.read(min(self._before, _BLOCK)))
                return body.readinto(view)
            except (HTTPClientError, IncompleteReadError, HTTPError, OSError) as error:
                self._resume(error)

    def _resume(self, broken: Exception) -> None:
        self._answer["Body"].close()
        with explained(self._key, Step.READ):
            if self._resumes == _RESUMES:
                raise broken
        time.sleep(_FIRST_PAUSE * 2**self._resumes)
        self._resumes += 1
        answer = self._ask(self._next, self._left)
        if answer.get("ETag") != self._answer.get("ETag"):
            answer["Body"].close()
            raise StorageError(self._key, code="changed-while-read")
        self._take(answer)

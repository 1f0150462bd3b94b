"""Stores a stream as one object: whole or not at all, whatever its length."""

import hashlib
import mimetypes
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, BinaryIO

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from datasets.storages import StorageError
from datasets.storages.checkup import Step
from datasets.storages.s3_client import md5
from datasets.storages.s3_errors import explained

# Two are in memory at most: one that is sent, one that comes. No store takes more than 10,000.
_PART_BYTES = 8 << 20
_MOST_PARTS = 10_000


class Upload:
    """One object on its way to the store. A short stream is one request, a long one has parts."""

    def __init__(
        self, client: BaseClient, *, bucket: str, full: str, key: str, size: int | None
    ) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": full}
        self._key = key
        self._size = size
        self._part_bytes = max(_PART_BYTES, -(-(size or 0) // _MOST_PARTS))

    def send(self, stream: BinaryIO) -> None:
        parts = self._read(stream)
        begun = deque([next(parts)])
        if len(begun[0]) == self._part_bytes:
            self._send_parts(_rest(begun, parts))
            return
        (content,) = begun
        self._check(len(content), ended=True)
        with explained(self._key, Step.WRITE):
            self._client.put_object(
                **self._where, **self._media_type, Body=content, ContentMD5=md5(content)
            )

    @property
    def _media_type(self) -> dict[str, str]:
        found = mimetypes.guess_type(self._key, strict=False)[0]
        return {"ContentType": found or "application/octet-stream"}

    def _send_parts(self, parts: Iterator[bytearray]) -> None:
        with explained(self._key, Step.WRITE):
            begun = self._client.create_multipart_upload(**self._where, **self._media_type)
        upload = {**self._where, "UploadId": begun["UploadId"]}
        with ExitStack() as undo:
            undo.callback(self._abort, upload)
            sent: list[dict[str, Any]] = []
            received, whole, of_parts = 0, _md5(), _md5()
            for content in parts:
                received += len(content)
                self._check(received, ended=False)
                sent.append(self._send_part(upload, len(sent) + 1, content))
                whole.update(content)
                of_parts.update(_md5(content).digest())
            self._check(received, ended=True)
            # What stores call such an object: Amazon's and Ceph's do the first, others the second.
            etags = {f"{of_parts.hexdigest()}-{len(sent)}", whole.hexdigest()}
            self._complete(upload, sent, etags)
            undo.pop_all()

    def _send_part(self, upload: dict[str, str], number: int, content: bytearray) -> dict[str, Any]:
        with explained(self._key, Step.WRITE):
            answer = self._client.upload_part(
                **upload, PartNumber=number, Body=content, ContentMD5=md5(content)
            )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _complete(
        self, upload: dict[str, str], sent: list[dict[str, Any]], etags: set[str]
    ) -> None:
        with explained(self._key, Step.WRITE):
            try:
                self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": sent})
            except ClientError as error:
                if error.response["Error"].get("Code") != "NoSuchUpload":
                    raise
                # The answer to the first attempt was lost, so the second one finds it done.
                if self._client.head_object(**self._where)["ETag"].strip('"') not in etags:
                    raise

    def _abort(self, upload: dict[str, str]) -> None:
        # The error that led here is the one to tell.
        with suppress(StorageError), explained(self._key, Step.WRITE):
            self._client.abort_multipart_upload(**upload)

    def _check(self, received: int, *, ended: bool) -> None:
        size = self._size
        if size is not None and (received > size or (ended and received != size)):
            raise StorageError(self._key, code="incomplete", received=received, size=size)

    def _read(self, stream: BinaryIO) -> Iterator[bytearray]:
        """The stream in parts, all of them full but the last; at least one."""
        content = _filled(stream, self._part_bytes)
        yield content
        while len(content) == self._part_bytes:
            content = _filled(stream, self._part_bytes)
            if content:
                yield content


def _md5(content: bytes | bytearray = b"") -> "hashlib._Hash":
    return hashlib.md5(content, usedforsecurity=False)


def _rest(begun: deque[bytearray], parts: Iterator[bytearray]) -> Iterator[bytearray]:
    """Those that were read already and let go, then the others."""
    while begun:
        yield begun.popleft()
    yield from parts


def _filled(stream: BinaryIO, wanted: int) -> bytearray:
    """So many bytes unless the stream ends: one read may give fewer."""
    content = bytearray()
    while len(content) < wanted and (block := stream.read(wanted - len(content))):
        content += block
    return content

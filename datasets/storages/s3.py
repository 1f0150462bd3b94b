"""Images in a bucket: Amazon S3, Huawei OBS and every other store that speaks S3."""

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from django.utils.http import content_disposition_header

from datasets.names import is_junk_key
from datasets.storages import DeleteResult, Entry, OutsideRoot, StorageError
from datasets.storages.checkup import Step
from datasets.storages.levels import Level
from datasets.storages.s3_client import client_for
from datasets.storages.s3_connection import S3Connection
from datasets.storages.s3_deletion import delete_batch
from datasets.storages.s3_errors import explained
from datasets.storages.s3_listing import Listing, read_level
from datasets.storages.s3_streams import ObjectStream
from datasets.storages.s3_upload import Upload

_BUFFER = 1 << 16
_BATCH = 1_000
_LONGEST_KEY = 1024  # bytes
_LONGEST_URL = 7 * 24 * 3600  # seconds
_BEHIND_THE_END = frozenset({"InvalidRange", "416"})


class S3Storage:
    """The objects of one bucket, or of one prefix in it: no key leads out of that."""

    is_remote = True

    def __init__(self, connection: S3Connection) -> None:
        self.connection = connection
        self._bucket = connection.bucket
        self._folder = connection.folder

    @property
    def _client(self) -> BaseClient:
        with explained(self._bucket, Step.LIST):
            return client_for(self.connection)

    def list(self, prefix: str = "", *, after: str | None = None) -> Iterator[Entry]:
        listing = Listing(
            self._client,
            bucket=self._bucket,
            prefix=self._folder + prefix,
            after=self._folder + after if after else "",
        )
        skipped = len(self._folder)
        for full, item in listing:
            key = full[skipped:]
            # Consoles keep an empty object for each folder.
            if not key or key.endswith("/"):
                continue
            entry = _entry(key, item, size=item["Size"])
            if entry.problem or not is_junk_key(key):
                yield entry

    def level(self, prefix: str = "") -> Level:
        return read_level(self._client, bucket=self._bucket, prefix=self._folder + prefix)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        full = self._full(key)

        def ask(begin: int, count: int | None) -> Mapping[str, Any]:
            wanted = {"Range": _range(begin, count)} if begin or count is not None else {}
            with explained(key, Step.READ):
                try:
                    return self._client.get_object(Bucket=self._bucket, Key=full, **wanted)
                except ClientError as error:
                    if error.response["Error"].get("Code") not in _BEHIND_THE_END:
                        raise
            return {"Body": io.BytesIO(), "ContentLength": 0}

        return io.BufferedReader(ObjectStream(key, ask, start=start, length=length), _BUFFER)

    def head(self, key: str) -> Entry:
        where = {"Bucket": self._bucket, "Key": self._full(key)}
        with explained(key, Step.READ):
            try:
                found = self._client.head_object(**where)
            except ClientError as error:
                if error.response["Error"].get("Code") not in ("400", "403"):
                    raise
                # An answer to this question has only a number; one to a GET says why.
                self._client.get_object(**where, Range=_range(0, 1))["Body"].close()
                raise
        return _entry(key, found, size=found["ContentLength"])

    def put(self, key: str, stream: BinaryIO, *, size: int | None = None) -> Entry:
        full = self._full(key)
        Upload(self._client, bucket=self._bucket, full=full, key=key, size=size).send(stream)
        return self.head(key)

    def delete(self, keys: Iterable[str]) -> Iterator[DeleteResult]:
        waiting = iter(keys)
        while batch := tuple(islice(waiting, _BATCH)):
            yield from self._delete(batch)

    def _delete(self, keys: tuple[str, ...]) -> Iterator[DeleteResult]:
        refused: dict[str, DeleteResult] = {}
        fulls: dict[str, str] = {}
        for key in keys:
            try:
                fulls[key] = self._full(key)
            except StorageError as error:
                refused[key] = DeleteResult(key, error.code)
        found = delete_batch(self._client, self._bucket, list(fulls.values()))
        for key in keys:
            if key in refused:
                yield refused[key]
            else:
                result = found[fulls[key]]
                yield DeleteResult(key, result.problem, result.params)

    def url(self, key: str, *, seconds: int = 900, download_as: str | None = None) -> str | None:
        if not self.connection.presigns:
            return None
        wanted = {"Bucket": self._bucket, "Key": self._full(key)}
        if download_as is not None:
            disposition = content_disposition_header(True, download_as)
            wanted["ResponseContentDisposition"] = disposition or "attachment"
        with explained(key, Step.READ):
            return self._client.generate_presigned_url(
                "get_object", Params=wanted, ExpiresIn=min(seconds, _LONGEST_URL)
            )

    def origin(self) -> str | None:
        """Where `url` leads, as `https://host:port`: pages have to allow images from there."""
        address = self.url("x")
        return address and "{0.scheme}://{0.netloc}".format(urlsplit(address))

    def _full(self, key: str) -> str:
        """The key in the bucket. What no path can be is refused: browsers would change it."""
        if not key or key.endswith("/") or "\0" in key or {".", ".."} & set(key.split("/")):
            raise OutsideRoot(key, code="key-not-a-path")
        full = self._folder + key
        try:
            length = len(full.encode())
        except UnicodeEncodeError as error:
            raise OutsideRoot(key, code="name-not-utf8") from error
        if length > _LONGEST_KEY:
            raise StorageError(key, code="name-too-long")
        return full


def _range(start: int, length: int | None) -> str:
    return f"bytes={start}-" if length is None else f"bytes={start}-{start + max(length, 1) - 1}"


def _entry(key: str, found: Mapping[str, Any], *, size: int) -> Entry:
    """Of a listing or of one object: there the time has milliseconds, here seconds."""
    return Entry(
        key=key,
        size=size,
        etag=found["ETag"].strip('"'),
        modified_at=found["LastModified"].astimezone(UTC).replace(microsecond=0),
        problem=_problem(key),
    )


def _problem(key: str) -> str:
    if "/" in key or key[0] == ".":
        parts = key.split("/")
        if "." in parts or ".." in parts:
            return "key-not-a-path"
    if not key.isascii() and any("\ud800" <= character <= "\udfff" for character in key):
        return "name-not-utf8"
    return ""

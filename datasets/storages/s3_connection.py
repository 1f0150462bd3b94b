"""What has to be known to use a bucket. Importing this does not load the library for S3 (40 MB)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from datasets.secrets import Secret
from datasets.storages import StorageError
from datasets.storages.addresses import AddressRules, parse_endpoint

if TYPE_CHECKING:
    from datasets.storages.s3 import S3Storage

_DEFAULT_REGION = "us-east-1"
# obs.cn-north-4.myhuaweicloud.com, s3.eu-west-1.amazonaws.com, s3-eu-west-1.example.org
_REGION_IN_HOST = re.compile(r"(?:obs|s3)[.-]([a-z]+-[a-z]+-\d+)\.")
_REGION = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?")
_BUCKET = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]")
# What fits in a host name. Dots do not where certificates stand for one level (`*.example.com`).
_BUCKET_IN_HOST = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


class Addressing(StrEnum):
    """Where the bucket stands: before the host, or first in the path."""

    AUTO = "auto"
    PATH = "path"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """An access key. Temporary ones come with a session token."""

    access_key: str
    secret_key: Secret
    session_token: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Connection:
    """A bucket and how to reach it; below `prefix` only, where one is given.

    Without `endpoint` it is Amazon's. Without `keys` those of the server are used: of its
    environment, its files or the role of its machine. `presigns`: browsers can reach the storage.
    """

    bucket: str
    endpoint: str = ""
    region: str = ""
    prefix: str = ""
    addressing: Addressing = Addressing.AUTO
    keys: Keys | None = None
    presigns: bool = True
    rules: AddressRules = AddressRules()
    ca_file: str = ""
    connect_seconds: float = 5
    read_seconds: float = 30
    attempts: int = 4

    def storage(self) -> "S3Storage":
        from datasets.storages.s3 import S3Storage

        return S3Storage(self)

    def check(self) -> None:
        """Raises StorageError where something cannot be what it is called."""
        if not _BUCKET.fullmatch(self.bucket):
            raise StorageError(self.bucket, code="bucket-name-invalid")
        if not _REGION.fullmatch(self.signing_region):
            raise StorageError(self.region, code="region-invalid")
        if self.endpoint:
            parse_endpoint(self.endpoint)

    @property
    def style(self) -> Addressing:
        """Path or virtual: addresses and names without a dot have no names below them."""
        if self.addressing != Addressing.AUTO:
            return self.addressing
        host = urlsplit(self.endpoint).hostname or ""
        if not _BUCKET_IN_HOST.fullmatch(self.bucket) or (
            self.endpoint and (_is_address(host) or "." not in host)
        ):
            return Addressing.PATH
        return Addressing.VIRTUAL

    @property
    def signing_region(self) -> str:
        """The region given, or the one that the endpoint names; stores without any take all."""
        if self.region:
            return self.region
        found = _REGION_IN_HOST.match(urlsplit(self.endpoint).hostname or "")
        return found[1] if found else _DEFAULT_REGION

    @property
    def folder(self) -> str:
        """The prefix as the start of every key."""
        return f"{self.prefix.rstrip('/')}/" if self.prefix.strip("/") else ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

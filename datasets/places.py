"""Where a storage is, as somebody gives it: checked before anything is stored or connected to."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from datasets.models import Storage, StorageKind
from datasets.storages import OutsideRoot, StorageError
from datasets.storages.addresses import AddressRules, check_endpoint
from datasets.storages.local import check_folder
from datasets.storages.s3_connection import Addressing, S3Connection
from labelhub.errors import DomainError

_LONGEST_PREFIX = 1024
_NOT_IN_PREFIXES = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPlace:
    """A folder of the server."""

    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPlace:
    """A bucket; without an endpoint it is Amazon's."""

    bucket: str
    endpoint: str = ""
    region: str = ""
    prefix: str = ""
    addressing: str = Addressing.AUTO.value
    presigns: bool = True


Place = FolderPlace | BucketPlace


def put_at(storage: Storage, place: Place) -> None:
    """Gives the storage its place. Raises DomainError where that cannot be one."""
    if isinstance(place, FolderPlace):
        storage.kind, storage.root = StorageKind.LOCAL, str(checked_folder(place.root))
        return
    storage.kind, storage.root = StorageKind.S3, ""
    storage.bucket, storage.region = place.bucket.strip(), place.region.strip()
    storage.prefix, storage.addressing = checked_prefix(place.prefix), place.addressing
    storage.presigns = place.presigns
    try:
        S3Connection(bucket=storage.bucket, region=storage.region).check()
        typed = place.endpoint.strip()
        rules = AddressRules(settings.STORAGE_ADDRESSES)
        storage.endpoint = check_endpoint(typed, rules) if typed else ""
    except StorageError as error:
        raise refusal(error)


def refusal(error: StorageError) -> DomainError:
    return DomainError(str(error), code=error.code)


def checked_folder(typed: str) -> Path:
    """A folder that people may take images from, and none of LabelHub's own."""
    sample = settings.DATA_DIR / "sample"
    try:
        folder = check_folder(typed, [*settings.IMAGE_ROOTS, sample])
    except StorageError as error:
        raise refusal(error)
    own = settings.DATA_DIR.resolve()
    if folder != sample.resolve() and (folder.is_relative_to(own) or own.is_relative_to(folder)):
        raise DomainError(
            _(
                "%(folder)s: LabelHub keeps its own files there, uploads of every team among them. "
                "Choose another folder."
            )
            % {"folder": folder},
            code="own-folder",
        )
    return folder


def checked_prefix(typed: str) -> str:
    """A folder in a storage as the start of its keys: empty, or ending with a slash."""
    path = typed.strip().strip("/")
    if not path:
        return ""
    parts = path.split("/")
    if _NOT_IN_PREFIXES.search(path) or any(part in ("", ".", "..") for part in parts):
        raise refusal(OutsideRoot(typed, code="key-not-a-path"))
    if len(path) >= _LONGEST_PREFIX:
        raise refusal(StorageError(typed[:80], code="name-too-long"))
    return f"{path}/"

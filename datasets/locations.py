"""Which datasets hold the same files: below the same place of one storage, or of two storages that
lead to the same folder or bucket."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from datasets.models import Dataset, Storage, StorageKind
from datasets.storages.s3_connection import S3Connection

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Location:
    """The store, and how all names of the dataset begin in it."""

    store: tuple[str, ...]
    start: str

    def overlaps(self, other: "Location") -> bool:
        """One lies inside the other, or they are the same."""
        if self.store != other.store:
            return False
        return self.start.startswith(other.start) or other.start.startswith(self.start)


def location_of(dataset: Dataset) -> Location:
    storage = dataset.storage
    if storage.kind == StorageKind.LOCAL:
        return Location(("local",), f"{os.path.realpath(storage.root)}/{dataset.prefix}")
    folder = S3Connection(bucket=storage.bucket, prefix=storage.prefix).folder
    return Location(("s3", _server(storage), storage.bucket), folder + dataset.prefix)


def _server(storage: Storage) -> str:
    found = urlsplit(storage.endpoint)
    port = found.port or _PORTS.get(found.scheme, 0)
    # Without an endpoint it is Amazon's.
    return f"{(found.hostname or 'amazonaws.com').lower()}:{port}"


def overlapping(dataset: Dataset) -> list[Dataset]:
    """The other datasets in which files of this one can be."""
    here = location_of(dataset)
    kind = dataset.storage.kind
    others = Dataset.objects.filter(storage__kind=kind).exclude(pk=dataset.pk)
    rows = others.select_related("storage").order_by("pk")
    return [one for one in rows if here.overlaps(location_of(one))]

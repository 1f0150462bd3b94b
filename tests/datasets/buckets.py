"""Builders of storages for tests."""

from itertools import count
from typing import Any

from annotators.models import User
from datasets.models import Storage, StorageKind
from datasets.secrets import Secret
from datasets.storages.s3_connection import Keys

# On a private network: allowed, found without a name server, and nobody is there.
ENDPOINT = "http://10.9.8.7:9000"
ACCESS, SECRET, TOKEN = "AKIA-alice-1234", "a-secret-that-nobody-sees", "a-token-that-nobody-sees"
_numbers = count(1)


def keys(access_key: str = ACCESS, secret: str = SECRET, token: str = "") -> Keys:
    return Keys(
        access_key=access_key,
        secret_key=Secret(secret),
        session_token=Secret(token) if token else None,
    )


def bucket_storage(owner: User | None, *, given: Keys | None = None, **fields: Any) -> Storage:
    """A bucket with keys, unless `given` is said to be other ones."""
    values = {"name": "Photos", "endpoint": ENDPOINT, "bucket": "alices-photos"} | fields
    storage = Storage(kind=StorageKind.S3, owner=owner, **values)
    storage.set_keys(given or keys())
    storage.save()
    return storage


def own_keys_storage(owner: User, **fields: Any) -> Storage:
    """A bucket that is reached with the keys of the server."""
    storage = bucket_storage(owner, **fields)
    storage.set_keys(None)
    storage.save()
    return storage


def folder_storage(owner: User | None, root, **fields: Any) -> Storage:
    root.mkdir(parents=True, exist_ok=True)
    return Storage.objects.create(name=root.name, root=str(root), owner=owner, **fields)


def typed(**fields: str) -> dict[str, str]:
    """What the form of a new storage sends."""
    given = {
        "kind": "other",
        "name": "Photos",
        "endpoint": ENDPOINT,
        "bucket": "alices-photos",
        "addressing": "auto",
        "access_key": ACCESS,
        "secret_key": SECRET,
    }
    return given | fields

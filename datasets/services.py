"""What changes storages and datasets. One function per verb.

Keys are encrypted at once and never given back. They stay with the place they were entered for:
who moves a storage to another endpoint or bucket enters them again, for they could else be sent to
a machine of somebody who never knew them.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotators.models import User
from datasets import connection_tests, secrets
from datasets.access import UPLOADS, require_connect
from datasets.models import Dataset, Storage, StorageKind
from datasets.places import BucketPlace, Place, checked_folder, checked_prefix, put_at
from datasets.secrets import SecretLost
from datasets.storages.checkup import Checkup
from datasets.storages.levels import Level
from datasets.storages.s3_connection import Keys
from labelhub.errors import Conflict, DomainError

# Most jobs that a refusal names.
_NAMED = 5


# Storages ----------------------------------------------------------------------------------------
def try_out(place: Place, keys: Keys | None, *, by: User) -> Checkup:
    """Tests the connection to a place that is not stored."""
    require_connect(by)
    return connection_tests.try_connection(_placed(place, keys, by=by), by=by)


@transaction.atomic
def connect_storage(
    *, name: str, place: Place, keys: Keys | None = None, by: User, checkup: Checkup | None = None
) -> Storage:
    """Without `keys` a bucket is reached with those of the server. `checkup`: what `try_out` found
    there a moment ago."""
    require_connect(by)
    storage = _placed(place, keys, by=by)
    if storage.kind == StorageKind.LOCAL:
        storage = _adopted(storage) or storage
    storage.name, storage.owner = _checked_name(name), by
    if checkup is not None:
        connection_tests.note(storage, checkup, by=by)
    _save(storage)
    return storage


@transaction.atomic
def change_storage(
    storage: Storage, *, name: str, place: Place, keys: Keys | None = None, by: User
) -> Storage:
    """Without `keys` the stored ones are kept, as long as they go to the same bucket."""
    storage = Storage.objects.select_for_update().get(pk=storage.pk)
    if isinstance(place, BucketPlace) != (storage.kind == StorageKind.S3):
        raise DomainError(_("A folder cannot become a bucket, or a bucket a folder."), code="kind")
    before = _place_of(storage)
    target = (storage.endpoint, storage.bucket)
    put_at(storage, place)
    storage.name = _checked_name(name)
    if keys is not None and storage.kind == StorageKind.S3:
        storage.set_keys(keys)
    elif storage.credentials and target != (storage.endpoint, storage.bucket):
        raise DomainError(
            _(
                "The stored keys are not sent to another endpoint or bucket. Enter the keys of the "
                "new one."
            ),
            code="keys-needed",
        )
    elif not storage.credentials and before != _place_of(storage):
        _check_own_keys(storage, by=by)
    if keys is not None or before != _place_of(storage):
        connection_tests.forget(storage)
    _save(storage)
    return storage


@transaction.atomic
def rotate_keys(storage: Storage, keys: Keys | None, *, by: User) -> Storage:
    """Other keys for the same bucket; None: those of the server."""
    storage = Storage.objects.select_for_update().get(pk=storage.pk)
    if storage.kind != StorageKind.S3:
        raise DomainError(_("A folder of the server has no keys."), code="kind")
    storage.set_keys(keys)
    _check_own_keys(storage, by=by)
    connection_tests.forget(storage)
    storage.save()
    return storage


check_storage_now = connection_tests.check_storage_now


@transaction.atomic
def delete_storage(storage: Storage, *, by: User) -> None:
    """LabelHub forgets the storage; what is in it stays. Refused while jobs use it."""
    storage = Storage.objects.select_for_update().get(pk=storage.pk)
    usage = usage_of(storage, by)
    if usage.total:
        raise Conflict(_in_use(storage, usage), code="storage_in_use")
    # Lists of files that no job shows any more.
    storage.datasets.all().delete()
    storage.delete()


@dataclass(frozen=True, slots=True)
class Usage:
    """Jobs over a storage: those of the person as (id, name), and how many others there are."""

    own: tuple[tuple[int, str], ...]
    others: int

    @property
    def total(self) -> int:
        return len(self.own) + self.others


def usage_of(storage: Storage, user: User) -> Usage:
    mine = storage.datasets.filter(jobs__members__user=user)
    own = tuple(mine.values_list("jobs__pk", "jobs__name").distinct().order_by("jobs__pk"))
    total = storage.datasets.aggregate(jobs=Count("jobs", distinct=True))["jobs"]
    return Usage(own, total - len(own))


def look_below(storage: Storage, prefix: str) -> Level:
    """The folders at one level. Raises StorageError, DomainError."""
    return connection_tests.quick_driver(storage).level(checked_prefix(prefix))


def rotate_encryption() -> tuple[int, list[Storage]]:
    """Encrypts all keys anew with the newest of LABELHUB_ENCRYPTION_KEYS: how many were changed,
    and the storages whose keys nobody can read any more."""
    changed, lost = 0, []
    for storage in Storage.objects.exclude(credentials="").order_by("pk").iterator():
        if secrets.is_current(storage.credentials):
            continue
        try:
            fresh = secrets.rotated(storage.credentials)
        except SecretLost:
            lost.append(storage)
            continue
        # Keys that somebody enters meanwhile are newer.
        same = Storage.objects.filter(pk=storage.pk, credentials=storage.credentials)
        changed += same.update(credentials=fresh)
    return changed, lost


def _placed(place: Place, keys: Keys | None, *, by: User) -> Storage:
    storage = Storage()
    put_at(storage, place)
    if storage.kind == StorageKind.S3:
        storage.set_keys(keys)
        _check_own_keys(storage, by=by)
    return storage


def _check_own_keys(storage: Storage, *, by: User) -> None:
    """With the server's own keys a person could read whatever the server can."""
    if storage.kind == StorageKind.S3 and not storage.credentials and not by.is_superuser:
        raise DomainError(
            _(
                "Enter an access key and a secret key: only administrators connect buckets with "
                "the keys of the server."
            ),
            code="keys-missing",
        )


def _adopted(wanted: Storage) -> Storage | None:
    """The storage of the same folder that a job made before storages had owners."""
    found = (
        Storage.objects.select_for_update().filter(kind=StorageKind.LOCAL, root=wanted.root).first()
    )
    if found is not None and found.owner_id is not None:
        raise _taken(wanted)
    return found


def _taken(storage: Storage) -> Conflict:
    return Conflict(
        _("%(folder)s is connected already. Its owner and the administrators see it.")
        % {"folder": storage.root},
        code="folder_connected",
    )


def _save(storage: Storage) -> None:
    try:
        with transaction.atomic():
            storage.save()
    except IntegrityError:
        raise _taken(storage)


def _checked_name(name: str) -> str:
    cleaned = name.strip()
    if not cleaned:
        raise DomainError(_("A storage needs a name."), code="name")
    return cleaned


def _place_of(storage: Storage) -> tuple:
    names = ("root", "endpoint", "region", "bucket", "prefix", "addressing")
    return tuple(getattr(storage, name) for name in names)


def _in_use(storage: Storage, usage: Usage) -> str:
    named = ", ".join(f"“{name}”" for _pk, name in usage.own[:_NAMED])
    more = usage.total - min(len(usage.own), _NAMED)
    if not named:
        text = ngettext(
            "“%(storage)s” is used by %(more)d job that you are not a member of.",
            "“%(storage)s” is used by %(more)d jobs that you are not a member of.",
            more,
        )
    elif more:
        text = ngettext(
            "“%(storage)s” is used by the jobs %(jobs)s and %(more)d other. Delete them first.",
            "“%(storage)s” is used by the jobs %(jobs)s and %(more)d others. Delete them first.",
            more,
        )
    else:
        text = _("“%(storage)s” is used by these jobs: %(jobs)s. Delete them first.")
    return text % {"storage": storage.name, "jobs": named, "more": more}


# Datasets ----------------------------------------------------------------------------------------
@transaction.atomic
def dataset_of(storage: Storage, *, prefix: str = "", name: str = "", by: User | None) -> Dataset:
    """The one dataset below a prefix: jobs over the same one share its images."""
    prefix = checked_prefix(prefix)
    # Two at the same time would else make it twice.
    Storage.objects.select_for_update().get(pk=storage.pk)
    found = storage.datasets.filter(prefix=prefix).order_by("pk").first()
    if found is not None:
        return found
    last = prefix.rstrip("/").rpartition("/")[2]
    name = (name or last or storage.name)[: Dataset._meta.get_field("name").max_length]
    return Dataset.objects.create(storage=storage, prefix=prefix, name=name, created_by=by)


def change_dataset(
    dataset: Dataset, *, name: str | None = None, reads_labels: bool | None = None
) -> Dataset:
    """Renames it, or has synchronizations read the texts beside images; None: as it is."""
    if name is not None:
        dataset.name = name.strip()
        if not dataset.name:
            raise DomainError(_("A dataset needs a name."), code="name")
    if reads_labels is not None:
        dataset.reads_labels = reads_labels
    dataset.save(update_fields=["name", "reads_labels"])
    return dataset


@transaction.atomic
def dataset_of_folder(typed: str, *, by: User | None) -> Dataset:
    folder = checked_folder(typed)
    storage, _made = Storage.objects.get_or_create(
        kind=StorageKind.LOCAL,
        root=str(folder),
        defaults={"name": folder.name or str(folder), "owner": by},
    )
    _check_shared(storage, by)
    return dataset_of(storage, by=by)


def _check_shared(storage: Storage, by: User | None) -> None:
    """Anybody who makes jobs may read an allowed folder; who may write there is the owner's."""
    is_open = storage.can_write or storage.can_delete
    is_own = by is None or by.is_superuser or storage.owner_id in (None, by.pk)
    if is_open and not is_own:
        raise Conflict(
            _(
                "%(folder)s is somebody else's storage, in which files can be added and deleted. "
                "Ask its owner or an administrator for a job over it."
            )
            % {"folder": storage.root},
            code="folder_connected",
        )


@transaction.atomic
def dataset_of_uploads(name: str, *, by: User | None) -> Dataset:
    """An own place, in the folder that LabelHub keeps, for what people will upload."""
    root: Path = settings.DATA_DIR / UPLOADS
    root.mkdir(parents=True, exist_ok=True)
    storage, _made = Storage.objects.get_or_create(
        kind=StorageKind.LOCAL, root=str(root), defaults={"name": "Uploads"}
    )
    dataset = Dataset.objects.create(name=name, storage=storage, created_by=by)
    dataset.prefix = f"{dataset.pk}/"
    dataset.save(update_fields=["prefix"])
    return dataset

"""Where images live: a storage, a dataset under one prefix of it, and a row per image."""

import json
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from datasets import secrets
from datasets.secrets import Secret, SecretLost
from datasets.storages import Storage as Driver
from datasets.storages import StorageError
from datasets.storages.addresses import AddressRules
from datasets.storages.local import LocalStorage
from datasets.storages.s3_connection import Addressing, Keys, S3Connection


class StorageKind(models.TextChoices):
    LOCAL = "local", _("Folder of the server")
    S3 = "s3", _("S3, OBS or compatible")


class AddressingChoice(models.TextChoices):
    AUTO = Addressing.AUTO.value, pgettext_lazy("addressing", "Automatic")
    PATH = Addressing.PATH.value, pgettext_lazy("addressing", "In the path")
    VIRTUAL = Addressing.VIRTUAL.value, pgettext_lazy("addressing", "In the host name")


class Storage(models.Model):
    """A folder of the server (`root`), or a bucket and how it is reached.

    `credentials` is one encrypted text (see `set_keys`); without it the keys of the server itself
    are used. What the last test of the connection found is kept: None says that nobody tried.
    """

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(max_length=10, choices=StorageKind.choices, default=StorageKind.LOCAL)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="storages"
    )
    root = models.CharField(max_length=1024, blank=True)
    endpoint = models.CharField(max_length=300, blank=True)
    region = models.CharField(max_length=63, blank=True)
    bucket = models.CharField(max_length=63, blank=True)
    prefix = models.CharField(max_length=1024, blank=True)
    addressing = models.CharField(
        max_length=10, choices=AddressingChoice.choices, default=AddressingChoice.AUTO
    )
    credentials = models.TextField(blank=True, editable=False)
    # The end of the access key, by which people tell their keys apart.
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    # Browsers can reach it, and get the addresses of originals.
    presigns = models.BooleanField(default=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    can_write = models.BooleanField(null=True)
    can_delete = models.BooleanField(null=True)
    # [{"step", "tried", "problem", "params"}, …] of the last test, in its order.
    check_results = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("storage")
        verbose_name_plural = _("storages")
        constraints = [
            models.UniqueConstraint(
                fields=["root"], condition=Q(kind="local"), name="one_storage_a_root"
            ),
            models.CheckConstraint(
                condition=~Q(root="", kind="local") & ~Q(bucket="", kind="s3"),
                name="storage_says_where",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def driver(self) -> Driver:
        """What reads and writes the bytes. Raises StorageError where the keys cannot be read."""
        if self.kind == StorageKind.LOCAL:
            return LocalStorage(Path(self.root))
        return self.connection().storage()

    def connection(self) -> S3Connection:
        return S3Connection(
            bucket=self.bucket,
            endpoint=self.endpoint,
            region=self.region,
            prefix=self.prefix,
            addressing=Addressing(self.addressing),
            keys=self._keys(),
            presigns=self.presigns,
            rules=AddressRules(settings.STORAGE_ADDRESSES),
            ca_file=settings.STORAGE_CA_FILE,
        )

    def set_keys(self, keys: Keys | None) -> None:
        """Encrypts the keys; None: the server's own."""
        self.credentials, self.key_hint = "", ""
        if keys is not None:
            token = keys.session_token.reveal() if keys.session_token else ""
            plain = {"id": keys.access_key, "secret": keys.secret_key.reveal(), "token": token}
            self.credentials = secrets.encrypt(Secret(json.dumps(plain)))
            self.key_hint = keys.access_key[-4:]

    def _keys(self) -> Keys | None:
        if not self.credentials:
            return None
        try:
            plain = json.loads(secrets.decrypt(self.credentials).reveal())
        except SecretLost as error:
            raise StorageError(self.name, code=error.code) from error
        token = Secret(plain["token"]) if plain["token"] else None
        return Keys(access_key=plain["id"], secret_key=Secret(plain["secret"]), session_token=token)

    @property
    def is_upload_area(self) -> bool:
        """The folder of our own that keeps what people upload to jobs without a storage."""
        return self.kind == StorageKind.LOCAL and Path(self.root) == settings.DATA_DIR / "uploads"

    @property
    def verdict(self) -> str:
        """Of the last test: untested, failed, reads (only), keeps (writes, but deletes nothing) or
        open."""
        if self.checked_at is None:
            return "untested"
        wrong = {row["step"] for row in self.check_results if row["problem"]}
        unknown = ("write" in wrong and self.can_write is None) or (
            "delete" in wrong and self.can_delete is None
        )
        if unknown or wrong & {"list", "read"}:
            return "failed"
        if not self.can_write:
            return "reads"
        return "open" if self.can_delete else "keeps"

    @property
    def location(self) -> str:
        """Where it is, for people: the folder, or bucket and prefix."""
        if self.kind == StorageKind.LOCAL:
            return self.root
        return "/".join(filter(None, (self.bucket, self.prefix.strip("/"))))


class Dataset(models.Model):
    """The images below one prefix of a storage.

    `summary` has the numbers of its page, moved under the lock of this row by the runs that add
    or remove images: {"images", "bytes", "refused", "missing", "formats": {format: images}}.
    """

    name = models.CharField(_("name"), max_length=200)
    storage = models.ForeignKey(Storage, models.PROTECT, related_name="datasets")
    prefix = models.CharField(max_length=1024, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    summary = models.JSONField(default=dict, blank=True, editable=False)
    # Text files beside images, of the same name, hold their labels.
    reads_labels = models.BooleanField(default=False)
    # How often it is synchronized by itself, in minutes; None: when somebody asks.
    sync_minutes = models.PositiveIntegerField(null=True, blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True)
    # The run that listed it last: only that one may call an image missing.
    listed_by = models.ForeignKey(
        "runs.Run", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")

    def __str__(self) -> str:
        return self.name

    @property
    def takes_uploads(self) -> bool:
        """Folders that people name are theirs: nothing is written there until a test of the
        storage, which somebody asked for, found that it may be."""
        return self.storage.is_upload_area or self.storage.can_write is True

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return "/".join(filter(None, (self.storage.location, self.prefix.rstrip("/"))))

    def key(self, path: str) -> str:
        """Key in the storage of a path in the dataset."""
        return f"{self.prefix}{path}"


class Image(models.Model):
    """One file. `path` is relative to the dataset; width and height are those of the upright
    picture.

    A file that cannot be taken is a row too (`is_refused`, with the reason), so that it is not
    looked into at every synchronization; it has no samples. `problem` without that is a remark.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images")
    path = models.CharField(max_length=1024)
    size = models.PositiveBigIntegerField()
    etag = models.CharField(max_length=100)
    modified_at = models.DateTimeField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    format = models.CharField(max_length=10)
    # Its bytes were looked into. Those of a bucket are later: listing it is a thousand times
    # quicker than opening everything in it.
    is_examined = models.BooleanField(default=True)
    # Every browser shows the file as it is.
    is_plain = models.BooleanField(default=False)
    is_refused = models.BooleanField(default=False)
    problem = models.CharField(max_length=40, blank=True)
    problem_params = models.JSONField(default=dict, blank=True)
    # Tells the same bytes under another name: a digest of them, or the store's own.
    content = models.CharField(max_length=100, blank=True)
    # When a synchronization did not find the file any more; whether somebody decided about that.
    missing_since = models.DateTimeField(null=True, blank=True)
    is_settled = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        constraints = [
            models.UniqueConstraint(fields=["dataset", "path"], name="one_image_per_path")
        ]
        indexes = [
            models.Index(
                fields=["dataset", "content", "id"], condition=~Q(content=""), name="image_content"
            ),
            models.Index(
                fields=["dataset", "id"],
                condition=Q(missing_since__isnull=False),
                name="image_missing",
            ),
            models.Index(fields=["dataset", "id"], condition=~Q(problem=""), name="image_problem"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def key(self) -> str:
        return self.dataset.key(self.path)

"""Where images live: a storage, a dataset under one prefix of it, and a row per image."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datasets.storages import Storage as Driver
from datasets.storages.local import LocalStorage


class StorageKind(models.TextChoices):
    LOCAL = "local", _("Folder of the server")


class Storage(models.Model):
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=StorageKind.choices, default=StorageKind.LOCAL)
    root = models.CharField(max_length=1024)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("storage")
        verbose_name_plural = _("storages")
        constraints = [models.UniqueConstraint(fields=["kind", "root"], name="one_storage_a_root")]

    def __str__(self) -> str:
        return self.name

    def driver(self) -> Driver:
        """What reads and writes the bytes."""
        return LocalStorage(Path(self.root))


class Dataset(models.Model):
    name = models.CharField(max_length=200)
    storage = models.ForeignKey(Storage, models.PROTECT, related_name="datasets")
    prefix = models.CharField(max_length=1024, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")

    def __str__(self) -> str:
        return self.name

    @property
    def takes_uploads(self) -> bool:
        """Folders that people name are theirs: only our own upload area is written to."""
        return Path(self.storage.root) == settings.DATA_DIR / "uploads"

    def key(self, path: str) -> str:
        """Key in the storage of a path in the dataset."""
        return f"{self.prefix}{path}"


class Image(models.Model):
    """One file. `path` is relative to the dataset; width and height are those of the upright
    picture."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images")
    path = models.CharField(max_length=1024)
    size = models.PositiveBigIntegerField()
    etag = models.CharField(max_length=100)
    modified_at = models.DateTimeField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    format = models.CharField(max_length=10)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        constraints = [
            models.UniqueConstraint(fields=["dataset", "path"], name="one_image_per_path")
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def key(self) -> str:
        return self.dataset.key(self.path)

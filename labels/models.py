"""Meaning: the labels of a job, and which sample carries which."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from jobs.models import Job, Sample

COLOURS = 24


class LiveLabels(models.Manager):
    """All but those that were deleted."""

    def get_queryset(self) -> models.QuerySet["Label"]:
        return super().get_queryset().filter(trashed_at=None)


class Label(models.Model):
    job = models.ForeignKey(Job, models.CASCADE, related_name="labels")
    name = models.CharField(_("name"), max_length=1024)
    # One of the 24 colour classes of the palette, 1 to 24.
    colour = models.PositiveSmallIntegerField(default=1)
    position = models.PositiveIntegerField()
    # A letter or digit that sets it; empty: the digit of its place in the list.
    key = models.CharField(max_length=1, blank=True)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # Deleted, or merged into another: kept so that it can be undone.
    trashed_at = models.DateTimeField(null=True, blank=True)

    objects = LiveLabels()
    everything = models.Manager()

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "name"], condition=Q(trashed_at=None), name="one_label_per_name"
            ),
            models.UniqueConstraint(
                fields=["job", "key"],
                condition=Q(trashed_at=None) & ~Q(key=""),
                name="one_label_per_key",
            ),
            models.CheckConstraint(
                condition=Q(colour__gte=1, colour__lte=COLOURS), name="colour_is_of_palette"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Origin(models.TextChoices):
    HUMAN = "human", pgettext_lazy("origin", "Person")
    MODEL = "model", pgettext_lazy("origin", "Model, accepted by a person")
    IMPORT = "import", pgettext_lazy("origin", "Imported with the image")


class Annotation(models.Model):
    """A label on a sample. `confidence` is the model's score where it came from the model."""

    # Both keys are the beginning of another index.
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="annotations", db_index=False)
    label = models.ForeignKey(Label, models.CASCADE, related_name="annotations", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HUMAN)
    confidence = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("annotation")
        verbose_name_plural = _("annotations")
        constraints = [
            models.UniqueConstraint(fields=["sample", "label"], name="one_annotation_per_label"),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1),
                name="confidence_is_a_share",
            ),
        ]
        indexes = [models.Index(fields=["label", "sample"])]

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.label_id}"

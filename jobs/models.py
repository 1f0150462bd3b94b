"""The work: a job over a dataset, a sample per image of it, and every change people make."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from datasets.models import Dataset, Image


class Mode(models.TextChoices):
    SINGLE = "single", _("One label per image")
    MULTI = "multi", _("Several labels per image")


class Job(models.Model):
    name = models.CharField(_("name"), max_length=200)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="jobs")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.name


class Counter(models.Model):
    """A number that pages show without counting rows; see jobs/counters.py for the keys."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="counters")
    key = models.CharField(max_length=40)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("counter")
        verbose_name_plural = _("counters")
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="one_counter_per_key")]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


class SampleState(models.TextChoices):
    UNLABELED = "unlabeled", pgettext_lazy("state", "Unlabeled")
    LABELED = "labeled", pgettext_lazy("state", "Labeled")


class SampleQuerySet(models.QuerySet["Sample"]):
    def with_tile(self) -> "SampleQuerySet":
        """With all that a tile or the viewer shows: four statements whatever their number."""
        return self.select_related("image").prefetch_related("annotations__label", "predictions")


class Sample(models.Model):
    """One image in one job."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="samples")
    image = models.ForeignKey(Image, models.CASCADE, related_name="samples")
    # Repeats the image's path: filters and sorting of a million samples touch one table.
    path = models.CharField(max_length=1024)
    state = models.CharField(
        max_length=12, choices=SampleState.choices, default=SampleState.UNLABELED
    )
    label_count = models.PositiveSmallIntegerField(default=0)
    last_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    last_at = models.DateTimeField(null=True, blank=True)
    # The change whose result this is: undo asks whether it is still its own.
    last_change = models.ForeignKey(
        "Change", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=0)

    objects = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints = [
            models.UniqueConstraint(fields=["job", "image"], name="one_sample_per_image"),
            models.CheckConstraint(
                condition=Q(state="labeled") | Q(label_count=0), name="labels_only_when_labeled"
            ),
        ]
        indexes = [
            models.Index(fields=["job", "id"]),
            models.Index(fields=["job", "state", "id"]),
            models.Index(fields=["job", "last_by", "id"]),
        ]

    def __str__(self) -> str:
        return self.path


class Verb(models.TextChoices):
    LABEL = "label", _("labeled")
    ACCEPT = "accept", _("accepted suggestions")
    UNDO = "undo", _("undid")
    REDO = "redo", _("redid")


class Change(models.Model):
    """Something a person did to samples: what undo, history and live updates are made of."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="changes")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    created_at = models.DateTimeField(default=timezone.now)
    sample_count = models.PositiveIntegerField()
    # An undo (or redo) names the change it took back; a change taken back names nothing itself.
    reverts = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="reverted_by"
    )

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [models.Index(fields=["job", "actor", "-id"])]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} · {self.sample_count}"


class ChangeItem(models.Model):
    """What a change did to one sample: annotations added and removed, and the state before.

    `after` is the sample's `last_change` when the change was done, `before["change"]` the one
    before it: a change can be taken back exactly while the sample still points at `after`.
    """

    change = models.ForeignKey(Change, models.CASCADE, related_name="items")
    sample = models.ForeignKey(Sample, models.CASCADE, related_name="history")
    added = models.JSONField(default=list)
    removed = models.JSONField(default=list)
    before = models.JSONField()
    after = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("change of a sample")
        verbose_name_plural = _("changes of samples")

    def __str__(self) -> str:
        return f"{self.change_id}/{self.sample_id}"

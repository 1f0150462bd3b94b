"""The work: a job over a dataset, a sample per image of it, and every change people make."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from datasets.models import Dataset, Image
from jobs.expressions import Day, Folder, NotEmpty, Twentieth
from runs.models import Run, RunKind


class Mode(models.TextChoices):
    SINGLE = "single", _("One label per image")
    MULTI = "multi", _("Several labels per image")


class Job(models.Model):
    name = models.CharField(_("name"), max_length=200)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="jobs")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    # What the owner tells those who label, in Markdown.
    instructions = models.TextField(_("labeling description"), blank=True)
    instructions_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.name

    def shown_runs(self) -> models.QuerySet[Run]:
        """Its own runs, and those that look through the dataset for all of its jobs."""
        of_all = Q(dataset=self.dataset_id, kind__in=[RunKind.SYNC, RunKind.EXAMINE])
        return Run.objects.filter(Q(job=self) | of_all)


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
    # Carries suggestions that came with its import and that nobody confirmed yet.
    TO_CONFIRM = "to_confirm", pgettext_lazy("state", "To be confirmed")


IS_LIVE = Q(trashed_at__isnull=True)
# The `trashed_at` of what the trash was emptied of: behind all others in the index of the trash.
PURGED = datetime(1970, 1, 1, tzinfo=UTC)


def trash_ends() -> datetime:
    """What was put into the trash before then cannot be restored any more."""
    return timezone.now() - timedelta(days=settings.TRASH_DAYS)


class SampleQuerySet(models.QuerySet["Sample"]):
    def in_trash(self) -> "SampleQuerySet":
        return self.filter(trashed_at__gt=PURGED)

    def restorable(self) -> "SampleQuerySet":
        return self.filter(trashed_at__gt=trash_ends())

    def with_tile(self) -> "SampleQuerySet":
        """With all that a tile or the viewer shows: four statements whatever their number."""
        return self.select_related("image").prefetch_related("annotations__label", "predictions")


class LiveSamples(models.Manager.from_queryset(SampleQuerySet)):
    """All but those in the trash."""

    def get_queryset(self) -> SampleQuerySet:
        return super().get_queryset().filter(trashed_at=None)


class Sample(models.Model):
    """One image in one job.

    `objects`, and so `job.samples`, leaves out the trash; `everything` does not. A sample in the
    trash keeps its row, or the next synchronization would bring the image back; so does one that
    the trash was emptied of (`trashed_at` is PURGED), without what people knew of it.
    """

    # Keys without an index of their own are the beginning of another one.
    job = models.ForeignKey(Job, models.CASCADE, related_name="samples", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="samples", db_index=False)
    # When the image came into the job, which ids go with.
    added_at = models.DateTimeField(db_default=Now(), editable=False)
    # Repeats the image's path: filters and sorting of a million samples touch one table.
    path = models.CharField(max_length=1024)
    state = models.CharField(
        max_length=12, choices=SampleState.choices, default=SampleState.UNLABELED
    )
    label_count = models.PositiveSmallIntegerField(default=0)
    last_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    last_at = models.DateTimeField(null=True, blank=True)
    # The change whose result this is: undo asks whether it is still its own.
    last_change = models.ForeignKey(
        "Change", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=0)
    # A person marked it as difficult.
    is_hard = models.BooleanField(default=False)
    # Of the newest prediction: the score of its best label and the name that it had in the job
    # then. What that means now says jobs/vocabulary.py.
    top_score = models.FloatField(null=True, blank=True)
    top_name = models.CharField(max_length=1024, blank=True)
    # train, val or test, where an import or a person said so.
    split = models.CharField(max_length=5, blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True)

    objects = LiveSamples()
    everything = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints = [
            models.UniqueConstraint(fields=["image", "job"], name="one_sample_per_image"),
            models.CheckConstraint(
                condition=Q(state="labeled") | Q(label_count=0), name="labels_only_when_labeled"
            ),
            models.CheckConstraint(
                condition=Q(top_score=None) | Q(top_score__gte=0, top_score__lte=1),
                name="top_score_is_a_share",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "id"], condition=IS_LIVE, name="sample_live"),
            models.Index(fields=["job", "state", "id"], condition=IS_LIVE, name="sample_state"),
            models.Index(fields=["job", "last_by", "id"], condition=IS_LIVE, name="sample_by"),
            # Filters, each in the order of ids; see CONTRIBUTING.md for what they serve.
            models.Index(
                fields=["job", "id"], condition=IS_LIVE & Q(is_hard=True), name="sample_hard"
            ),
            models.Index(
                fields=["job", "split", "id"],
                condition=IS_LIVE & Q(NotEmpty("split")),
                name="sample_split",
            ),
            models.Index(
                fields=["job", "top_name", "id"],
                condition=IS_LIVE & Q(NotEmpty("top_name")),
                name="sample_predicted",
            ),
            models.Index(
                F("job"),
                Twentieth("top_score"),
                F("id"),
                condition=IS_LIVE & Q(top_score__isnull=False),
                name="sample_twentieth",
            ),
            models.Index(
                F("job"),
                Day("last_at"),
                F("id"),
                condition=IS_LIVE & Q(last_at__isnull=False),
                name="sample_labeled_day",
            ),
            models.Index(
                F("job"), Day("added_at"), F("id"), condition=IS_LIVE, name="sample_added_day"
            ),
            models.Index(
                F("job"), Folder("path"), F("id"), condition=IS_LIVE, name="sample_folder"
            ),
            # Orders: of the whole job, and of each state, since those of a state lie together.
            models.Index(fields=["job", "path", "id"], condition=IS_LIVE, name="sample_path"),
            models.Index(
                fields=["job", "state", "path", "id"], condition=IS_LIVE, name="sample_state_path"
            ),
            models.Index(
                fields=["job", "last_at", "id"],
                condition=IS_LIVE & Q(last_at__isnull=False),
                name="sample_time",
            ),
            models.Index(
                fields=["job", "state", "last_at", "id"],
                condition=IS_LIVE & Q(last_at__isnull=False),
                name="sample_state_time",
            ),
            models.Index(
                fields=["job", "top_score", "id"],
                condition=IS_LIVE & Q(top_score__isnull=False),
                name="sample_score",
            ),
            models.Index(
                fields=["job", "state", "top_score", "id"],
                condition=IS_LIVE & Q(top_score__isnull=False),
                name="sample_state_score",
            ),
            models.Index(
                fields=["job", "-trashed_at"],
                condition=Q(trashed_at__isnull=False),
                name="sample_trash",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class Verb(models.TextChoices):
    LABEL = "label", _("labeled")
    ACCEPT = "accept", _("accepted suggestions")
    REJECT = "reject", _("rejected suggestions")
    IMPORT = "import", _("imported labels")
    HARD = "hard", _("marked as hard example")
    NOT_HARD = "not_hard", _("unmarked as hard example")
    TRASH = "trash", _("deleted images")
    RESTORE = "restore", _("restored images")
    DELETE_FILES = "delete_files", _("deleted source files")
    MERGE_LABELS = "merge_labels", _("merged labels")
    DELETE_LABELS = "delete_labels", _("deleted labels")
    EDIT_LABELS = "edit_labels", _("changed the list of labels")
    UNDO = "undo", _("undid")
    REDO = "redo", _("redid")


class Change(models.Model):
    """Something a person did to samples: what undo, history and live updates are made of."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="changes")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    verb = models.CharField(max_length=20, choices=Verb.choices)
    # What the verb needs to be told or undone: names and ids of labels, say.
    params = models.JSONField(default=dict, blank=True)
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


class Answer(models.Model):
    """What a request of a person was answered, for when it comes again: see labels/repeats.py."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    # Made by the browser, one for each edit.
    key = models.UUIDField()
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["job", "user", "key"], name="one_answer_a_key"),
        ]

    def __str__(self) -> str:
        return str(self.key)


class SavedView(models.Model):
    """A named filter of a job: of one person, or without a user of everybody in the job."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="views")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [
            models.UniqueConstraint(fields=["job", "user", "name"], name="one_own_view_a_name"),
            models.UniqueConstraint(
                fields=["job", "name"], condition=Q(user=None), name="one_shared_view_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

"""Background work: a Run is what somebody asked for, its Chunks are the pieces it is done in."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RunKind(models.TextChoices):
    IMPORT = "import", _("Import")
    SYNC = "sync", _("Synchronization")
    EXAMINE = "examine", _("Examination of images")
    THUMBNAILS = "thumbnails", _("Thumbnails")
    DELETE = "delete", _("Deletion of files")
    EDIT = "edit", _("Bulk edit")
    LABELS = "labels", _("Change of labels")
    EXPORT = "export", _("Export")


# Of these only one at a time works on a dataset: a listing that others change meanwhile would take
# what is new for what is gone.
TAKES_TURNS = (RunKind.IMPORT, RunKind.SYNC, RunKind.DELETE)


class Run(models.Model):
    kind = models.CharField(max_length=20, choices=RunKind.choices)
    job = models.ForeignKey("jobs.Job", models.CASCADE, null=True, related_name="runs")
    dataset = models.ForeignKey("datasets.Dataset", models.CASCADE, null=True, related_name="runs")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=RunState.choices, default=RunState.QUEUED, db_index=True
    )
    params = models.JSONField(default=dict)
    # Items: known once the run is planned. Counts: what became of them, by outcome.
    total = models.PositiveBigIntegerField(null=True, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [
            models.Index(fields=["job", "-id"]),
            models.Index(fields=["dataset", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.state in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)

    @property
    def seconds(self) -> float | None:
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()


class ChunkState(models.TextChoices):
    # Written by a plan that has not finished: nobody may take it yet.
    PLANNED = "planned"
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


class ChunkQuerySet(models.QuerySet["Chunk"]):
    def takeable(self) -> "ChunkQuerySet":
        """Ready, or leased by a worker that was not heard of in time.

        Runs over one dataset take turns, the oldest that is not over first.
        """
        late = Q(state=ChunkState.LEASED, lease_until__lt=timezone.now())
        waits = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
        live = [RunState.QUEUED, RunState.RUNNING]
        before = Run.objects.filter(
            dataset=OuterRef("run__dataset"),
            kind__in=TAKES_TURNS,
            state__in=live,
            id__lt=OuterRef("run_id"),
        )
        return self.filter(
            Q(waits, state=ChunkState.READY) | late,
            ~Q(run__kind__in=TAKES_TURNS) | ~Exists(before),
            run__state__in=live,
        )

    def held_by(self, chunk: "Chunk") -> "ChunkQuerySet":
        """The row of `chunk`, if its worker still holds the lease of this attempt."""
        return self.filter(
            pk=chunk.pk, state=ChunkState.LEASED, worker=chunk.worker, attempt=chunk.attempt
        )


class Chunk(models.Model):
    """One piece of a run. Number 0 plans the others."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=0)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ChunkState.choices, default=ChunkState.READY)
    worker = models.CharField(max_length=100, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_chunk_number")]
        indexes = [models.Index(fields=["state", "number", "id"], name="chunk_to_take")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class Problem(models.Model):
    """One item of a run that could not be taken, and why."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="problems")
    item = models.TextField()
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")

    def __str__(self) -> str:
        return f"{self.item}: {self.code}"

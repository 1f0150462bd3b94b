"""Historical records: the runs that brought images in, and what became of runs, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from annotators.models import User
from datasets.formats.readers import READERS
from datasets.models import Dataset, Storage
from jobs.models import Job, SampleState
from runs.models import Run, RunKind

BRINGING = (RunKind.IMPORT, RunKind.SYNC)
OF_A_DATASET = (RunKind.SYNC, RunKind.EXAMINE)


@dataclass(frozen=True)
class Record:
    """A run as a line of the history: where from and how, what became of it, and how many files
    need a look."""

    run: Run
    source: str
    mode: str
    counts: list[tuple[str, int]]
    problems: int

    @property
    def duration(self) -> str:
        return duration(self.run)


def of_job(job: Job) -> QuerySet[Run]:
    """Every import into the job, and every synchronization of its dataset."""
    return job.shown_runs().filter(kind__in=BRINGING)


def of_dataset(dataset: Dataset, user: User) -> QuerySet[Run]:
    """What looked through the dataset, and imports into jobs that the person is in."""
    own = Q(kind=RunKind.IMPORT, job__members__user=user)
    return Run.objects.filter(Q(kind__in=OF_A_DATASET) | own, dataset=dataset).distinct()


def page(runs: QuerySet[Run], before: int | None, most: int) -> tuple[list[Record], int | None]:
    """The newest runs, or those older than `before`; the `before` of the next page."""
    if before is not None:
        runs = runs.filter(pk__lt=before)
    found = list(runs.select_related("created_by").order_by("-pk")[: most + 1])
    following = found[most - 1].pk if len(found) > most else None
    return records(found[:most]), following


def records(runs: Iterable[Run]) -> list[Record]:
    """Two statements, whatever the number: the storages that are named, and the problems."""
    runs = list(runs)
    wanted = {run.params.get("source", {}).get("storage") for run in runs} - {None}
    storages = dict(Storage.objects.filter(pk__in=wanted).values_list("pk", "name"))
    counted = Run.objects.filter(pk__in=[run.pk for run in runs]).annotate(n=Count("problems"))
    problems = dict(counted.values_list("pk", "n"))
    return [
        Record(run, _source(run, storages), _mode(run), counts_of(run), problems.get(run.pk, 0))
        for run in runs
    ]


def _source(run: Run, storages: dict[int, str]) -> str:
    if run.kind != RunKind.IMPORT:
        return _("The whole dataset")
    if "since" in run.params:
        return pgettext("noun", "Upload")
    source = run.params.get("source", {})
    path = source.get("path") or ""
    if source.get("storage"):
        name = storages.get(source["storage"], _("A storage that is no longer connected"))
        return f"{name}: {path or '/'}"
    if source.get("folder"):
        return "/".join(filter(None, (source["folder"].rstrip("/"), path)))
    return path or _("The whole dataset")


def _mode(run: Run) -> str:
    params = run.params
    if run.kind == RunKind.IMPORT and params.get("state") != SampleState.UNLABELED:
        reader = READERS.get(params.get("format", ""))
        title = str(reader.title) if reader else _("No labels found")
        files = params.get("files") or []
        shown = ", ".join(files[:3]) + (" …" if len(files) > 3 else "")
        state = SampleState(params["state"]).label
        return " · ".join(filter(None, (title, shown, str(state))))
    return _("Images alone") if run.kind == RunKind.IMPORT else str(run.get_kind_display())


def counts_of(run: Run) -> list[tuple[str, int]]:
    """The counts of a run in words, in a fixed order."""
    words: dict[str, Any] = {
        "added": _("Added"),
        "changed": _("Changed since the last time"),
        "returned": _("There again"),
        "already": _("There already"),
        "missing": _("Not found any more"),
        "refused": _("Not taken"),
        "refused_before": _("Not taken, as before"),
        "labeled": _("Came with labels"),
        "to_confirm": _("Came to be confirmed"),
        "kept": _("Labels left as people gave them"),
        "examined": _("Looked into"),
        "deleted": _("Deleted"),
        "failed": _("Not deleted"),
        "edited": _("Images changed"),
        "images": _("Images that changed"),
        "left": _("Changed by others since, left as they are"),
        "skipped": _("Left as they are: changed by others since"),
        "no_suggestion": _("Left as they are: no such suggestion"),
        "no_label": _("Left as they are: the job lacks the label"),
        "train": _("Training"),
        "val": _("Validation"),
        "test": _("Test"),
        "left_out:empty": _("Left out: labeled, but with no label"),
        "left_out:several-labels": _("Left out: several labels"),
        "left_out:unlisted-label": _("Left out: a label that is not in the list"),
        "left_out:unsafe-path": _("Left out: a path that cannot be written"),
        "changed:renamed": _("Renamed to fit the lists"),
    }
    return [(words[name], run.counts[name]) for name in words if name in run.counts]


def duration(run: Run) -> str:
    """How long it took, or takes."""
    seconds = run.seconds
    if seconds is None:
        return ""
    if seconds < 120:
        return _("%(n)d s") % {"n": round(seconds)}
    if seconds < 7200:
        return _("%(n)d min") % {"n": round(seconds / 60)}
    return _("%(n)d h") % {"n": round(seconds / 3600)}

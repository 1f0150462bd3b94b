"""The runs that bring images in: a synchronization looks through a whole dataset, an import takes
what somebody adds, with the labels that come along."""

from collections.abc import Iterator

from datasets import uploads
from jobs import imports
from jobs.examinations import start_examination
from runs.kinds import Kind, Piece, register
from runs.models import Problem, Run, RunKind


def plan_sync(run: Run) -> Iterator[Piece | Problem]:
    """Unpacks uploaded archives into the dataset, then lists all of its files in pieces."""
    imports.note_listing(run)
    dataset = run.dataset
    yield from uploads.unpack_archives(dataset, run.params["archives"])
    yield from imports.listed(dataset.storage.driver(), dataset.prefix)


def finish_sync(run: Run) -> None:
    uploads.remove_archives(run.dataset, run.params["archives"])
    start_examination(run.dataset, by=run.created_by)


register(
    Kind(
        RunKind.SYNC,
        plan=plan_sync,
        prepare=imports.compare,
        apply=imports.write,
        finish=finish_sync,
    )
)

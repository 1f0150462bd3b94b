"""What changes jobs. One function per verb."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member, User
from annotators.roles import Ability, Role
from datasets import uploads
from datasets.models import Dataset, Storage, StorageKind
from datasets.storages import StorageError
from datasets.storages.local import check_folder
from jobs.models import Job, Mode
from labelhub.errors import Conflict, DomainError
from runs import engine
from runs.models import Run, RunKind, RunState

UPLOADS = "uploads"


@transaction.atomic
def create_job(*, name: str, mode: Mode, folder: str | None, by: User | None) -> Job:
    """A job over a folder of the server, or, without one, over what will be uploaded to it.

    Without `by` nobody owns it yet: the first owner of the installation gets it (set-up).
    """
    name = name.strip()
    if not name:
        raise DomainError(_("A job needs a name."), code="name")
    if folder is not None:
        dataset = _dataset_of_folder(folder, by)
    else:
        dataset = _dataset_of_uploads(name, by)
    job = Job.objects.create(name=name, mode=mode, dataset=dataset)
    if by is not None:
        Member.objects.create(job=job, user=by, role=Role.OWNER)
    if folder is not None:
        synchronize(dataset, job=job, by=by)
    return job


def _dataset_of_folder(folder: str, by: User | None) -> Dataset:
    """One dataset for each folder: jobs over the same folder share its images."""
    try:
        path = check_folder(folder, [*settings.IMAGE_ROOTS, settings.DATA_DIR / "sample"])
    except StorageError as error:
        raise DomainError(str(error), code=error.code)
    storage, _made = Storage.objects.get_or_create(
        kind=StorageKind.LOCAL, root=str(path), defaults={"name": path.name or str(path)}
    )
    dataset, _made = Dataset.objects.get_or_create(
        storage=storage, prefix="", defaults={"name": storage.name, "created_by": by}
    )
    return dataset


def _dataset_of_uploads(name: str, by: User | None) -> Dataset:
    root: Path = settings.DATA_DIR / UPLOADS
    root.mkdir(parents=True, exist_ok=True)
    storage, _made = Storage.objects.get_or_create(
        kind=StorageKind.LOCAL, root=str(root), defaults={"name": "Uploads"}
    )
    dataset = Dataset.objects.create(name=name, storage=storage, created_by=by)
    dataset.prefix = f"{dataset.pk}/"
    dataset.save(update_fields=["prefix"])
    return dataset


@transaction.atomic
def synchronize(dataset: Dataset, *, by: User | None, job: Job | None = None) -> Run:
    """Looks for what is new, changed and gone in a dataset, as a run; `job`: asked for from there.

    Archives that were uploaded are unpacked first. One that waits already is enough.
    """
    archives = uploads.waiting_archives(dataset)
    waiting = dataset.runs.filter(kind=RunKind.SYNC, state=RunState.QUEUED, job=job).last()
    if waiting is not None and waiting.params["archives"] == archives:
        return waiting
    params = {"archives": archives}
    return engine.submit(RunKind.SYNC, job=job, dataset=dataset, by=by, params=params)


@transaction.atomic
def start_export(job: Job, *, by: User, options: dict) -> Run:
    """Writes a training set, as a run; see jobs/exports.py for the options."""
    return engine.submit(RunKind.EXPORT, job=job, by=by, params=options)


_STARTING_ABILITY = {
    RunKind.DELETE: Ability.DELETE_FILES,
    RunKind.EDIT: Ability.LABEL,
    RunKind.LABELS: Ability.MANAGE_LABELS,
    RunKind.EXPORT: Ability.EXPORT,
}


def ability_for(run: Run) -> Ability:
    """What somebody needs to start such a run, and so to cancel or retry it."""
    return _STARTING_ABILITY.get(RunKind(run.kind), Ability.ADD_DATA)


def control_run(member: Member, run: Run, command: str) -> None:
    """Cancels or retries a run of the member's job; who may start such a run may do that."""
    require(member, ability_for(run))
    act, refusal = {
        "cancel": (engine.cancel, _("This run is over already.")),
        "retry": (engine.retry, _("Only a failed or cancelled run can be taken up again.")),
    }[command]
    if not act(run):
        raise Conflict(refusal, code="run")

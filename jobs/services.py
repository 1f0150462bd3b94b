"""What changes jobs. One function per verb."""

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member, User
from annotators.roles import Ability, Role
from datasets import uploads
from datasets.models import Dataset
from datasets.sources import Source, UploadSource, dataset_for
from jobs import exports
from jobs.filters import canonical
from jobs.models import Job, Mode
from labelhub.errors import Conflict, DomainError
from runs import engine
from runs.models import Run, RunKind, RunState


@transaction.atomic
def create_job(*, name: str, mode: Mode, source: Source, by: User | None) -> Job:
    """A job over what `source` names; what is there already is taken in at once.

    Without `by` nobody owns it yet: the first owner of the installation gets it (set-up).
    """
    name = name.strip()
    if not name:
        raise DomainError(_("A job needs a name."), code="name")
    dataset = dataset_for(source, name=name, by=by)
    job = Job.objects.create(name=name, mode=mode, dataset=dataset)
    if by is not None:
        Member.objects.create(job=job, user=by, role=Role.OWNER)
    if not isinstance(source, UploadSource):
        synchronize(dataset, job=job, by=by)
    return job


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
    if query := canonical(QueryDict(options.get("query", ""))):
        # Refuses filters that make no sense.
        exports.labeled(job, query)
    options = {name: value for name, value in options.items() if name != "query"}
    options |= {"query": query} if query else {}
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
    steer(run, command)


def steer(run: Run, command: str) -> None:
    """Cancels or retries a run, for somebody who may."""
    act, refusal = {
        "cancel": (engine.cancel, _("This run is over already.")),
        "retry": (engine.retry, _("Only a failed or cancelled run can be taken up again.")),
    }[command]
    if not act(run):
        raise Conflict(refusal, code="run")

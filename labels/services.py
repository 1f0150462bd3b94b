"""What changes meaning: labels of a job and annotations of samples. One function per verb."""

from collections import Counter
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member, User
from annotators.roles import Ability
from datasets.sources import Source
from jobs.models import Job, Mode
from jobs.services import create_job
from labelhub import live
from labelhub.errors import Conflict, DomainError
from labels.models import COLOURS, Label
from labels.names import clean_label_name, is_valid, suggest


@transaction.atomic
def create_label(job: Job, name: str) -> Label:
    """Adds one label at the end of the job's list."""
    (label,) = create_labels(job, [name])
    return label


def create_labels(job: Job, names: Iterable[str]) -> list[Label]:
    """Adds labels in the order given; a name that is refused refuses all of them."""
    cleaned = [checked_name(name) for name in names]
    for name, number in Counter(cleaned).items():
        if number > 1:
            raise Conflict(_("“%(name)s” is there twice.") % {"name": name}, code="label_exists")
    last = job.labels.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    try:
        with transaction.atomic():
            made = Label.objects.bulk_create(
                Label(job=job, name=name, position=position, colour=position % COLOURS + 1)
                for position, name in enumerate(cleaned, start=first)
            )
    except IntegrityError:
        taken = set(job.labels.filter(name__in=cleaned).values_list("name", flat=True))
        name = next((name for name in cleaned if name in taken), cleaned[0])
        raise Conflict(
            _("This job has a label “%(name)s” already.") % {"name": name}, code="label_exists"
        )
    live.send_on_commit(job.pk, {"type": "labels.changed"})
    return made


def checked_name(raw: str) -> str:
    name = clean_label_name(raw)
    if is_valid(name):
        return name
    if not name:
        raise DomainError(_("A label needs a name."), code="label_name")
    raise DomainError(
        _(
            "“%(name)s” cannot be a label: names have 1 to 1,024 letters, digits, “-” and “_”. "
            "Try “%(suggestion)s”."
        )
        % {"name": name[:80], "suggestion": suggest(name)[:80]},
        code="label_name",
        suggestion=suggest(name),
    )


def label_for(member: Member, name: str) -> Label:
    """The label of that name; made when the job lacks it and the member may."""
    found = member.job.labels.filter(name=name).first()
    if found is None:
        require(member, Ability.CREATE_LABEL)
        pk = labels_named(member.job, [name])[name]
        found = member.job.labels.get(pk=pk)
    return found


def labels_named(job: Job, names: Iterable[str]) -> dict[str, int]:
    """The ids of the labels with these names. Those that lack are made, unless somebody else makes
    them at the same moment."""
    names = list(dict.fromkeys(names))
    known = dict(job.labels.filter(name__in=names).values_list("name", "pk"))
    lacking = [name for name in names if name not in known]
    if not lacking:
        return known
    try:
        made = create_labels(job, lacking)
    except Conflict:
        if not job.labels.filter(name__in=lacking).exists():
            raise
        return labels_named(job, names)
    return known | {label.name: label.pk for label in made}


@transaction.atomic
def create_job_with_labels(
    *, name: str, mode: Mode, source: Source, labels: Iterable[str], by: User | None
) -> Job:
    """A job with its label set, or, where a label or the source is refused, nothing at all."""
    job = create_job(name=name, mode=mode, source=source, by=by)
    create_labels(job, labels)
    return job

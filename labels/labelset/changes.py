"""What all changes of a label set share: what they answer, and what stands in their way."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotators.models import Member
from jobs.models import Change, Job, Verb
from labelhub import live
from labelhub.errors import Conflict
from labels.annotate import Result
from labels.models import Label
from runs.models import Run, RunKind, RunState


@dataclass(frozen=True)
class LabelResult(Result):
    """What a change of labels did, in words; `run` where the images follow in the background."""

    message: str = ""
    run: Run | None = None


def record(
    member: Member, verb: Verb, params: dict[str, Any], *, reverts: Change | None = None
) -> Change:
    """The row of a change of labels; samples are added to it where it touches any."""
    return Change.objects.create(
        job=member.job,
        actor=member.user,
        verb=verb,
        params=params,
        sample_count=0,
        reverts=reverts,
    )


def tell(job: Job, *, repaint: bool = True) -> None:
    """Tells the open pages; `repaint`: tiles may show a label that looks different now."""
    live.send_on_commit(job.pk, {"type": "labels.changed", "repaint": repaint})


def labels_of(job: Job, ids: Iterable[int]) -> list[Label]:
    """Locks labels of the job, in the order of its list; 409 where one of them is gone."""
    wanted = set(ids)
    found = list(job.labels.select_for_update(no_key=True).filter(pk__in=wanted))
    if len(found) < len(wanted) or not wanted:
        raise gone()
    return found


def gone() -> Conflict:
    return Conflict(_("That label is no longer there. Reload the page."), code="gone")


def refuse_while_busy(job: Job) -> None:
    """Merging and deleting of many images take their turns: each has to see what the last left."""
    if running(job) is not None:
        raise Conflict(
            _("Labels of this job are being merged or deleted. Wait until that is done."),
            code="busy",
        )


def running(job: Job) -> Run | None:
    at_work = job.runs.filter(kind=RunKind.LABELS, state__in=[RunState.QUEUED, RunState.RUNNING])
    return at_work.order_by("-id").first()


def listed(names: Iterable[str], *, most: int = 3) -> str:
    """Names in quotes for a sentence: the first few, then how many more."""
    names = list(names)
    shown = _(", ").join(_("“%(name)s”") % {"name": name} for name in names[:most])
    if len(names) <= most:
        return shown
    more = len(names) - most
    text = ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more)
    return text % {"names": shown, "n": more}

"""Decides about images whose files are gone: they stay in the jobs, or go to their trash."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from annotators.models import Member, User
from annotators.roles import DENIALS, Ability
from datasets.models import Dataset, Image
from jobs.models import Change
from jobs.selection import MOST_AT_ONCE, Selection
from labelhub.errors import DomainError
from labels.trash import trash

# Each batch is a transaction of its own: labeling goes on in between.
IMAGES_AT_ONCE = 500
# Where nothing goes to a trash, that is one statement for so many.
KEPT_AT_ONCE = 5_000


@dataclass
class Settled:
    """How many images were decided about, how many samples went to the trash and by which changes,
    one for each job; `others` are jobs in which the person deletes nothing, `left` images that wait
    still: one request does so many and no more."""

    images: int = 0
    removed: int = 0
    changes: dict[int, Change] = field(default_factory=dict)
    others: int = 0
    left: int = 0


def settle_missing(
    dataset: Dataset,
    *,
    by: User,
    keep: bool,
    ids: Collection[int] = (),
    everything: bool = False,
) -> Settled:
    """Keeps the samples of these missing images, or puts them into the trash of every job over the
    dataset in which the person deletes images. `everything`: of all that wait for a decision, of
    which MOST_AT_ONCE at most go to the trash.

    One that is broken off has done a part of it, and goes on when it is asked for again.
    """
    if everything == bool(ids):
        raise DomainError(_("Say which images: either ids or all."), code="selection")
    members = [] if keep else _deleting_members(dataset, by)
    settled = Settled(others=0 if keep else dataset.jobs.count() - len(members))
    waiting = dataset.images.exclude(missing_since=None).order_by("pk")
    if everything:
        waiting = waiting.filter(is_settled=False, is_refused=False)
    else:
        waiting = waiting.filter(pk__in=ids)
    last, at_once = 0, KEPT_AT_ONCE if keep else IMAGES_AT_ONCE
    while batch := list(waiting.filter(pk__gt=last).values_list("pk", flat=True)[:at_once]):
        _settle(dataset, batch, members, settled)
        last = batch[-1]
        if not keep and settled.images >= MOST_AT_ONCE:
            settled.left = waiting.filter(pk__gt=last).count()
            break
    return settled


def _deleting_members(dataset: Dataset, by: User) -> list[Member]:
    rows = Member.objects.filter(user=by, job__dataset=dataset).select_related("job")
    members = [member for member in rows.order_by("job_id") if member.can(Ability.DELETE_IMAGES)]
    if not members:
        raise PermissionDenied(DENIALS[Ability.DELETE_IMAGES])
    for member in members:
        member.user = by
    return members


@transaction.atomic
def _settle(dataset: Dataset, ids: list[int], members: list[Member], settled: Settled) -> None:
    # Runs write images under this lock: a file that comes back meanwhile is no longer missing.
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    rows = Image.objects.filter(pk__in=ids).exclude(missing_since=None)
    missing = list(rows.values_list("pk", flat=True))
    for member in members:
        samples = member.job.samples.filter(image__in=missing).values_list("pk", flat=True)
        onto = settled.changes.get(member.job_id)
        result = trash(member, Selection(ids=tuple(samples)), onto=onto)
        if result.change is not None:
            settled.changes[member.job_id] = result.change
            settled.removed += len(result.sample_ids)
    Image.objects.filter(pk__in=missing).update(is_settled=True)
    settled.images += len(missing)

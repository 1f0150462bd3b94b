"""Merges labels into another: every image that carried one of them carries that one."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs.models import Verb
from labelhub.errors import DomainError
from labels.labelset.changes import LabelResult, gone, listed
from labels.labelset.removal import MERGE, carriers, remove
from labels.models import Label


@dataclass(frozen=True)
class MergePreview:
    """Images, without those in the trash: with one of the labels alone, with the target too, and
    with the target afterwards."""

    sources: list[Label]
    target: Label
    only_source: int
    both: int
    before: int
    after: int


def preview_merge(member: Member, sources: Iterable[int], target: int) -> MergePreview:
    """Writes nothing."""
    require(member, Ability.MANAGE_LABELS)
    labels = _checked(member, sources, target)
    with_source = _images(labels)
    before = _images([target])
    after = _images([*labels, target])
    known = {label.pk: label for label in member.job.labels.filter(pk__in=[*labels, target])}
    return MergePreview(
        sources=[known[pk] for pk in labels],
        target=known[target],
        only_source=after - before,
        both=with_source + before - after,
        before=before,
        after=after,
    )


def merge_labels(member: Member, sources: Iterable[int], target: int) -> LabelResult:
    """An image that carries several of them keeps one. One change; above MOST_AT_ONCE a run."""
    require(member, Ability.MANAGE_LABELS)
    labels = _checked(member, sources, target)
    known = {label.pk: label.name for label in member.job.labels.filter(pk__in=[*labels, target])}
    params = {
        "does": MERGE,
        "labels": labels,
        "names": [known[pk] for pk in labels],
        "target": target,
        "into": known[target],
    }
    return remove(member, params, verb=Verb.MERGE_LABELS)


def merged_text(params: dict) -> str:
    """“a” and “b” into “c”: what a merge does, in words."""
    return _("Merged %(names)s into “%(target)s”.") % {
        "names": listed(params["names"]),
        "target": params["into"],
    }


def _checked(member: Member, sources: Iterable[int], target: int) -> list[int]:
    labels = [pk for pk in dict.fromkeys(sources) if pk != target]
    if not labels:
        raise DomainError(_("Choose another label to merge into."), code="labels")
    known = set(member.job.labels.filter(pk__in=[*labels, target]).values_list("pk", flat=True))
    if not known.issuperset([*labels, target]):
        raise gone()
    return labels


def _images(labels: list[int]) -> int:
    found = carriers(labels).filter(sample__trashed_at=None)
    return found.order_by().values("sample").distinct().count()

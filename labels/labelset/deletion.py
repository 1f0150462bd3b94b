"""Deletes labels: alone, with the images that carry nothing else, or with the files of those."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from annotators.access import require
from annotators.models import Member
from annotators.roles import Ability
from jobs import deletions
from jobs.models import Sample, Verb
from jobs.selection import Selection
from labelhub.errors import DomainError
from labels.labelset.changes import LabelResult, gone, listed, refuse_while_busy
from labels.labelset.removal import DELETE, carriers, remove
from labels.models import Annotation, Label


class Policy(StrEnum):
    # Images that carry nothing else become unlabeled.
    LABEL = "label"
    # They go into the trash; their files stay.
    IMAGES = "images"
    # Their source files are deleted, which cannot be undone.
    FILES = "files"


_ABILITIES = {
    Policy.LABEL: Ability.MANAGE_LABELS,
    Policy.IMAGES: Ability.DELETE_IMAGES,
    Policy.FILES: Ability.DELETE_FILES,
}


@dataclass(frozen=True)
class DeletionPreview:
    """Images, without those in the trash: with any of the labels, and with nothing else."""

    labels: list[Label]
    images: int
    only: int

    @property
    def others(self) -> int:
        return self.images - self.only


def policies(member: Member) -> list[Policy]:
    """Those that the member may choose."""
    return [
        policy
        for policy, ability in _ABILITIES.items()
        if member.can(ability) and (policy != Policy.FILES or deletions.obstacle(member) is None)
    ]


def preview_deletion(member: Member, label_ids: Iterable[int]) -> DeletionPreview:
    """Writes nothing."""
    require(member, Ability.MANAGE_LABELS)
    labels = _labels(member, label_ids)
    found = carriers([label.pk for label in labels]).filter(sample__trashed_at=None)
    return DeletionPreview(
        labels=labels,
        images=found.order_by().values("sample").distinct().count(),
        only=_only(member, labels).count(),
    )


def delete_labels(member: Member, label_ids: Iterable[int], *, policy: Policy) -> LabelResult:
    """One change; above MOST_AT_ONCE images a run. Files are deleted by a run of their own, first
    asked for, so that a storage that refuses leaves everything as it is."""
    require(member, Ability.MANAGE_LABELS)
    require(member, _ABILITIES[policy])
    labels = _labels(member, label_ids)
    refuse_while_busy(member.job)
    if policy == Policy.FILES:
        only = tuple(_only(member, labels).order_by("pk").values_list("pk", flat=True))
        if only:
            deletions.start_deletion(member, Selection(ids=only, expected=len(only)))
    params = {
        "does": DELETE,
        "labels": [label.pk for label in labels],
        "names": [label.name for label in labels],
        # What is left of those images until their files are gone is unlabeled, not in the trash:
        # one whose file could not be deleted stays where people see it.
        "policy": Policy.IMAGES if policy == Policy.IMAGES else Policy.LABEL,
    }
    if policy == Policy.FILES:
        params["deletes_files"] = True
    return remove(member, params, verb=Verb.DELETE_LABELS)


def deleted_text(params: dict) -> str:
    return _("Deleted %(names)s.") % {"names": listed(params["names"])}


def _labels(member: Member, label_ids: Iterable[int]) -> list[Label]:
    wanted = list(dict.fromkeys(label_ids))
    found = list(member.job.labels.filter(pk__in=wanted))
    if not wanted:
        raise DomainError(_("Choose labels first."), code="labels")
    if len(found) < len(wanted):
        raise gone()
    return found


def _only(member: Member, labels: list[Label]) -> QuerySet[Sample]:
    """The images, without those in the trash, that carry these labels and no other."""
    ids = [label.pk for label in labels]
    other = Annotation.objects.filter(sample=OuterRef("pk")).exclude(label__in=ids)
    carrying = carriers(ids).order_by().values("sample")
    return member.job.samples.filter(~Exists(other), pk__in=carrying)

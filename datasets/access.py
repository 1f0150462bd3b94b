"""The gate of storages and datasets, as annotators/access.py is that of jobs.

A storage is its owner's and the administrators'; for anybody else it is not there. A dataset is
shown to who made it, to the owner of its storage, to administrators, and to those who may add data
to a job over it.
"""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from annotators.models import User
from annotators.roles import ABILITIES, Ability
from datasets.models import Dataset, Storage, StorageKind

UPLOADS = "uploads"
_ADDING_ROLES = [role for role, abilities in ABILITIES.items() if Ability.ADD_DATA in abilities]


def storages_of(user: User) -> QuerySet[Storage]:
    """Without the folder that LabelHub itself keeps for uploads: that is nobody's to change."""
    if not user.is_authenticated:
        return Storage.objects.none()
    rows = Storage.objects.exclude(
        kind=StorageKind.LOCAL, root=str(settings.DATA_DIR / UPLOADS)
    ).select_related("owner")
    return rows if user.is_superuser else rows.filter(owner=user)


def datasets_of(user: User) -> QuerySet[Dataset]:
    if not user.is_authenticated:
        return Dataset.objects.none()
    rows = Dataset.objects.select_related("storage")
    if user.is_superuser:
        return rows
    # One filter: the role has to be that of this person.
    added_to = Dataset.objects.filter(
        jobs__members__user=user, jobs__members__role__in=_ADDING_ROLES
    )
    return rows.filter(
        Q(created_by=user) | Q(storage__owner=user) | Q(pk__in=added_to.values("pk"))
    )


def storage_or_404(user: User, storage_id: int) -> Storage:
    found = storages_of(user).filter(pk=storage_id).first()
    if found is None:
        raise Http404
    return found


def dataset_or_404(user: User, dataset_id: int) -> Dataset:
    found = datasets_of(user).filter(pk=dataset_id).first()
    if found is None:
        raise Http404
    return found


def may_connect(user: User) -> bool:
    return user.is_authenticated and (user.can_create_jobs or user.is_superuser)


def require_connect(user: User) -> None:
    if not may_connect(user):
        raise PermissionDenied(_("You may not connect storages. Ask the administrator."))


def may_open_for_writing(user: User, kind: str) -> bool:
    """Whether a test that this person asks for may find that a storage can be written.

    Buckets are theirs who have the keys. Folders of the server are not: whoever may write anywhere
    below its allowed folders could put programs there.
    """
    return kind != StorageKind.LOCAL or user.is_superuser


def may_delete_files(user: User, dataset: Dataset) -> bool:
    """Owning a job over a dataset is not enough: whoever sees a dataset can make a job over it."""
    makers = (dataset.created_by_id, dataset.storage.owner_id)
    return user.is_superuser or user.pk in makers

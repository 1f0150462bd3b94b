"""Whether the files of a storage may be deleted: what its last test found, and a new test."""

from django.utils import timezone

from annotators.models import User
from datasets.models import Storage, StorageKind
from datasets.storages import StorageError
from datasets.storages.checkup import Checkup, Result, Step, check_storage

# Answers that are a rule of the storage. Any other, a network that fails say, tells nothing.
_REFUSALS = frozenset({"write-denied", "delete-denied", "read-only"})


def allows_deletion(storage: Storage) -> bool | None:
    """None: nobody tried. What people uploaded to LabelHub lies in a folder of its own."""
    return True if storage.is_upload_area else storage.can_delete


def may_test(storage: Storage, user: User) -> bool:
    """A test opens a storage for writing. Buckets are theirs who gave the keys; folders of the
    server are the administrator's."""
    if user.is_superuser:
        return True
    return storage.kind != StorageKind.LOCAL and storage.owner_id == user.pk


def check_storage_now(storage: Storage) -> Checkup:
    """Tests the storage, outside of any transaction, and keeps what was found."""
    try:
        checkup = check_storage(storage.driver())
    except StorageError as error:
        failed = Result(Step.LIST, problem=error.code, params={"item": error.item, **error.params})
        rest = (Result(step, tried=False) for step in Step if step != Step.LIST)
        checkup = Checkup((failed, *rest))
    storage.checked_at = timezone.now()
    storage.can_write = _allowed(checkup, Step.WRITE)
    storage.can_delete = _allowed(checkup, Step.DELETE)
    storage.check_results = [
        {
            "step": result.step.value,
            "tried": result.tried,
            "problem": result.problem,
            "params": {name: str(value) for name, value in result.params.items()},
        }
        for result in checkup.results
    ]
    fields = ["checked_at", "can_write", "can_delete", "check_results"]
    storage.save(update_fields=fields)
    return checkup


def _allowed(checkup: Checkup, step: Step) -> bool | None:
    if checkup[step].passed:
        return True
    # Where nothing can be written there is nothing to try deleting with: not allowed either.
    problem = checkup[step].problem or checkup[Step.WRITE].problem
    return False if problem in _REFUSALS else None

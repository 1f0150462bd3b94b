"""Tests the connection to a storage, and keeps what was found: what may be written and deleted.

Nothing here holds a transaction while it waits for the storage.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotators.models import User
from datasets import problems
from datasets.access import may_open_for_writing
from datasets.models import Storage, StorageKind
from datasets.storages import Storage as Driver
from datasets.storages import StorageError
from datasets.storages.checkup import Checkup, Result, Step, check_storage, failed

# Somebody waits for the answer: fewer attempts than in the background.
_ATTEMPTS = 2
_READ_SECONDS = 15

_STEP_NAMES = {
    Step.LIST: gettext_lazy("List the files"),
    Step.WRITE: gettext_lazy("Write a test file"),
    Step.READ: gettext_lazy("Read a file"),
    Step.DELETE: gettext_lazy("Delete the test file"),
}
_WHERE = ("kind", "root", "endpoint", "region", "bucket", "prefix", "addressing", "credentials")
_FOUND = ("checked_at", "can_write", "can_delete", "check_results")


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step for people. `state` is passed, failed or untried; `message` what to do."""

    step: str
    name: str
    state: str
    message: str = ""


def quick_driver(storage: Storage) -> Driver:
    """The driver for requests of pages, which give up sooner. Raises StorageError."""
    if storage.kind == StorageKind.LOCAL:
        return storage.driver()
    connection = replace(storage.connection(), attempts=_ATTEMPTS, read_seconds=_READ_SECONDS)
    return connection.storage()


def try_connection(storage: Storage, *, by: User) -> Checkup:
    """Tries the storage, saved or not, and stores nothing."""
    try:
        driver = quick_driver(storage)
    except StorageError as error:
        return failed(Result(Step.LIST, problem=error.code, params={"item": error.item}))
    return check_storage(driver, writes=may_open_for_writing(by, storage.kind))


def check_storage_now(storage: Storage, *, by: User) -> Checkup:
    """Tests the connection and remembers what the storage allows."""
    checkup = try_connection(storage, by=by)
    note(storage, checkup, by=by)
    # What was changed meanwhile was not tested: then nothing is kept.
    same = Storage.objects.filter(
        pk=storage.pk, **{name: getattr(storage, name) for name in _WHERE}
    )
    same.update(**{name: getattr(storage, name) for name in _FOUND})
    return checkup


def note(storage: Storage, checkup: Checkup, *, by: User) -> None:
    """Writes what was found on the row, without saving it."""
    storage.checked_at = timezone.now()
    storage.check_results = as_json(checkup)
    if may_open_for_writing(by, storage.kind):
        storage.can_write = checkup.allows(Step.WRITE)
        storage.can_delete = checkup.allows(Step.DELETE)


def forget(storage: Storage) -> None:
    """For a storage that is another one now."""
    storage.checked_at = storage.can_write = storage.can_delete = None
    storage.check_results = []


def as_json(checkup: Checkup) -> list[dict[str, Any]]:
    return [
        {
            "step": result.step.value,
            "tried": result.tried,
            "problem": result.problem,
            "params": {name: _plain(value) for name, value in result.params.items()},
        }
        for result in checkup.results
    ]


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | bool) else str(value)


def rows(results: Iterable[Mapping[str, Any]]) -> list[StepRow]:
    """The results of a test, in words."""
    return [_row(result) for result in results]


def _row(result: Mapping[str, Any]) -> StepRow:
    step, problem, params = Step(result["step"]), result["problem"], result["params"]
    name = str(_STEP_NAMES[step])
    if not result["tried"]:
        return StepRow(step.value, name, "untried")
    if not problem:
        return StepRow(step.value, name, "passed")
    message = problems.describe(problem, params)
    if step == Step.DELETE and params.get("item"):
        left = _("The test file was left behind: %(name)s.") % {"name": params["item"]}
        message = f"{problems.describe(problem, {**params, 'item': ''})} {left}"
    return StepRow(step.value, name, "failed", message)

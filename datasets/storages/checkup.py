"""Tries a storage out before people rely on it: list, write, read and delete a test file.

A storage that only lets itself be read is accepted; what it does not allow is told.
"""

import io
import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from datasets.problems import describe
from datasets.storages import DeleteResult, Denied, Entry, Storage, StorageError

# Hidden from listings by its name, so no dataset takes it for an image.
_PROBE = ".labelhub-probe-"
# Enough objects to find one that can be read, beside folders and what cannot be opened.
_LOOKED_AT = 50
# Answers that are a rule of the storage; after any other the test has to be done again.
_REFUSALS = frozenset({"", "write-denied", "delete-denied", "read-only"})


class Step(StrEnum):
    """What a storage is asked to do."""

    LIST = "list"
    WRITE = "write"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Result:
    """How one step went. One that was not tried says nothing about the storage."""

    step: Step
    tried: bool = True
    problem: str = ""
    params: Mapping[str, object] = field(default_factory=dict, compare=False)

    @property
    def passed(self) -> bool:
        return self.tried and not self.problem

    def __str__(self) -> str:
        return describe(self.problem, self.params) if self.problem else ""


_UNTRIED_DELETE = Result(Step.DELETE, tried=False)


@dataclass(frozen=True, slots=True)
class Checkup:
    """A result for each step, in the order in which they were tried.

    `left_behind` is the key of the test file where it could not be deleted.
    """

    results: tuple[Result, ...]
    left_behind: str = ""

    def __getitem__(self, step: Step) -> Result:
        for result in self.results:
            if result.step == step:
                return result
        raise KeyError(step)

    @property
    def is_usable(self) -> bool:
        """It can be listed, read as far as there was something to read, and it is known what else
        it allows."""
        return (
            self[Step.LIST].passed
            and not self[Step.READ].problem
            and self[Step.WRITE].problem in _REFUSALS
            and self[Step.DELETE].problem in _REFUSALS
        )

    def allows(self, step: Step) -> bool | None:
        """None: not tried, or something else went wrong, so nobody knows.

        Where nothing can be written there is nothing to try deleting with: that is not allowed
        either.
        """
        result = self[step]
        if step == Step.DELETE and not result.tried:
            result = self[Step.WRITE]
        if not result.tried:
            return None
        return result.passed or (None if result.problem not in _REFUSALS else False)

    @property
    def can_write(self) -> bool:
        return self[Step.WRITE].passed

    @property
    def can_delete(self) -> bool:
        return self[Step.DELETE].passed

    @property
    def failures(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.problem)


def check_storage(storage: Storage, *, prefix: str = "", writes: bool = True) -> Checkup:
    """Tries every step below `prefix`; leaves nothing behind where it may delete.

    Without `writes` it only looks.
    """
    first, listed = _tried(Step.LIST, lambda: _first_readable(storage, prefix))
    if not listed.passed:
        return failed(listed)
    if not writes:
        untried = Result(Step.WRITE, tried=False)
        return Checkup((listed, untried, _read_one(storage, first), _UNTRIED_DELETE))
    key, content = f"{prefix}{_PROBE}{secrets.token_hex(8)}", secrets.token_bytes(64)
    _, written = _tried(
        Step.WRITE, lambda: storage.put(key, io.BytesIO(content), size=len(content))
    )
    if written.passed:
        _, read = _tried(Step.READ, lambda: _compare(storage, key, content))
        _, deleted = _tried(Step.DELETE, lambda: _delete(storage, key))
        left = "" if deleted.passed else key
        return Checkup((listed, written, read, deleted), left_behind=left)
    return Checkup((listed, written, _read_one(storage, first), _UNTRIED_DELETE))


def failed(listed: Result) -> Checkup:
    """Where the first step failed the others make no sense."""
    rest = (Result(step, tried=False) for step in Step if step != Step.LIST)
    return Checkup((listed, *rest))


def _read_one(storage: Storage, entry: Entry | None) -> Result:
    if entry is None:
        return Result(Step.READ, tried=False)
    return _tried(Step.READ, lambda: _read_start(storage, entry.key))[1]


def _tried(step: Step, attempt: Callable[[], Entry | None]) -> tuple[Entry | None, Result]:
    try:
        return attempt(), Result(step)
    except StorageError as error:
        params = {"item": error.item, **error.params}
        return None, Result(step, problem=error.code, params=params)


def _first_readable(storage: Storage, prefix: str) -> Entry | None:
    found = islice(storage.list(prefix), _LOOKED_AT)
    return next((entry for entry in found if not entry.problem), None)


def _compare(storage: Storage, key: str, content: bytes) -> None:
    with closing(storage.open(key)) as stream:
        if stream.read() != content:
            raise StorageError(key, code="probe-differs")


def _read_start(storage: Storage, key: str) -> None:
    with closing(storage.open(key, length=1)) as stream:
        stream.read()


def _delete(storage: Storage, key: str) -> None:
    result: DeleteResult = next(iter(storage.delete([key])))
    if result.problem:
        raise Denied(key, code=result.problem, **result.params)

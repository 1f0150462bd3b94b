"""What a kind of run consists of. Apps register theirs; the engine knows no other thing of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from runs.models import Problem, Run

# As the first number of a kind's pieces: they are done when no run of another kind has any.
BEHIND_ALL = 1_000_000_000


@dataclass(frozen=True)
class Piece:
    """The payload of a chunk to be and the number of items in it."""

    payload: dict[str, Any]
    size: int


@dataclass
class Outcome:
    """What one chunk did: numbers to add to the run's counts, and items that failed."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Hopeless(Exception):
    """Trying again would not help; the problem says why to those who read the run."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.item}: {problem.code}")
        self.problem = problem


class Heartbeat:
    """Handed to slow work: `beat()` says that it goes on and stops it when it should not."""

    def beat(self, done: int | None = None) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Kind:
    """A run is planned once, then each piece is prepared and applied.

    plan(run) yields the pieces. prepare(run, payload, heartbeat) does the slow part and writes no
    row. apply(run, prepared) writes what was prepared, inside the transaction that ends the chunk:
    so a chunk that is done twice is written once. finish(run) runs in the transaction that ends
    the run. Pieces are numbered from `first_number` on, and low numbers are done first.

    `writes_what_began`: what prepare does cannot be taken back (it deletes files, say), so a chunk
    that is at work when the run is cancelled is done to its end, and written.
    """

    name: str
    plan: Callable[[Run], Iterable[Piece | Problem]]
    prepare: Callable[[Run, dict[str, Any], Heartbeat], Any]
    apply: Callable[[Run, Any], Outcome]
    finish: Callable[[Run], None] = lambda run: None
    first_number: int = 1
    writes_what_began: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def kind_of(run: Run) -> Kind:
    return _kinds[run.kind]

"""The rule of labeling: what becomes of an image that somebody labels in a certain way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from jobs.models import Mode, SampleState
from labelhub.errors import DomainError


@dataclass(frozen=True)
class Outcome:
    """What becomes of one sample: labels that go and come, and its state."""

    gone: frozenset[int]
    new: tuple[int, ...]
    state: str


@dataclass(frozen=True)
class Labeling:
    """What is asked for, as a rule that says what becomes of each sample.

    `nothing`: labeled, with no label. `replace`: another label where the first one is carried.
    `exact`: the labels in `add` and no others.
    """

    mode: str
    add: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()
    clear: bool = False
    nothing: bool = False
    replace: tuple[int, int] | None = None
    exact: bool = False

    def check(self) -> None:
        asked = [self.add or self.remove, self.clear, self.nothing, self.replace, self.exact]
        if not any(asked):
            raise DomainError(_("Say which labels to add or to remove."), code="labels")
        if (self.nothing or self.replace) and sum(map(bool, asked)) > 1:
            raise DomainError(
                _("“Nothing applies” and replacing a label go with nothing else."), code="labels"
            )
        if self.replace and self.replace[0] == self.replace[1]:
            raise DomainError(_("Choose another label to put in its place."), code="labels")
        if self.mode == Mode.SINGLE and len(self.add) > 1:
            raise DomainError(_("Images of this job carry one label each."), code="single")

    @property
    def labels(self) -> set[int]:
        return {*self.add, *self.remove, *(self.replace or ())}

    @property
    def overwrites(self) -> bool:
        """Labels may go that nobody named: then it has to be the images that were seen."""
        return self.clear or self.nothing or (self.mode == Mode.SINGLE and bool(self.add))

    def outcome(self, has: Iterable[int], state: str) -> Outcome | None:
        """None where nothing would change."""
        has = set(has)
        add = self.add
        if self.replace:
            if self.replace[0] not in has:
                return None
            add, gone = self.replace[1:], {self.replace[0]}
        else:
            gone = has if self.clear or self.nothing or self.exact else has & set(self.remove)
        if self.mode == Mode.SINGLE and add:
            gone = has
        gone = gone - set(add)
        new = tuple(label for label in add if label not in has)
        after = self._state(state, len(has) - len(gone) + len(new), bool(gone or new))
        return Outcome(frozenset(gone), new, after) if gone or new or after != state else None

    def _state(self, before: str, left: int, is_changed: bool) -> str:
        if left or self.nothing:
            return SampleState.LABELED
        takes_back = (self.clear or self.exact) and before == SampleState.LABELED
        return SampleState.UNLABELED if is_changed or takes_back else before

    def told(self, names: Mapping[int, str]) -> dict[str, Any]:
        """What the history needs to say it in words: for each label its id and present name."""

        def pairs(labels: Iterable[int]) -> list[list[Any]]:
            return [[label, names[label]] for label in labels if label in names]

        said = {
            "set" if self.exact else "add": pairs(self.add),
            "remove": pairs(self.remove),
            "replace": pairs(self.replace or ()),
            "clear": self.clear,
            "nothing": self.nothing,
        }
        return {name: value for name, value in said.items() if value or name == "set"}

    def removed(self) -> Q | None:
        """Which annotations go from a sample that changes, or None where none can."""
        if self.replace and self.mode == Mode.MULTI:
            return Q(label=self.replace[0])
        stay = self.replace[1:] if self.replace else self.add
        takes_all = self.clear or self.nothing or self.exact
        if takes_all or (self.mode == Mode.SINGLE and stay):
            return ~Q(label__in=stay)
        gone = set(self.remove) - set(self.add)
        return Q(label__in=gone) if gone else None

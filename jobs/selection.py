"""What a command acts on: some ids, or all that a query finds except some ids.

A request that names neither is refused; "nothing given" never means "all".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs.filters import filter_samples
from jobs.models import Job, Sample, SampleQuerySet
from labelhub.errors import Conflict, DomainError

# More would keep a request, and with SQLite every writer, waiting.
MOST_AT_ONCE = 5_000


@dataclass(frozen=True)
class Selection:
    """`ids`, or `query` (a query string of filters) minus `excluded` up to the sample `through`.

    `through` is the highest id when the page was rendered, so that images that came later are
    not taken by surprise; `expected` is the number that the person saw.
    """

    ids: tuple[int, ...] = ()
    query: str | None = None
    excluded: tuple[int, ...] = ()
    expected: int | None = None
    through: int | None = None

    def resolve(self, job: Job) -> SampleQuerySet:
        """The samples of this job; called inside the transaction that acts on them."""
        if self.query is None:
            found = job.samples.filter(pk__in=self.ids)
        else:
            found, form = filter_samples(job, QueryDict(self.query))
            if not form.is_valid():
                raise DomainError(_("The filter of this selection is not valid."), code="query")
            if self.through is not None:
                found = found.filter(pk__lte=self.through)
            found = found.exclude(pk__in=self.excluded)
        return found.order_by("pk")

    def resolve_trash(self, job: Job) -> SampleQuerySet:
        """What can be restored of it: the trash has no filters, an empty query is all of it."""
        found = Sample.everything.filter(job=job).restorable()
        if self.query is None:
            return found.filter(pk__in=self.ids).order_by("pk")
        if self.query:
            raise DomainError(_("The filter of this selection is not valid."), code="query")
        if self.through is not None:
            found = found.filter(pk__lte=self.through)
        return found.exclude(pk__in=self.excluded).order_by("pk")

    def check_expected(self, job: Job) -> None:
        """For commands that cannot be repeated: 409 when the number is no longer what was seen."""
        if self.expected is not None:
            self.check_number(self.resolve(job).count())

    def check_number(self, now: int) -> None:
        """The same for who has counted already."""
        if now != self.expected:
            raise Conflict(
                _("%(expected)d images were selected, now there are %(now)d. Select again.")
                % {"expected": self.expected, "now": now},
                code="selection",
                count=now,
            )


def parse(data: Mapping[str, Any]) -> Selection:
    """Reads a selection from the JSON of a request: `ids`, or `query` with `except`, `expected`
    and `through`."""
    if not isinstance(data, Mapping):
        raise DomainError(_("Say which images: either ids or a query."), code="selection")
    ids, query = data.get("ids"), data.get("query")
    if (ids is None) == (query is None):
        raise DomainError(_("Say which images: either ids or a query."), code="selection")
    if query is not None and not isinstance(query, str):
        raise DomainError(_("A query is a text."), code="selection")
    return Selection(
        ids=_ids(ids if ids is not None else [], "ids"),
        query=query,
        excluded=_ids(data.get("except", []), "except"),
        expected=_number(data.get("expected"), "expected"),
        through=_number(data.get("through"), "through"),
    )


def _ids(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise DomainError(_("“%(name)s” is a list of numbers.") % {"name": name}, code="selection")
    if len(value) > MOST_AT_ONCE:
        raise DomainError(too_many(), code="too_many")
    return tuple(dict.fromkeys(value))


def _number(value: Any, name: str) -> int | None:
    if value is not None and type(value) is not int:
        raise DomainError(_("“%(name)s” is a number.") % {"name": name}, code="selection")
    return value


def too_many() -> str:
    return ngettext(
        "Select at most %(most)d image at once.",
        "Select at most %(most)d images at once.",
        MOST_AT_ONCE,
    ) % {"most": MOST_AT_ONCE}

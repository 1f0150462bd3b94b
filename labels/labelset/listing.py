"""A page of the label list, as the page of labels shows it. Of thousands of labels it reads the
ids and keys, and all else of those on the page alone."""

from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from jobs.counters import label_key
from jobs.models import Change, Counter, Job
from labels.keys import keys_in_order
from labels.labelset.changes import running
from labels.models import Label
from runs.models import Run

LABELS_ON_PAGE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """`place` is its index in the whole list; `is_going`: it is being merged or deleted."""

    label: Label
    key: str
    count: int
    place: int
    is_going: bool


@dataclass(frozen=True)
class Listing:
    """`number`: of labels in the job; `found`: of those that match the search."""

    rows: list[Row]
    search: str
    page: int
    pages: int
    number: int
    found: int
    run: Run | None

    @property
    def query(self) -> str:
        """What leads back to this page of the list, with its question mark."""
        return self.query_of(self.page)

    def query_of(self, page: int) -> str:
        given = {"q": self.search, "page": page if page > 1 else ""}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"?{query}" if query else ""

    @property
    def previous_query(self) -> str | None:
        return (self.query_of(self.page - 1) or "?") if self.page > 1 else None

    @property
    def next_query(self) -> str | None:
        return self.query_of(self.page + 1) if self.page < self.pages else None


def read_listing(job: Job, *, search: str = "", page: int = 1) -> Listing:
    known = list(job.labels.values_list("pk", "key"))
    keys = keys_in_order(SimpleNamespace(key=key) for _pk, key in known)
    places = {pk: place for place, (pk, _key) in enumerate(known)}
    matching = matches(job, search)
    found = matching.count() if search else len(known)
    pages = max(1, -(-found // LABELS_ON_PAGE))
    page = min(max(page, 1), pages)
    start = (page - 1) * LABELS_ON_PAGE
    labels = list(matching[start : start + LABELS_ON_PAGE])
    counts = _counts(job, labels)
    run = running(job)
    going = _going(run)
    rows = [
        Row(label, keys[place], counts.get(label_key(label.pk), 0), place, label.pk in going)
        for label in labels
        # One that was added since the keys were read comes with the next look.
        if (place := places.get(label.pk)) is not None
    ]
    return Listing(rows, search, page, pages, len(known), found, run)


def matches(job: Job, search: str) -> QuerySet[Label]:
    """The labels with the text in their name or description."""
    if not search:
        return job.labels.all()
    return job.labels.filter(Q(name__icontains=search) | Q(description__icontains=search))


def _counts(job: Job, labels: list[Label]) -> dict[str, int]:
    keys = [label_key(label.pk) for label in labels]
    return dict(Counter.objects.filter(job=job, key__in=keys).values_list("key", "value"))


def _going(run: Run | None) -> set[int]:
    """The labels that the run takes away; one that brings labels back takes none."""
    if run is None:
        return set()
    change = Change.objects.get(pk=run.params["change"])
    return set(change.params["labels"])

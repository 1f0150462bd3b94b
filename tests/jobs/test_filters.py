"""Filters and orders: what each of them finds, alone and together, and pages through it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.http import QueryDict
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from datasets.models import Image
from jobs import counters, pages
from jobs.filters import filter_samples
from jobs.models import Job, Sample, SampleState
from jobs.plans import Total
from jobs.sorting import SORTS
from labels.models import Annotation
from tests import make, people

DAY = timedelta(days=1)
PATHS = ["IMG_1.jpg", "a/img_2.jpg", "a/cat.jpg", "a/b/Img_3.jpg", "a-b/cat_4.jpg", "b/%_x.jpg"]
SCORES = [None, 0.0, 0.29, 0.5, 0.58, 1.0]
NAMES = ["cat", "dog", "tabby"]
SPLITS = ["", "train", "val"]
PROBLEMS = ["", "truncated", "missing"]


@dataclass
class Row:
    """A sample in plain Python."""

    path: str
    at: int
    labels: list[str] = field(default_factory=list)
    is_hard: bool = False
    score: float | None = None
    name: str = ""
    split: str = ""
    problem: str = ""
    days_ago: int | None = None
    added: int = 0
    by: int | None = None
    is_trashed: bool = False
    is_confirmed: bool = True
    pk: int = 0

    @property
    def state(self) -> str:
        if self.labels:
            return SampleState.LABELED
        return SampleState.UNLABELED if self.is_confirmed else SampleState.TO_CONFIRM

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def base(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def last_at(self) -> datetime | None:
        return None if self.days_ago is None else NOON - self.days_ago * DAY


# So that a day more or less is never a matter of the hour.
NOON = timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def day(ago: int) -> str:
    return (NOON - ago * DAY).date().isoformat()


def store(job: Job, rows: list[Row], users: list) -> None:
    """The rows as samples of the job, in their order, with counters that agree."""
    labels = {label.name: label for label in job.labels.all()}
    for row in rows:
        image = Image.objects.create(
            dataset=job.dataset,
            path=row.path,
            size=1,
            etag=row.path,
            modified_at=NOON,
            width=1,
            height=1,
            format="JPEG",
            problem="" if row.problem == "missing" else row.problem,
            missing_since=NOON if row.problem == "missing" else None,
        )
        row.pk = Sample.everything.create(
            job=job,
            image=image,
            path=row.path,
            state=row.state,
            label_count=len(row.labels),
            last_at=row.last_at,
            last_by=None if row.by is None else users[row.by],
            is_hard=row.is_hard,
            top_score=row.score,
            top_name=row.name,
            split=row.split,
            added_at=NOON - row.added * DAY,
            trashed_at=NOON if row.is_trashed else None,
        ).pk
        Annotation.objects.bulk_create(
            Annotation(sample_id=row.pk, label=labels[name]) for name in row.labels
        )
    counters.add(job, counters.count(job))


# A value of each filter, and what it means.
def _text(text: str, within):
    return lambda row: text.lower() in within(row).lower()


def choices(labels: dict[str, int], users: list) -> dict[str, list]:
    """Query strings and what they mean in Python: one of a group is asked for at a time."""
    cat, dog, cow = (labels[name] for name in ("cat", "dog", "cow"))
    return {
        "state": [
            (f"state={state}", lambda row, state=state: row.state == state)
            for state in SampleState.values
        ],
        "label": [
            (f"label={cat}", lambda row: "cat" in row.labels),
            (f"label={cat},{dog}", lambda row: bool({"cat", "dog"} & set(row.labels))),
            (f"label={cat}&label={dog}", lambda row: bool({"cat", "dog"} & set(row.labels))),
            (f"label={cat},{dog}&label_mode=all", lambda row: {"cat", "dog"} <= set(row.labels)),
            (f"label=-{cat}", lambda row: "cat" not in row.labels),
            (f"label={cat},-{cow}", lambda row: "cat" in row.labels and "cow" not in row.labels),
            (f"label=-{cat},-{cow}", lambda row: not {"cat", "cow"} & set(row.labels)),
            ("label=none", lambda row: not row.labels),
        ],
        "hard": [("hard=1", lambda row: row.is_hard), ("hard=0", lambda row: not row.is_hard)],
        "name": [
            (
                f"name={QueryDict.fromkeys(['x'], text).urlencode()[2:]}",
                _text(text, lambda row: row.base),
            )
            for text in ("img", "IMG_", "cat", "t.j", "_", "%", "a/", "xyz")
        ],
        "contains": [
            (f"contains={text}", _text(text, lambda row: row.path))
            for text in ("a/", "a/c", "img_", "B/", "a-b/cat", "zzz")
        ],
        "path": [
            ("path=a", lambda row: row.path.startswith("a/")),
            ("path=/a/", lambda row: row.path.startswith("a/")),
            ("path=a&exact=1", lambda row: row.folder == "a"),
            ("path=a/b", lambda row: row.path.startswith("a/b/")),
            ("exact=1", lambda row: row.folder == ""),
            ("path=A", lambda row: False),
        ],
        "by": [(f"by={user.pk}", lambda row, at=at: row.by == at) for at, user in enumerate(users)],
        "labeled": [
            (f"labeled_after={day(3)}", lambda row: _within(row.days_ago, 0, 3)),
            (f"labeled_before={day(3)}", lambda row: _within(row.days_ago, 3, 9999)),
            (
                f"labeled_after={day(5)}&labeled_before={day(2)}",
                lambda row: _within(row.days_ago, 2, 5),
            ),
            (f"labeled_after={day(3)}T13:00Z", lambda row: _within(row.days_ago, 0, 2)),
            (f"labeled_before={day(3)}T11:00Z", lambda row: _within(row.days_ago, 4, 9999)),
            (f"labeled_after={day(900)}", lambda row: _within(row.days_ago, 0, 900)),
            (f"labeled_after={day(1)}&labeled_before={day(2)}", lambda row: False),
        ],
        "added": [
            (f"added_after={day(2)}", lambda row: row.added <= 2),
            (f"added_before={day(2)}", lambda row: row.added >= 2),
        ],
        "score": [
            ("score_min=0.29", lambda row: _within(row.score, 0.29, 1)),
            ("score_max=0.58", lambda row: _within(row.score, 0, 0.58)),
            ("score_min=0.3&score_max=0.57", lambda row: _within(row.score, 0.3, 0.57)),
            ("score_min=1", lambda row: row.score == 1),
            ("score_min=0.6&score_max=0.2", lambda row: False),
        ],
        "predicted": [
            (f"predicted={name}", lambda row, name=name: row.name == name) for name in NAMES
        ],
        "agrees": [
            ("agrees=1", lambda row: bool(row.labels and row.name in row.labels)),
            ("agrees=0", lambda row: bool(row.labels and row.name) and row.name not in row.labels),
        ],
        "split": [
            ("split=train", lambda row: row.split == "train"),
            ("split=none", lambda row: row.split == ""),
        ],
        "problem": [
            ("problem=any", lambda row: row.problem != ""),
            ("problem=missing", lambda row: row.problem == "missing"),
            ("problem=truncated", lambda row: row.problem == "truncated"),
        ],
    }


def _within(value, least, most) -> bool:
    return value is not None and least <= value <= most


def in_order(rows: list[Row], name: str) -> list[int]:
    """The ids in an order, with the rows that have no value at its end."""
    sort = SORTS[name]
    if sort.column is None:
        return [row.pk for row in sorted(rows, key=lambda row: row.pk)]
    of = {"path": "path", "last_at": "last_at", "top_score": "score"}[sort.column]

    def key(row: Row):
        value = getattr(row, of)
        return (value.encode() if isinstance(value, str) else value), row.pk

    valued = [row for row in rows if getattr(row, of) is not None]
    valued.sort(key=key, reverse=sort.is_descending)
    rest = [row for row in rows if getattr(row, of) is None]
    rest.sort(key=lambda row: row.pk, reverse=sort.is_descending)
    return [row.pk for row in valued + rest]


def walked(job: Job, query: str, size: int) -> tuple[list[int], list[int]]:
    """The ids of all pages, forwards, and again backwards from the end."""
    place = pages.read_place(QueryDict(query))
    place = pages.Place(place.filters, size, place.sort)
    forwards, last = [], place
    while place is not None:
        page = pages.read_page(job, place)
        forwards += [row.pk for row in page.rows]
        last, place = place, page.next
    backwards, place = [], last
    while place is not None:
        page = pages.read_page(job, place)
        backwards = [row.pk for row in page.rows] + backwards
        place = page.previous
    return forwards, backwards


# What Python says, too ---------------------------------------------------------------------------
@st.composite
def jobs_of_rows(draw) -> list[Row]:
    number = draw(st.integers(0, 9))
    rows = []
    for at in range(number):
        labels = draw(st.lists(st.sampled_from(["cat", "dog", "cow"]), max_size=2, unique=True))
        score = draw(st.sampled_from(SCORES))
        folder, slash, base = draw(st.sampled_from(PATHS)).rpartition("/")
        rows.append(
            Row(
                path=f"{folder}{slash}{base}{at}",
                at=at,
                labels=labels,
                is_hard=draw(st.booleans()),
                score=score,
                name="" if score is None else draw(st.sampled_from(NAMES)),
                split=draw(st.sampled_from(SPLITS)),
                problem=draw(st.sampled_from(PROBLEMS)),
                days_ago=draw(st.sampled_from([None, 0, 2, 3, 4, 800])),
                added=draw(st.integers(0, 4)),
                by=draw(st.sampled_from([None, 0, 1])),
                is_trashed=draw(st.integers(0, 5)) == 0,
                is_confirmed=draw(st.booleans()),
            )
        )
    return rows


class FiltersAsPython(TestCase):
    @settings(
        max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(jobs_of_rows(), st.data())
    def test_any_filters_in_any_order_find_what_python_finds(self, rows, data):
        users = [people.alice(), people.bob()]
        job = make.job(owner=users[0], labels=("cat", "dog", "cow"))
        make.images(make.job(labels=()), 2)
        store(job, rows, users)
        groups = choices({label.name: label.pk for label in job.labels.all()}, users)
        for _round in range(3):
            chosen = data.draw(st.lists(st.sampled_from(sorted(groups)), max_size=3, unique=True))
            asked = [data.draw(st.sampled_from(groups[name])) for name in chosen]
            sort = data.draw(st.sampled_from(sorted(SORTS)))
            query = "&".join([*(one for one, _meaning in asked), f"sort={sort}"])
            wanted = [
                row
                for row in rows
                if not row.is_trashed and all(meaning(row) for _one, meaning in asked)
            ]

            forwards, backwards = walked(job, query, data.draw(st.sampled_from([1, 2, 100])))

            assert forwards == in_order(wanted, sort), query
            assert backwards == forwards, query
            found, form = filter_samples(job, QueryDict(query))
            assert form.is_valid(), form.errors
            assert sorted(found.values_list("pk", flat=True)) == sorted(forwards)
            total = pages.total(job, pages.read_place(QueryDict(query)), counters.read(job))
            assert total == Total(len(wanted)), query

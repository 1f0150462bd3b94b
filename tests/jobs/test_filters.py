"""Filters and orders: what each of them finds, alone and together, and pages through it."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from datasets.models import Image
from jobs import counters, pages, plans, sorting, text_index
from jobs.filters import canonical, filter_samples
from jobs.models import Job, Sample, SampleState
from jobs.plans import Total
from jobs.selection import Selection
from jobs.sorting import SORTS, Cursor, decode
from labels.annotate import annotate
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
        return sorted((row.pk for row in rows), reverse=sort.is_descending)
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


# What an address may say --------------------------------------------------------------------------
pytestmark = pytest.mark.django_db


@pytest.fixture
def job(alice):
    return make.job(owner=alice, labels=("cat", "dog", "cow"))


def found(job: Job, query: str) -> list[str]:
    samples, form = filter_samples(job, QueryDict(query))
    assert form.is_valid(), form.errors
    return [sample.path for sample in samples]


SENSELESS = [
    "state=lost",
    "label=cat",
    "label=1,,2",
    "label=1,none",
    "label=0",
    "label=" + ",".join(["1"] * 51),
    "label=" + "9" * 30,
    "label_mode=some",
    "hard=yes",
    "by=bob",
    "by=-1",
    "labeled_after=soon",
    "labeled_before=2026-02-30",
    "added_after=7x",
    "added_before=999999d",
    "score_min=2",
    "score_max=nan",
    "agrees=maybe",
    "split=half",
    "problem=ugly",
    "exact=0",
    "name=a%00b",
    "contains=" + "x" * 201,
]


@pytest.mark.parametrize("query", SENSELESS)
def test_what_makes_no_sense_finds_nothing_and_is_refused_by_the_api(query, job, alice):
    make.images(job, 2)
    client = make.client(alice)

    page = client.get(reverse("job", args=[job.pk]) + f"?{query}")
    answer = client.get(f"/api/jobs/{job.pk}/samples/?{query}")
    annotated = client.post(
        f"/api/jobs/{job.pk}/annotate/",
        {"query": query, "add": [job.labels.first().pk]},
        content_type="application/json",
    )

    assert page.status_code == 200
    assert page.context["tiles"] == []
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["message"] + str(answer.json())
    assert annotated.status_code == 400


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("label=5&label=3", "label=5,3"),
        ("label=5,-3&label_mode=any", "label=5,-3"),
        ("sort=path&size=50&cursor=x&hard=1&unknown=2&state=labeled", "state=labeled&hard=1"),
        ("path=a/b&name=&contains=a%26b", "path=a/b&contains=a%26b"),
    ],
)
def test_a_query_string_has_one_form(written, kept):
    assert canonical(QueryDict(written)) == kept
    assert canonical(QueryDict(kept)) == kept


def test_times_can_be_so_long_ago(job):
    samples = make.images(job, 3)
    for sample, ago in zip(samples, (timedelta(hours=1), 3 * DAY, 20 * DAY), strict=True):
        Sample.objects.filter(pk=sample.pk).update(last_at=timezone.now() - ago)

    assert len(found(job, "labeled_after=2h")) == 1
    assert len(found(job, "labeled_after=7d")) == 2
    assert len(found(job, "labeled_before=2w")) == 1
    assert len(walked(job, "labeled_after=7d", 100)[0]) == 2


def test_an_image_says_when_it_came_into_the_job(job):
    (sample,) = make.images(job, 1)

    assert timezone.now() - Sample.objects.get(pk=sample.pk).added_at < DAY
    assert len(walked(job, "added_after=1d", 100)[0]) == 1


def test_labels_of_another_job_find_nothing(job, alice):
    other = make.job(owner=alice)
    label = other.labels.first()
    chosen = Selection(ids=tuple(one.pk for one in make.images(other, 2)))
    annotate(make.membership(other, alice), chosen, add=[label.pk])
    make.images(job, 2)

    assert walked(job, f"label={label.pk}", 100) == ([], [])


# Orders and places -------------------------------------------------------------------------------
def test_every_order_is_walked_to_its_end_while_each_page_is_labeled(job, alice):
    """Rows leave "Unlabeled", and by "time" labeled ones move to the other end of the list."""
    member, cat = make.membership(job, alice), job.labels.first().pk
    for name in SORTS:
        samples = make.images(job, 12)
        for at, sample in enumerate(samples):
            Sample.objects.filter(pk=sample.pk).update(top_score=(None, 0.5, 0.7)[at % 3])
        place = pages.read_place(QueryDict(f"state=unlabeled&sort={name}"))
        place, seen = pages.Place(place.filters, 5, place.sort), []

        while place is not None:
            page = pages.read_page(job, place)
            ids = tuple(row.pk for row in page.rows)
            seen += ids
            if ids:
                annotate(member, Selection(ids=ids), add=[cat])
            place = page.next

        assert sorted(seen) == [sample.pk for sample in samples], name


def test_images_with_the_same_value_have_one_order(job):
    samples = make.images(job, 7)
    Sample.objects.update(top_score=0.5, last_at=NOON)

    for name in ("time", "score"):
        ids = [sample.pk for sample in samples]
        assert walked(job, f"sort={name}", 2) == (ids, ids)
        assert walked(job, f"sort=-{name}", 2) == (ids[::-1], ids[::-1])


def test_the_viewer_goes_on_from_the_place_that_an_image_had(job, alice):
    samples = make.images(job, 4)
    for at, sample in enumerate(samples):
        Sample.objects.filter(pk=sample.pk).update(last_at=NOON - at * DAY)
    client = make.client(alice)
    page = client.get(reverse("job", args=[job.pk]) + "?sort=-time")
    second = page.context["tiles"][1]
    assert second.pk == str(samples[1].pk)

    Sample.objects.filter(pk=samples[1].pk).update(last_at=NOON - 9 * DAY)
    response = client.get(second.href)

    shown = [response.context[name] for name in ("previous", "next")]
    path = "/jobs/{}/samples/{}/?sort=-time&cursor="
    assert shown[0].startswith(path.format(job.pk, samples[0].pk))
    assert shown[1].startswith(path.format(job.pk, samples[2].pk))


@pytest.mark.parametrize("name", [name for name in SORTS if name != "uncertain"])
def test_a_place_survives_its_text(name):
    sort = SORTS[name]
    values = {None: [None], "path": ["a/ü %", ""], "last_at": [NOON, None]}
    for value in values.get(sort.column, [0.1 + 0.2, None]):
        for is_before in (True, False):
            cursor = Cursor(sort, value, 7, is_before)
            assert decode(cursor.encode(), sort) == cursor


@pytest.mark.parametrize(
    "value", [[1, 0, None], ["1", 0, "a"], [1, 0, ["a"]], [-1, 0, "a"], [1, 0, "a\0"], {}, 3]
)
def test_a_text_that_is_no_place_is_none(value):
    raw = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    assert decode(raw, SORTS["path"]) is None


def test_the_api_refuses_an_order_and_a_place_that_are_none(job, alice):
    client = make.client(alice)
    address = f"/api/jobs/{job.pk}/samples/"

    assert client.get(f"{address}?sort=size").status_code == 400
    assert client.get(f"{address}?cursor=x").status_code == 400
    assert client.get(f"{address}?sort=-score&cursor=").status_code == 200


def test_the_api_pages_in_every_order(job, alice):
    ids = [sample.pk for sample in make.images(job, 5)]
    client, seen, cursor = make.client(alice), [], ""

    while cursor is not None:
        page = client.get(
            f"/api/jobs/{job.pk}/samples/", {"sort": "-path", "limit": 2, "cursor": cursor}
        ).json()
        seen += [sample["id"] for sample in page["results"]]
        cursor = page["next"]

    assert seen == ids[::-1]


def test_a_selection_by_query_ends_at_the_newest_image_that_was_seen(job):
    samples = make.images(job, 3)
    Sample.objects.update(is_hard=True)

    selected = Selection(query="hard=1&sort=-path", through=samples[1].pk).resolve(job)

    assert [sample.pk for sample in selected] == [samples[0].pk, samples[1].pk]


# Counting and statements -------------------------------------------------------------------------
def total(job: Job, query: str) -> Total:
    return pages.total(job, pages.read_place(QueryDict(query)), counters.read(job))


def test_counting_ends_where_it_would_take_long(job, monkeypatch):
    make.images(job, 30)
    Sample.objects.update(split="val")
    monkeypatch.setattr(plans, "MOST_COUNTED", 12)
    monkeypatch.setattr(plans, "MOST_CHECKED", 7)

    assert total(job, "") == Total(30)
    assert total(job, "state=unlabeled") == Total(30)
    assert total(job, "hard=0") == Total(30)
    assert total(job, "split=val") == Total(12, is_capped=True)
    assert total(job, "split=val&hard=0") == Total(7, is_capped=True)
    assert total(job, "split=val&state=labeled") == Total(0)


def test_a_set_that_is_too_large_does_not_lead(job, monkeypatch):
    samples = make.images(job, 30)
    Image.objects.update(problem="truncated")
    hard = [sample.pk for sample in samples[::5]]
    Sample.objects.filter(pk__in=hard).update(is_hard=True)
    small = found(job, "problem=any&hard=1"), total(job, "problem=any&hard=1")
    monkeypatch.setattr(plans, "MOST_IN_SET", 7)

    large = found(job, "problem=any&hard=1"), total(job, "problem=any&hard=1")

    assert small == large
    assert large[1] == Total(6)
    pages_of_it = walked(job, "problem=any&hard=1&sort=-path", 4)
    assert sorted(pages_of_it[0]) == hard


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Not here: PostgreSQL's planner")
def test_a_page_is_read_by_an_index_that_begins_with_the_job(job):
    """By the ids alone, all that other jobs have before would be read first."""
    make.images(make.job(name="Before"), 50)
    make.images(job, 5)
    plan = plans.Plan(job, [])

    ids = plan.ids(sorting.parts(sorting.ADDED, None)[0], 10)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {ids.sql}", ids.params)
        steps = "\n".join(step for (step,) in cursor.fetchall())

    assert "sample_live" in steps, steps
    assert "Sort" not in steps, steps


@pytest.mark.parametrize(
    ("counted", "shown"),
    [
        (Total(9876), "9,876"),
        (Total(10_000, is_capped=True), "10,000+"),
        (Total(1_567, is_capped=True), "1,500+"),
        (Total(57, is_capped=True), "57+"),
        (Total(0, is_capped=True), "0+"),
    ],
)
def test_a_number_that_is_not_exact_does_not_look_so(counted, shown):
    assert counted.shown == shown


def test_the_page_says_at_least_how_many_it_shows(job, alice, monkeypatch):
    make.images(job, 60)
    monkeypatch.setattr(plans, "MOST_CHECKED", 7)

    page = make.client(alice).get(reverse("job", args=[job.pk]) + "?size=50&split=none")

    assert page.context["found"] == Total(50, is_capped=True)
    assert b"50+ images" in page.content


# One statement more than a page without filters: the number of images that are found.
STATEMENTS = [
    ("", 6),
    ("state=unlabeled&sort=path", 6),
    ("sort=-time", 6),
    ("hard=0", 6),
    ("contains=image", 7),
    # Which folders are in it.
    ("path=a", 8),
    # Whose name it is.
    ("by=1", 8),
    ("score_min=0&sort=score", 7),
    ("labeled_after=7d", 7),
    ("problem=any", 7),
    # Which labels there are, and once in a while which names they had.
    ("hard=0&split=none&agrees=0", 8),
    ("state=unlabeled&contains=image&sort=-score", 7),
]


@pytest.mark.parametrize(("query", "most"), STATEMENTS)
def test_statements_of_a_page(query, most, job, alice, django_assert_max_num_queries):
    make.images(job, 60, folder="a/")
    Sample.objects.update(top_score=0.5, last_at=timezone.now())
    client = make.client(alice)
    # What is asked once for each process and hour: whether there is an index, what is rare in it.
    text_index.is_there()
    text_index.rarity(job, "image")

    with django_assert_max_num_queries(most):
        client.get(reverse("job", args=[job.pk]) + f"?size=50&{query}")


# The text index ----------------------------------------------------------------------------------
def test_many_folders_and_their_images_in_order(job):
    for number in range(8):
        make.images(job, 2, folder=f"a/f-{number % 4}/")
    ids = list(job.samples.order_by("pk").values_list("pk", flat=True))

    assert walked(job, "path=a", 3) == (ids, ids)
    assert walked(job, "contains=f-2/IMAGE", 3)[0] == found_ids(job, "path=a/f-2")


def found_ids(job: Job, query: str) -> list[int]:
    return list(filter_samples(job, QueryDict(query))[0].values_list("pk", flat=True))


def test_the_text_index_follows_renamed_and_deleted_images(job):
    samples = make.images(job, 3, folder="old/")
    Sample.everything.filter(pk=samples[0].pk).update(path="new/zebra.jpg")
    Sample.everything.filter(pk=samples[1].pk).delete()

    assert walked(job, "contains=zebra", 10)[0] == [samples[0].pk]
    assert walked(job, "contains=old/", 10)[0] == [samples[2].pk]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Not here: SQLite's tables alone")
def test_the_text_index_is_made_anew_where_a_migration_took_its_triggers(job):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER jobs_sample_text_insert")
    samples = make.images(job, 2, folder="unseen/")

    text_index.restore()

    assert walked(job, "contains=unseen", 10)[0] == [sample.pk for sample in samples]
    more = make.images(job, 1, folder="unseen/")
    assert len(walked(job, "contains=unseen", 10)[0]) == 2 + len(more)


def test_without_a_text_index_the_paths_are_read(job, monkeypatch):
    ids = [sample.pk for sample in make.images(job, 3)]
    monkeypatch.setattr(text_index, "is_there", lambda: False)

    assert walked(job, "name=image", 2) == (ids, ids)

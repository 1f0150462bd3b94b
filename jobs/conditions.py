"""What the filters mean: a condition on samples, and the index that finds them in order of ids.

`on` makes the condition, on samples or on what leads to them (prefix "sample__"). `stream`, where
there is one, is the other way round: it names values by which an index hands out the samples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, Value, When
from django.db.models.lookups import Exact

from datasets.models import Image
from jobs import counters, moments, text_index
from jobs.expressions import BaseName, Checked, Day, Finds, Folder, NotEmpty, Twentieth, of_job
from jobs.models import Job, Sample, SampleState

# A range of more days, or a folder with more folders inside, is not read value by value.
MOST_DAYS = 366
MOST_FOLDERS = 200


@dataclass(frozen=True)
class Stream:
    """Samples that have one of `values`, one index range for each value.

    `rows` are those with one value; `prefix` leads from them to the sample, `id` is its id there.
    Ordered by ids, unless it `is_set`: then all of it has to be read before the first is known.
    `holds_all`: the condition needs no look at the rows any more. `is_own`: only samples of the job
    and none of the trash are in it.
    """

    values: tuple[Any, ...]
    rows: Callable[[Any], QuerySet]
    prefix: str = ""
    id: str = "pk"
    is_set: bool = False
    holds_all: bool = True
    is_own: bool = True
    # Text tables are found by their own row numbers.
    seek: str = ""
    # Two values can name the same sample.
    repeats: bool = False
    # Its part of the job, where some samples told it, and whether it is all over the job; `of`: of
    # so many, where the index does not part the jobs.
    share: float | None = None
    is_spread: bool = False
    of: int | None = None


def samples_of(job: Job) -> QuerySet[Sample]:
    """What streams are made of: by an index that begins with the job."""
    return Sample.objects.filter(of_job(job.pk))


def _none(job: Job) -> Stream | None:  # noqa: ARG001
    return None


@dataclass(frozen=True)
class Condition:
    """`known` tells from the job's counters how many samples there are; `share` is a guess at the
    part of them, where no counter says it. `states`: where alone there are any; `is_state`: that is
    all. `orders` is the column of an order whose index this is a range of. `asks`: to know its
    stream, the database has to be asked. `checked` is the condition for looking it up row by row,
    where that is another; `beside`, where there is one, does so by what the sample's id is called,
    without the sample. `goes_with_ids`: those that meet it lie together in the order of ids."""

    on: Callable[[str], Any]
    share: float = 0.5
    known: Callable[[Mapping[str, int]], int] | None = None
    # Where `known` may count a sample twice: how many there are at least.
    least: Callable[[Mapping[str, int]], int] | None = None
    stream: Callable[[Job], Stream | None] = field(default=_none)
    states: tuple[str, ...] | None = None
    is_state: bool = False
    orders: str = ""
    asks: bool = False
    checked: Callable[[str], Any] | None = None
    beside: Callable[[str], Any] | None = None
    goes_with_ids: bool = False

    def check(self, at: str) -> Checked:
        return Checked((self.checked or self.on)(at))


def _with(column: str, *values: Any, bare: tuple[Any, ...] = (), **options: Any):
    """A stream of samples by a column or, as `column` of an expression, by what is indexed."""

    def stream(job: Job) -> Stream:
        rows = samples_of(job)
        return Stream(values, lambda value: rows.filter(*bare, **{column: value}), **options)

    return stream


def _related(name: str) -> type[Model]:
    return Sample._meta.get_field(name).related_model


# States, marks, people ---------------------------------------------------------------------------
def in_states(*states: str) -> Condition:
    return Condition(
        on=lambda at: Q(**{f"{at}state__in": states}),
        known=lambda counts: counters.number_of(counts, states),
        stream=_with("state", *states),
        states=states,
        is_state=True,
    )


def is_hard(wanted: bool) -> Condition:
    def known(counts: Mapping[str, int]) -> int:
        hard = counts.get(counters.HARD, 0)
        return hard if wanted else counters.number_of(counts, SampleState.values) - hard

    return Condition(
        on=lambda at: Q(**{f"{at}is_hard": wanted}),
        known=known,
        stream=_with("is_hard", True) if wanted else _none,
    )


def labeled_by(user_id: int) -> Condition:
    return Condition(
        on=lambda at: Q(**{f"{at}last_by_id": user_id}),
        share=0.1,
        stream=_with("last_by_id", user_id),
    )


def in_split(split: str) -> Condition:
    """`split` "": in none."""
    return Condition(
        on=lambda at: Q(**{f"{at}split": split}),
        share=0.2 if split else 0.5,
        stream=_with("split", split, bare=(NotEmpty("split"),)) if split else _none,
    )


# Labels ------------------------------------------------------------------------------------------
def carries_any(label_ids: tuple[int, ...]) -> Condition:
    annotations = _related("annotations").objects

    def known(counts: Mapping[str, int]) -> int:
        return sum(counts.get(counters.label_key(label), 0) for label in label_ids)

    def least(counts: Mapping[str, int]) -> int:
        return max(counts.get(counters.label_key(label), 0) for label in label_ids)

    def stream(job: Job) -> Stream:  # noqa: ARG001
        return Stream(
            label_ids,
            lambda label: annotations.filter(label_id=label),
            prefix="sample__",
            id="sample_id",
            is_own=False,
            repeats=len(label_ids) > 1,
        )

    return Condition(
        on=lambda at: Exists(_carried(f"{at}pk", label_ids)),
        known=known,
        least=least if len(label_ids) > 1 else None,
        stream=stream,
        states=(SampleState.LABELED,),
        checked=lambda at: Finds(_carried(f"{at}pk", label_ids)),
        beside=lambda pk: Finds(_carried(pk, label_ids)),
    )


def lacks(label_ids: tuple[int, ...]) -> Condition:
    return Condition(
        on=lambda at: ~Exists(_carried(f"{at}pk", label_ids)),
        share=0.9,
        checked=lambda at: ~Finds(_carried(f"{at}pk", label_ids)),
        beside=lambda pk: ~Finds(_carried(pk, label_ids)),
    )


def _carried(pk: str, label_ids: tuple[int, ...]) -> QuerySet:
    annotations = _related("annotations").objects
    return annotations.filter(sample=OuterRef(pk), label_id__in=label_ids)


# Text and folders --------------------------------------------------------------------------------
def path_has(text: str, *, in_name: bool = False) -> Condition:
    """Somewhere in the path or, `in_name`, in the name of the file itself."""

    def on(at: str) -> Any:
        has = Q(text_index.has_text(F(f"{at}path"), text))
        if in_name:
            # The path first: it is quicker to look at.
            has &= Q(text_index.has_text(BaseName(f"{at}path"), text))
        return has

    return Condition(on=on, share=0.01, stream=lambda job: _text_stream(job, text))


def _text_stream(job: Job, text: str) -> Stream | None:
    if len(text) < text_index.GRAM or not text_index.is_there():
        return None
    rarity = text_index.rarity(job, text)
    how_many = {"share": rarity.share, "is_spread": rarity.is_spread}
    if connection.vendor != "sqlite":
        holds = Q()
        for gram in rarity.grams:
            holds &= Q(text_index.has_text(F("path"), gram))
        how_many |= {"of": rarity.of, "is_set": True, "is_own": False}
        return Stream((holds,), Sample.everything.filter, holds_all=False, **how_many)
    row = f"{text_index.TABLE}.rowid"
    live = "FROM jobs_sample own WHERE job_id = %s AND trashed_at IS NULL ORDER BY id"
    where = [
        f"{text_index.TABLE} MATCH %s",
        f"jobs_sample.id = {row}",
        # The table holds all jobs: from the first to the last sample of this one.
        f"{row} >= (SELECT id {live} LIMIT 1)",
        f"{row} <= (SELECT id {live} DESC LIMIT 1)",
    ]

    def rows(match: str) -> QuerySet:
        params = [match, job.pk, job.pk]
        return job.samples.extra(tables=[text_index.TABLE], where=where, params=params)

    match = text_index.all_of(rarity.grams)
    return Stream((match,), rows, seek=row, holds_all=False, **how_many)


def in_folder(path: str, *, exact: bool) -> Condition:
    """`path`: "" or with a slash at its end. `exact`: not in the folders inside."""
    last = path[:-1] + chr(ord("/") + 1)

    def on(at: str) -> Any:
        if exact:
            return Q(Exact(Folder(f"{at}path"), path))
        return Q(**{f"{at}path__gte": path, f"{at}path__lt": last})

    def stream(job: Job) -> Stream | None:
        found = [path] if exact else folders_in(job, path, last)
        if found is None:
            return None
        rows = samples_of(job)
        return Stream(tuple(found), lambda folder: rows.filter(Exact(Folder("path"), folder)))

    if exact:
        return Condition(on=on, share=0.02, stream=stream, goes_with_ids=True)
    return Condition(on=on, share=0.05, stream=stream, orders="path", asks=True, goes_with_ids=True)


def folders_in(job: Job, first: str, end: str) -> list[str] | None:
    """Folders from `first` to before `end` with images in them; None: too many.

    From one to the next by the index: as many steps as folders, however many images there are.
    """
    live = "FROM jobs_sample WHERE job_id = %(job)s AND trashed_at IS NULL AND "
    folder = Folder.template % {"expressions": "path"}
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found(folder) AS ("
            f"SELECT (SELECT {folder} {live} {folder} >= %(first)s ORDER BY {folder} LIMIT 1) "
            f"UNION ALL SELECT (SELECT {folder} {live} {folder} > found.folder "
            f"ORDER BY {folder} LIMIT 1) FROM found WHERE found.folder < %(end)s) "
            "SELECT folder FROM found WHERE folder < %(end)s LIMIT %(most)s",
            {"job": job.pk, "first": first, "end": end, "most": MOST_FOLDERS + 1},
        )
        found = [name for (name,) in cursor.fetchall()]
    return found if len(found) <= MOST_FOLDERS else None


# Times -------------------------------------------------------------------------------------------
def between(column: str, first: datetime | None, end: datetime | None) -> Condition:
    """Of `last_at` or `added_at`, the end not taken in."""

    def on(at: str) -> Q:
        wanted = Q(**{f"{at}{column}__isnull": False})
        if first is not None:
            wanted &= Q(**{f"{at}{column}__gte": first})
        if end is not None:
            wanted &= Q(**{f"{at}{column}__lt": end})
        return wanted

    def stream(job: Job) -> Stream | None:
        if named is None:
            return None
        there = Q(**{f"{column}__isnull": False}) if column == "last_at" else Q()

        def rows(day: date) -> QuerySet:
            return samples_of(job).filter(there, Exact(Day(column), day))

        return Stream(tuple(named), rows, holds_all=False)

    # About a hundred days of work, of which each day has the same part.
    named = moments.days(first, end, most=MOST_DAYS) if first is not None else None
    share = 0.7 if named is None else min(0.01 * len(named), 0.7)
    # Nothing is in the order of `added_at`, that of ids is all but the same.
    orders = column if column == "last_at" else ""
    return Condition(on=on, share=share, stream=stream, orders=orders, goes_with_ids=True)


# Predictions -------------------------------------------------------------------------------------
def scored(least: float | None, most: float | None) -> Condition:
    low, high = least if least is not None else 0.0, most if most is not None else 1.0

    def on(at: str) -> Q:
        return Q(**{f"{at}top_score__gte": low, f"{at}top_score__lte": high})

    def stream(job: Job) -> Stream:
        def rows(step: int) -> QuerySet:
            there = Q(top_score__isnull=False)
            return samples_of(job).filter(there, Exact(Twentieth("top_score"), step))

        steps = range(Twentieth.of(low), Twentieth.of(high) + 1)
        return Stream(tuple(steps), rows, holds_all=False)

    return Condition(on=on, share=max(high - low, 0.01) * 0.8, stream=stream, orders="top_score")


def predicted(words: tuple[str, ...]) -> Condition:
    """The best label has one of these names, which mean the same."""
    return Condition(
        on=lambda at: Q(**{f"{at}top_name__in": words}),
        share=0.02,
        stream=_with("top_name", *words, bare=(NotEmpty("top_name"),)),
    )


def agrees(wanted: bool, former: Mapping[str, str]) -> Condition:
    """Labeled, with a prediction, and its best label is among the labels, or is not. `former`:
    names of now by those that labels had before."""
    annotations = _related("annotations").objects

    def meaning(has: type[Exists]) -> Callable[[str], Any]:
        def on(at: str) -> Any:
            named = annotations.filter(label__name=_name_now(OuterRef(f"{at}top_name"), former))
            same = has(named.filter(sample=OuterRef(f"{at}pk")))
            both = Q(NotEmpty(f"{at}top_name"), **{f"{at}state": SampleState.LABELED})
            return both & (Q(same) if wanted else ~Q(same))

        return on

    def stream(job: Job) -> Stream:
        rows = _with("state", SampleState.LABELED)(job)
        return Stream(rows.values, rows.rows, holds_all=False)

    share, states = 0.4 if wanted else 0.1, (SampleState.LABELED,)
    return Condition(
        on=meaning(Exists), share=share, stream=stream, states=states, checked=meaning(Finds)
    )


def _name_now(word: OuterRef, former: Mapping[str, str]) -> Any:
    known = [When(Exact(word, Value(old)), then=Value(now)) for old, now in former.items()]
    return Case(*known, default=word) if known else word


# Files -------------------------------------------------------------------------------------------
ANY_PROBLEM, MISSING = "any", "missing"


def has_problem(which: str) -> Condition:
    """`any`, `missing` from its storage, or a code of datasets/problems.py."""
    missing = {"missing_since__isnull": False}

    def on(at: str) -> Q:
        image = f"{at}image__"
        gone = Q(**{f"{image}missing_since__isnull": False})
        if which == MISSING:
            return gone
        noted = Q(NotEmpty(f"{image}problem"))
        return noted | gone if which == ANY_PROBLEM else noted & Q(**{f"{image}problem": which})

    def stream(job: Job) -> Stream:
        images = job.dataset_id

        def rows(kind: str) -> QuerySet:
            found = Image.objects.filter(dataset_id=images)
            if kind == MISSING:
                found = found.filter(**missing)
            else:
                found = found.filter(NotEmpty("problem"))
                found = found if kind == ANY_PROBLEM else found.filter(problem=kind)
            return Sample.everything.filter(job_id=job.pk, image_id__in=found.values("pk"))

        kinds = (ANY_PROBLEM, MISSING) if which == ANY_PROBLEM else (which,)
        return Stream(kinds, rows, is_set=True, is_own=False, repeats=len(kinds) > 1)

    return Condition(on=on, share=0.01, stream=stream)

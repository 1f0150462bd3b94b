"""Whoever undoes all of their own changes alone is back where they began. The story that is told
here in random steps is told with changes of labels too in test_labelset_properties.py."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from unittest.mock import patch

from django.db.models import Count
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotators.access import member_or_404
from inference import decisions
from inference.models import Prediction
from inference.services import newest, note_best
from jobs import counters, pages
from jobs.models import Mode, Sample, SampleState, Verb
from jobs.selection import Selection
from jobs.vocabulary import Vocabulary
from labelhub.errors import Conflict
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import restore, trash
from labels.undo import redo_last, undo_change, undo_last
from runs import engine
from tests import make, people

IMAGES, LABELS, PEOPLE = 4, 3, 3
# So many samples are a run, which does so many at a time.
MOST, PART = 1, 2
SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

OTHERS = ["clear", "nothing", "trash", "restore", "hard", "not_hard", "accept", "reject"]
QUERIES = ["", "state=unlabeled", "state=labeled", "label=none", "hard=1", "predicted=dog"]

modes = st.sampled_from([Mode.SINGLE, Mode.MULTI])
samples = st.sets(st.integers(0, IMAGES - 1), min_size=1)
labels = st.sets(st.integers(0, LABELS - 1), min_size=1, max_size=2)
person = st.integers(0, PEOPLE - 1)
edits = st.one_of(
    st.tuples(st.just("add"), person, samples, labels),
    st.tuples(st.just("remove"), person, samples, labels),
    st.tuples(st.just("replace"), person, samples, st.permutations(range(LABELS))),
    st.tuples(st.sampled_from(OTHERS), person, samples, st.none()),
)
# All that a query finds: a run, if that is more than MOST.
large = st.one_of(
    st.tuples(st.sampled_from(["add", "remove"]), person, st.sampled_from(QUERIES), labels),
    st.tuples(st.just("replace"), person, st.sampled_from(QUERIES), st.permutations(range(LABELS))),
    st.tuples(st.sampled_from(OTHERS), person, st.sampled_from(QUERIES), st.none()),
)
reverts = st.tuples(
    st.sampled_from(["undo", "redo", "undo any"]), person, st.integers(0, 20), st.none()
)
# How many chunks of runs are done after a step; what is left waits, and meets later steps.
work = st.tuples(st.just("work"), st.none(), st.integers(0, 4), st.none())


@dataclass(frozen=True)
class Row:
    """A sample as somebody would count it."""

    pk: int
    state: str
    by: int | None
    is_hard: bool
    predicted: str
    labels: frozenset[int]

    @classmethod
    def of(cls, sample: Sample) -> "Row":
        labels = frozenset(one.label_id for one in sample.annotations.all())
        own = (sample.state, sample.last_by_id, sample.is_hard, sample.top_name)
        return cls(sample.pk, *own, labels)

    @property
    def is_labeled(self) -> bool:
        return self.state == SampleState.LABELED

    @property
    def is_predicted(self) -> bool:
        return self.is_labeled and bool(self.predicted)

    def counted_in(self) -> list[str]:
        """The counters that it is one in."""
        keys = [f"state:{self.state}", *(f"label:{pk}" for pk in self.labels)]
        keys += [f"person:{self.by}"] if self.is_labeled and self.by else []
        return keys + (["hard"] if self.is_hard else [])


class Story:
    """A job, its people, and one step after the other."""

    def __init__(self, mode: str) -> None:
        self.people = [people.alice(), people.bob(), people.carol()]
        self.job = make.job(owner=self.people[0], labels=("cat", "dog", "cow"), mode=mode)
        for person in self.people[1:]:
            make.member(self.job, person, "manager")
        self.samples = make.images(self.job, IMAGES)
        self.labels = list(self.job.labels.all())
        for sample in self.samples[1:]:
            labels = [["dog", 0.9], ["cow", 0.5]]
            Prediction.objects.create(sample=sample, model="M", numeric_mode="x", labels=labels)
        note_best(self.job, newest(sample.pk for sample in self.samples))

    def member(self, number: int):
        return member_or_404(self.people[number], self.job.pk)

    def play(self, step) -> None:
        what, who, which, meaning = step
        if what == "work":
            for _chunk in range(which):
                engine.work_once("tests")
            return
        member = self.member(who)
        with suppress(Conflict):
            if what in ("undo", "redo", "undo any"):
                self.play_back(what, member, which)
                return
            if isinstance(which, str):
                # The trash has no filters.
                selection = Selection(query="" if what == "restore" else which)
            else:
                selection = Selection(ids=tuple(self.samples[number].pk for number in which))
            if what in OTHERS:
                self.play_other(what, member, selection)
            else:
                self.play_labels(what, member, selection, meaning)

    def play_back(self, what: str, member, at: int) -> None:
        changes = list(self.job.changes.order_by("pk"))
        if what == "undo any" and changes:
            undo_change(member, changes[at % len(changes)])
        elif what != "undo any":
            (undo_last if what == "undo" else redo_last)(member)

    def play_labels(self, what: str, member, selection: Selection, meaning) -> None:
        pks = [self.labels[number].pk for number in meaning]
        if what == "replace":
            annotate(member, selection, replace=(pks[0], pks[1]))
            return
        if what == "add" and self.job.mode == Mode.SINGLE:
            pks = pks[:1]
        annotate(member, selection, **{what: pks})

    def play_other(self, what: str, member, selection: Selection) -> None:
        if what in ("clear", "nothing"):
            annotate(member, selection, **{what: True})
        elif what in ("trash", "restore"):
            (trash if what == "trash" else restore)(member, selection)
        elif what in ("accept", "reject"):
            decide = decisions.accept_best if what == "accept" else decisions.reject_best
            decide(member, selection)
        else:
            mark_hard(member, selection, is_hard=what == "hard")

    def check(self) -> None:
        """Counters, tabs and filters, against a count of the rows one by one."""
        assert counters.drift(self.job) == {}
        live, stored = self.live(), counters.read(self.job)
        counted = Tally(key for row in live for key in row.counted_in())
        counted[counters.TRASH] = Sample.everything.filter(job=self.job).in_trash().count()
        assert Tally({key: value for key, value in stored.items() if value}) == +counted
        for query, holds in self.filters():
            wanted = [row.pk for row in live if holds(row)]
            place = pages.read_place(QueryDict(query))
            plan = pages.plan_of(self.job, place, stored)
            rows = pages.read_rows(plan, place.sort, None, IMAGES + 1)
            assert [row.pk for row in rows] == wanted, query
            assert plan.total.number == len(wanted), query
        self.check_history()

    def live(self) -> list["Row"]:
        """What there is, read row by row and without any of what is tested."""
        samples = self.job.samples.order_by("pk").prefetch_related("annotations")
        return [Row.of(sample) for sample in samples]

    def filters(self) -> Iterator[tuple[str, Callable[["Row"], bool]]]:
        """Tabs and filters, and what each of them means."""
        for state in SampleState:
            yield f"state={state}", lambda row, state=state: row.state == state
        known = Vocabulary(self.job.pk)
        for pk in known.labels.values():
            yield f"label={pk}", lambda row, pk=pk: pk in row.labels
        for person in self.people:
            yield f"by={person.pk}", lambda row, pk=person.pk: row.by == pk
        yield "label=none", lambda row: not row.labels and row.state != SampleState.LABELED
        yield "hard=1", lambda row: row.is_hard
        yield "state=labeled&hard=0", lambda row: row.is_labeled and not row.is_hard

        def agrees(row: Row) -> bool:
            return known.label(row.predicted) in row.labels

        for name, pk in list(known.labels.items())[:1]:
            alike = known.alike(name)
            yield f"predicted={name}", lambda row, alike=alike: row.predicted in alike
            yield f"label=-{pk}", lambda row, pk=pk: pk not in row.labels
        yield "agrees=1", lambda row: row.is_predicted and agrees(row)
        yield "agrees=0", lambda row: row.is_predicted and not agrees(row)

    def check_history(self) -> None:
        for sample in Sample.everything.filter(job=self.job):
            assert sample.label_count == sample.annotations.count()
            items = sample.history.values_list("change_id", flat=True)
            assert len(items) == len(set(items))
        changes = list(self.job.changes.annotate(number=Count("items")))
        if all(change.verb != Verb.DELETE_FILES for change in changes):
            assert [one.sample_count for one in changes] == [one.number for one in changes]

    def rows(self):
        """Everything that people can see of the samples."""
        return [
            (
                sample.state,
                sample.label_count,
                sample.last_by_id,
                sample.is_hard,
                sample.trashed_at is None,
                sorted(sample.annotations.values_list("label__name", "user_id", "created_at")),
                [one.labels for one in sample.predictions.all()],
            )
            for sample in Sample.everything.filter(job=self.job).order_by("pk")
        ]


LIMITS = {
    "labels.bulk.MOST_AT_ONCE": MOST,
    "labels.undo.MOST_AT_ONCE": MOST,
    "labels.bulk.LARGEST_PART": PART,
    "labels.bulk.PAUSE_SECONDS": 0,
    "labels.undo.ALIKE": 1,
}


def set_limits(test: TestCase, limits: dict[str, int]) -> None:
    for name, value in limits.items():
        patcher = patch(name, value)
        patcher.start()
        test.addCleanup(patcher.stop)


class OnePerson(TestCase):
    def setUp(self) -> None:
        set_limits(self, LIMITS)

    @SETTINGS
    @given(modes, st.lists(st.one_of(edits, large), max_size=8))
    def test_undoing_all_of_ones_own_changes_alone_leads_back(self, mode, played):
        story = Story(mode)
        before = story.rows()
        for what, _who, which, meaning in played:
            story.play((what, 0, which, meaning))
            make.finish_runs()
        after = story.rows()
        steps_back = story.job.changes.count()
        for _step in range(steps_back):
            undo_last(story.member(0))
            make.finish_runs()
        assert story.rows() == before
        for _step in range(steps_back):
            redo_last(story.member(0))
            make.finish_runs()
        assert story.rows() == after
        story.check()

"""Whatever several people do in whatever order, small or as a run: counters, tabs and filters agree
with the rows, and a person who undoes everything alone is back where they began."""

from contextlib import suppress
from unittest.mock import patch

from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotators.access import member_or_404
from inference import decisions
from inference.models import Prediction
from jobs import counters, pages
from jobs.filters import filter_samples
from jobs.models import Mode, Sample, SampleState
from jobs.selection import Selection
from labelhub.errors import Conflict
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import restore, trash
from labels.undo import redo_last, undo_change, undo_last
from runs import engine
from tests import make, people

IMAGES, LABELS, PEOPLE = 4, 3, 2
# So many samples are a run, which does so many at a time.
MOST, PART = 1, 2
SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

OTHERS = ["clear", "nothing", "trash", "restore", "hard", "not_hard", "accept", "reject"]
QUERIES = ["", "state=unlabeled", "state=labeled"]

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
steps = st.one_of(edits, large, reverts, work)


class Story:
    """A job, its people, and one step after the other."""

    def __init__(self, mode: str) -> None:
        self.people = [people.alice(), people.bob()]
        self.job = make.job(owner=self.people[0], labels=("cat", "dog", "cow"), mode=mode)
        make.member(self.job, self.people[1], "manager")
        self.samples = make.images(self.job, IMAGES)
        self.labels = list(self.job.labels.all())
        for sample in self.samples[1:]:
            labels = [["dog", 0.9], ["cow", 0.5]]
            Prediction.objects.create(sample=sample, model="M", numeric_mode="x", labels=labels)

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
        live = list(self.job.samples.prefetch_related("annotations"))
        counts = counters.read(self.job)
        for state in SampleState:
            rows = [sample for sample in live if sample.state == state]
            place = pages.read_place(QueryDict(f"state={state}"))
            assert pages.total(self.job, place, counts).number == len(rows)
            assert [row.pk for row in pages.read_page(self.job, place).rows] == sorted(
                sample.pk for sample in rows
            )
        for label in self.labels:
            carrying = [s.pk for s in live if label.pk in {a.label_id for a in s.annotations.all()}]
            found, _form = filter_samples(self.job, QueryDict(f"label={label.pk}"))
            assert sorted(found.values_list("pk", flat=True)) == sorted(carrying)
        for sample in Sample.everything.filter(job=self.job):
            assert sample.label_count == sample.annotations.count()
            items = sample.history.values_list("change_id", flat=True)
            assert len(items) == len(set(items))
        for change in self.job.changes.all():
            assert change.sample_count == change.items.count()

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


class ManyPeople(TestCase):
    def setUp(self) -> None:
        for name, value in (
            ("labels.bulk.MOST_AT_ONCE", MOST),
            ("labels.undo.MOST_AT_ONCE", MOST),
            ("labels.bulk.LARGEST_PART", PART),
            ("labels.bulk.PAUSE_SECONDS", 0),
            ("labels.undo.ALIKE", 1),
        ):
            patcher = patch(name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    @SETTINGS
    @given(modes, st.lists(steps, max_size=14))
    def test_counters_tabs_and_filters_agree_with_the_rows_after_every_step(self, mode, played):
        story = Story(mode)
        for step in played:
            story.play(step)
            story.check()
        make.finish_runs()
        story.check()

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

"""Whatever several people do in whatever order: counters agree with the rows, and a person who
undoes everything alone is back where they began."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotators.access import member_or_404
from jobs import counters
from jobs.models import Mode, Sample
from jobs.selection import Selection
from labelhub.errors import Conflict
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.trash import restore, trash
from labels.undo import redo_last, undo_last
from tests import make, people

IMAGES, LABELS, PEOPLE = 4, 3, 2
SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)

OTHERS = ["clear", "trash", "restore", "hard", "not_hard"]

modes = st.sampled_from([Mode.SINGLE, Mode.MULTI])
samples = st.sets(st.integers(0, IMAGES - 1), min_size=1)
labels = st.sets(st.integers(0, LABELS - 1), min_size=1, max_size=2)
person = st.integers(0, PEOPLE - 1)
edits = st.one_of(
    st.tuples(st.just("add"), person, samples, labels),
    st.tuples(st.just("remove"), person, samples, labels),
    st.tuples(st.sampled_from(OTHERS), person, samples, st.none()),
)
steps = st.one_of(edits, st.tuples(st.sampled_from(["undo", "redo"]), person, st.none(), st.none()))


class Story:
    """A job, its people, and one step after the other."""

    def __init__(self, mode: str) -> None:
        self.people = [people.alice(), people.bob()]
        self.job = make.job(owner=self.people[0], labels=("cat", "dog", "cow"), mode=mode)
        make.member(self.job, self.people[1], "manager")
        self.samples = make.images(self.job, IMAGES)
        self.labels = list(self.job.labels.all())

    def member(self, number: int):
        return member_or_404(self.people[number], self.job.pk)

    def play(self, step) -> None:
        what, who, which, meaning = step
        member = self.member(who)
        if what in ("undo", "redo"):
            with suppress(Conflict):
                (undo_last if what == "undo" else redo_last)(member)
            return
        selection = Selection(ids=tuple(self.samples[number].pk for number in which))
        if what in OTHERS:
            self.play_other(what, member, selection)
            return
        pks = [self.labels[number].pk for number in meaning]
        if what == "add" and self.job.mode == Mode.SINGLE:
            pks = pks[:1]
        annotate(member, selection, **{what: pks})

    def play_other(self, what: str, member, selection: Selection) -> None:
        if what == "clear":
            annotate(member, selection, clear=True)
        elif what == "trash":
            trash(member, selection)
        elif what == "restore":
            restore(member, selection)
        else:
            mark_hard(member, selection, is_hard=what == "hard")

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
            )
            for sample in Sample.everything.filter(job=self.job).order_by("pk")
        ]


class ManyPeople(TestCase):
    @SETTINGS
    @given(modes, st.lists(steps, max_size=12))
    def test_counters_agree_with_the_rows_after_every_step(self, mode, played):
        story = Story(mode)
        for step in played:
            story.play(step)
            assert counters.drift(story.job) == {}
            for sample in Sample.everything.filter(job=story.job):
                assert sample.label_count == sample.annotations.count()

    @SETTINGS
    @given(modes, st.lists(edits, max_size=8))
    def test_undoing_all_of_ones_own_changes_alone_leads_back(self, mode, played):
        story = Story(mode)
        before = story.rows()
        for what, _who, which, meaning in played:
            story.play((what, 0, which, meaning))
        after = story.rows()
        steps_back = story.job.changes.count()
        for _step in range(steps_back):
            undo_last(story.member(0))
        assert story.rows() == before
        for _step in range(steps_back):
            redo_last(story.member(0))
        assert story.rows() == after
        assert counters.drift(story.job) == {}

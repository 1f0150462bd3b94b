"""Whatever happens to the labels of a job while people label: counters agree with the rows, no
image carries a label that is gone, and who undoes everything alone is back at the start."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from jobs import counters
from jobs.models import Sample
from labelhub.errors import DomainError
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import edit_label, move_label
from labels.labelset.merging import merge_labels
from labels.models import Annotation, Label
from labels.undo import redo_last, undo_last
from tests.labels.test_properties import LABELS, SETTINGS, Story, edits, modes, person

label = st.integers(0, LABELS - 1)
changes = st.one_of(
    st.tuples(st.just("merge"), person, label, label),
    st.tuples(st.sampled_from(["delete", "delete_images"]), person, label, st.none()),
    st.tuples(st.just("rename"), person, label, st.sampled_from("xyz")),
    st.tuples(st.just("move"), person, label, label),
)
steps = st.one_of(edits, changes)
backs = st.tuples(st.sampled_from(["undo", "redo"]), person, st.none(), st.none())
OWN = {"merge", "delete", "delete_images", "rename", "move"}


class LabelStory(Story):
    """What is refused, since the label is gone by then, say, changes nothing."""

    def __init__(self, mode: str) -> None:
        super().__init__(mode)
        self.job.members.update(role="manager")

    def play(self, step) -> None:
        what, who, which, other = step
        with suppress(DomainError):
            if what not in OWN:
                super().play(step)
                return
            member, pk = self.member(who), self.labels[which].pk
            if what == "merge":
                merge_labels(member, [pk], self.labels[other].pk)
            elif what == "rename":
                edit_label(member, pk, name=other)
            elif what == "move":
                move_label(member, pk, to=other)
            else:
                policy = Policy.LABEL if what == "delete" else Policy.IMAGES
                delete_labels(member, [pk], policy=policy)

    def seen(self):
        """All that people see: the list, and each image by the names of its labels."""
        return list(self.job.labels.values_list("name", flat=True)), self.rows()


class ManyPeople(TestCase):
    @SETTINGS
    @given(modes, st.lists(st.one_of(steps, backs), max_size=12))
    def test_counters_agree_and_nothing_carries_a_label_that_is_gone(self, mode, played):
        story = LabelStory(mode)
        for step in played:
            story.play(step)
            assert counters.drift(story.job) == {}
            gone = Label.everything.filter(job=story.job).exclude(trashed_at=None)
            assert not Annotation.objects.filter(label__in=gone).exists()
            for sample in Sample.everything.filter(job=story.job):
                assert sample.label_count == sample.annotations.count()

    @SETTINGS
    @given(modes, st.lists(steps, max_size=8))
    def test_undoing_all_of_ones_own_changes_alone_leads_back(self, mode, played):
        story = LabelStory(mode)
        before = story.seen()
        for what, _who, which, other in played:
            story.play((what, 0, which, other))
        after = story.seen()
        steps_back = story.job.changes.count()
        for _step in range(steps_back):
            undo_last(story.member(0))
        assert story.seen() == before
        for _step in range(steps_back):
            redo_last(story.member(0))
        assert story.seen() == after
        assert counters.drift(story.job) == {}

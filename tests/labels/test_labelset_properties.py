"""Whatever several people do in whatever order, to images and to labels, small or as a run:
counters, tabs and filters agree with the rows, no image carries a label that is gone, and who
undoes everything alone is back at the start."""

from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from datasets.formats import Record
from datasets.models import Storage
from jobs import counters
from jobs.models import Sample, SampleState
from labelhub.errors import DomainError
from labels.annotate import set_labels
from labels.intake import Hand, Wishes, take_labels
from labels.labelset.deletion import Policy, delete_labels
from labels.labelset.edits import add_labels, edit_label, move_label
from labels.labelset.merging import merge_labels
from labels.models import Annotation, Label
from labels.undo import redo_last, undo_last
from tests import make
from tests.labels.test_properties import (
    IMAGES,
    LABELS,
    LIMITS,
    SETTINGS,
    Story,
    edits,
    large,
    modes,
    person,
    reverts,
    set_limits,
    work,
)

label = st.integers(0, LABELS - 1)
sample = st.integers(0, IMAGES - 1)
changes = st.one_of(
    st.tuples(st.just("merge"), person, label, label),
    st.tuples(st.sampled_from(["delete", "delete_images"]), person, label, st.none()),
    st.tuples(st.just("rename"), person, label, st.sampled_from("xyz")),
    st.tuples(st.just("move"), person, label, label),
)
# What comes from elsewhere, or is written whole, or cannot be undone.
more = st.one_of(
    st.tuples(st.just("set"), person, sample, st.sets(label, max_size=2)),
    st.tuples(st.just("add_label"), person, st.none(), st.sampled_from("xyz")),
    st.tuples(
        st.sampled_from(["import", "import_to_confirm"]),
        person,
        st.sets(sample, min_size=1),
        st.sets(st.sampled_from(["cat", "dog", "x", "new"]), min_size=1),
    ),
    st.tuples(st.just("delete_files"), st.just(0), label, st.none()),
)
everything = st.one_of(edits, large, reverts, changes, more, work)
steps = st.one_of(edits, changes)
OWN = {"merge", "delete", "delete_images", "rename", "move"}
MORE = {"set", "add_label", "import", "import_to_confirm", "delete_files"}
FEW_LABELED = {
    "labels.labelset.removal.MOST_AT_ONCE": 1,
    "labels.labelset.removal.SAMPLES_IN_PIECE": 1,
    "labels.labelset.undoing.MOST_AT_ONCE": 1,
}


class LabelStory(Story):
    """What is refused, since the label is gone by then, say, changes nothing."""

    def play(self, step) -> None:
        what, who, which, other = step
        with suppress(DomainError, PermissionDenied):
            if what in OWN:
                self.play_change(what, self.member(who), which, other)
            elif what in MORE:
                self.play_more(what, self.member(who), which, other)
            else:
                super().play(step)

    def play_change(self, what: str, member, which: int, other: Any) -> None:
        pk = self.labels[which].pk
        if what == "merge":
            merge_labels(member, [pk], self.labels[other].pk)
        elif what == "rename":
            edit_label(member, pk, name=other)
        elif what == "move":
            move_label(member, pk, to=other)
        else:
            policy = Policy.LABEL if what == "delete" else Policy.IMAGES
            delete_labels(member, [pk], policy=policy)

    def play_more(self, what: str, member, which: Any, other: Any) -> None:
        if what == "set":
            chosen = self.samples[which].pk
            versions = Sample.everything.filter(pk=chosen).values_list("version", flat=True)
            labels = [self.labels[at].pk for at in other]
            set_labels(member, chosen, labels, version=versions.first() or 0)
        elif what == "add_label":
            add_labels(member, [other])
        elif what == "delete_files":
            delete_labels(member, [self.labels[which].pk], policy=Policy.FILES)
        else:
            self.play_import(what, member, which, other)

    @transaction.atomic
    def play_import(self, what: str, member, which: set[int], names: set[str]) -> None:
        records = {
            self.samples[at].path: Record(
                path=self.samples[at].path,
                labels=tuple(sorted(names)),
                is_labeled=True,
                is_hard=at == 0,
            )
            for at in which
        }
        state = SampleState.LABELED if what == "import" else SampleState.TO_CONFIRM
        take_labels(Hand(self.job, member.user), records, Wishes(state=state))

    def check(self) -> None:
        super().check()
        gone = Label.everything.filter(job=self.job).exclude(trashed_at=None)
        assert not Annotation.objects.filter(label__in=gone).exists()

    def seen(self):
        """All that people see: the list, and each image by the names of its labels."""
        return list(self.job.labels.values_list("name", flat=True)), self.rows()


class ManyPeople(TestCase):
    def setUp(self) -> None:
        set_limits(self, LIMITS | FEW_LABELED)

    @settings(SETTINGS, max_examples=18)
    @given(modes, st.lists(everything, max_size=14))
    def test_counters_tabs_and_filters_agree_with_the_rows_after_every_step(self, mode, played):
        story = LabelStory(mode)
        # Files can be deleted, and are gone already.
        Storage.objects.update(can_write=True, can_delete=True)
        for step in played:
            story.play(step)
            story.check()
        make.finish_runs()
        story.check()


class OnePerson(TestCase):
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

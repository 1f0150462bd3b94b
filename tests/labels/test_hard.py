"""Marking images as hard examples."""

import pytest

from jobs import counters
from jobs.models import Verb
from jobs.selection import Selection
from labels.annotate import annotate
from labels.hard import mark_hard
from labels.undo import undo_last
from tests import make

pytestmark = pytest.mark.django_db


def test_hard_examples_are_counted_and_only_what_changes_is_part_of_the_change(alice):
    job = make.job(owner=alice)
    first, second, _third = make.images(job, 3)
    member = make.membership(job, alice)
    mark_hard(member, Selection(ids=(first.pk,)), is_hard=True)

    result = mark_hard(member, Selection(ids=(first.pk, second.pk)), is_hard=True)

    assert (result.sample_ids, result.counts) == ([second.pk], {"hard": 2})
    assert counters.drift(job) == {}


def test_the_mark_is_taken_off_again_and_that_is_undone(alice):
    job = make.job(owner=alice)
    (sample,) = make.images(job, 1)
    member = make.membership(job, alice)
    mark_hard(member, Selection(ids=(sample.pk,)), is_hard=True)

    result = mark_hard(member, Selection(ids=(sample.pk,)), is_hard=False)
    assert (result.change.verb, job.samples.filter(is_hard=True).exists()) == (Verb.NOT_HARD, False)

    undo_last(member)
    assert job.samples.filter(is_hard=True).exists()
    assert counters.drift(job) == {}


def test_a_mark_changes_nothing_of_the_labels_and_who_set_them(alice, bob):
    job = make.job(owner=alice)
    make.member(job, bob, "labeler")
    (sample,) = make.images(job, 1)
    selection = Selection(ids=(sample.pk,))
    annotate(make.membership(job, bob), selection, add=[job.labels.first().pk])

    mark_hard(make.membership(job, alice), selection, is_hard=True)

    sample.refresh_from_db()
    assert (sample.state, sample.last_by, sample.label_count) == ("labeled", bob, 1)


def test_labeling_a_hard_example_leaves_the_mark(alice):
    job = make.job(owner=alice)
    (sample,) = make.images(job, 1)
    member, selection = make.membership(job, alice), Selection(ids=(sample.pk,))
    mark_hard(member, selection, is_hard=True)

    annotate(member, selection, add=[job.labels.first().pk])

    sample.refresh_from_db()
    assert sample.is_hard
    assert counters.drift(job) == {}

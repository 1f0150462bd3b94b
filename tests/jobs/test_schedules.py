"""Datasets that are synchronized by themselves."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.schedules import schedule
from runs import clock
from runs.models import RunKind
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(alice):
    return make.job(owner=alice).dataset


def syncs(dataset) -> int:
    return dataset.runs.filter(kind=RunKind.SYNC).count()


def let_pass(dataset, minutes: int) -> None:
    dataset.refresh_from_db()
    dataset.next_sync_at -= timedelta(minutes=minutes)
    dataset.save()


def test_it_is_synchronized_when_the_time_has_come_and_not_before(dataset):
    schedule(dataset, 30)
    clock.tick(at_once=True)
    assert syncs(dataset) == 0

    let_pass(dataset, 31)
    clock.tick(at_once=True)
    clock.tick(at_once=True)

    assert syncs(dataset) == 1
    dataset.refresh_from_db()
    assert dataset.next_sync_at > timezone.now() + timedelta(minutes=29)


def test_one_that_waits_is_not_asked_for_again(dataset):
    schedule(dataset, 5)
    for _turn in range(3):
        let_pass(dataset, 6)
        clock.tick(at_once=True)

    assert syncs(dataset) == 1


def test_without_a_schedule_nothing_comes_by_itself(dataset):
    schedule(dataset, 5)
    schedule(dataset, None)

    clock.tick(at_once=True)

    assert syncs(dataset) == 0


def test_what_fails_stops_nothing_else(monkeypatch):
    called = []

    def fails():
        raise RuntimeError("no")

    monkeypatch.setattr(clock, "_due", [fails, lambda: called.append(1)])
    clock.tick(at_once=True)

    assert called == [1]

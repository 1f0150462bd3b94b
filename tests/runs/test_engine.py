"""The run engine: nothing is lost, nothing is done twice, whoever dies when."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from runs import engine, kinds
from runs.engine import LeaseLost, work_once
from runs.kinds import Hopeless, Kind, Outcome, Piece
from runs.models import Chunk, ChunkState, Problem, Run, RunState
from tests import make

pytestmark = pytest.mark.django_db

NAME = "count"


class Counting:
    """A kind of run over the letters of its parameter: three pieces for "abc"."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.applied: list[str] = []
        self.finished = 0
        self.in_prepare = lambda letter: None  # noqa: ARG005
        self.in_plan = lambda letter: None  # noqa: ARG005

    def plan(self, run):
        for letter in run.params["letters"]:
            self.in_plan(letter)
            if letter == "?":
                yield Problem(item=letter, code="missing")
            else:
                yield Piece({"letter": letter}, 1)

    def prepare(self, run, payload, heartbeat):  # noqa: ARG002
        self.prepared.append(payload["letter"])
        self.in_prepare(payload["letter"])
        heartbeat.beat()
        return payload["letter"]

    def apply(self, run, letter):  # noqa: ARG002
        self.applied.append(letter)
        return Outcome({"added": 1})

    def finish(self, run):  # noqa: ARG002
        self.finished += 1


@pytest.fixture
def counting(monkeypatch):
    kind = Counting()
    registered = Kind(NAME, kind.plan, kind.prepare, kind.apply, kind.finish)
    monkeypatch.setitem(kinds._kinds, NAME, registered)
    return kind


def submit(letters: str) -> Run:
    return engine.submit(NAME, job=make.job(), by=None, params={"letters": letters})


def now_is_late() -> None:
    """As if every lease and every pause had run out."""
    Chunk.objects.exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(1))


def finish(run: Run) -> Run:
    """Works until nothing is left, with every pause over at once."""
    for _turn in range(100):
        now_is_late()
        if not work_once("finisher"):
            run.refresh_from_db()
            return run
    raise AssertionError("the run never ends")


def states(run: Run) -> list[str]:
    return list(run.chunks.order_by("number").values_list("state", flat=True))


def test_a_run_is_planned_then_done_piece_by_piece(counting):
    run = submit("abc")

    assert work_once("one")
    run.refresh_from_db()
    assert (run.state, run.total, run.done) == (RunState.RUNNING, 3, 0)

    make.finish_runs()
    run.refresh_from_db()
    assert (run.state, run.total, run.done) == (RunState.DONE, 3, 3)
    assert run.counts == {"added": 3}
    assert counting.applied == ["a", "b", "c"]
    assert counting.finished == 1
    assert run.finished_at >= run.started_at


def test_a_run_without_pieces_is_done_at_once(counting):
    run = submit("")

    make.finish_runs()

    run.refresh_from_db()
    assert (run.state, run.total) == (RunState.DONE, 0)
    assert counting.finished == 1


def test_a_problem_of_the_plan_is_kept_and_the_rest_is_done(counting):
    run = submit("a?b")

    make.finish_runs()

    assert [problem.item for problem in run.problems.all()] == ["?"]
    assert counting.applied == ["a", "b"]


def test_two_runs_take_turns(counting):
    submit("ab"), submit("xy")

    make.finish_runs()

    assert counting.applied == ["a", "x", "b", "y"]


@pytest.mark.usefixtures("counting")
def test_a_chunk_is_held_by_one_worker():
    submit("")

    first, second = engine.lease("one"), engine.lease("two")

    assert first.worker == "one"
    assert second is None


@pytest.mark.usefixtures("counting")
def test_a_lease_that_ran_out_is_handed_out_again():
    submit("")
    engine.lease("dead")
    now_is_late()

    again = engine.lease("alive")

    assert (again.worker, again.attempt) == ("alive", 2)


def test_a_late_worker_writes_nothing(counting):
    run = submit("a")
    work_once("one")
    late = engine.lease("late")
    now_is_late()
    finish(run)

    engine.perform(late)

    run.refresh_from_db()
    assert counting.prepared == ["a", "a"]
    assert counting.applied == ["a"]
    assert (run.done, run.counts, counting.finished) == (1, {"added": 1}, 1)


@pytest.mark.usefixtures("counting")
def test_a_late_worker_is_stopped_by_its_heartbeat():
    submit("a")
    work_once("one")
    late = engine.lease("late")
    keeper = engine.LeaseKeeper(late)
    keeper.reason = LeaseLost

    with pytest.raises(LeaseLost):
        keeper.beat()


def test_a_worker_that_lost_its_lease_cannot_end_the_chunk_for_the_next_one(counting):
    run = submit("a")
    work_once("one")
    late = engine.lease("late")
    now_is_late()
    engine.lease("next")

    engine.perform(late)

    assert states(run) == [ChunkState.DONE, ChunkState.LEASED]
    assert counting.applied == []


def test_what_a_chunk_wrote_goes_when_its_end_fails(counting, monkeypatch):
    run = submit("a")
    work_once("one")

    def write_and_fail(run, letter):  # noqa: ARG001
        Problem.objects.create(run=run, item="half", code="missing")
        raise OSError("the disk is full")

    broken = Kind(NAME, counting.plan, counting.prepare, write_and_fail)
    monkeypatch.setitem(kinds._kinds, NAME, broken)
    work_once("one")

    assert not run.problems.exists()
    assert states(run) == [ChunkState.DONE, ChunkState.READY]


def test_a_chunk_that_fails_is_tried_again_after_a_pause_that_grows(counting):
    run = submit("a")
    work_once("one")

    def fail(letter):
        raise OSError(f"no {letter}")

    counting.in_prepare = fail
    pauses = []
    for _attempt in range(2):
        now_is_late()
        work_once("one")
        chunk = run.chunks.get(number=1)
        pauses.append(round((chunk.lease_until - timezone.now()).total_seconds()))
        assert not work_once("one")

    assert pauses == [1, 2]
    assert chunk.error == "OSError: no a"
    counting.in_prepare = lambda letter: None  # noqa: ARG005
    assert finish(run).state == RunState.DONE
    assert counting.applied == ["a"]


def test_a_chunk_that_fails_every_time_fails_the_run_and_the_others_are_done(counting):
    run = submit("abc")

    def fail(letter):
        if letter == "b":
            raise OSError("unreadable")

    counting.in_prepare = fail
    finish(run)

    assert (run.state, run.error) == (RunState.FAILED, "OSError: unreadable")
    assert counting.applied == ["a", "c"]
    assert counting.prepared.count("b") == engine.MAX_ATTEMPTS
    assert (run.done, counting.finished) == (2, 0)


def test_a_chunk_that_kills_its_worker_every_time_is_given_up(counting):
    run = submit("ab")
    work_once("one")
    for _attempt in range(engine.MAX_ATTEMPTS):
        now_is_late()
        assert engine.lease("dies").number == 1

    finish(run)

    assert run.state == RunState.FAILED
    assert "stopped in the middle of it" in run.error
    assert counting.applied == ["b"]


def test_a_refusal_with_a_reason_is_not_tried_again(counting):
    run = submit("a")

    def refuse(letter):
        raise Hopeless(Problem(item=letter, code="not-for-sale"))

    counting.in_prepare = refuse
    finish(run)

    assert (run.state, run.error) == (RunState.FAILED, "")
    assert list(run.problems.values_list("item", "code")) == [("a", "not-for-sale")]
    assert counting.prepared == ["a"]


def test_a_failed_run_is_taken_up_where_it_stopped(counting):
    run = submit("abc")
    broken = {"b"}

    def fail(letter):
        if letter in broken:
            raise OSError("unreadable")

    counting.in_prepare = fail
    finish(run)
    broken.clear()

    assert engine.retry(run)
    finish(run)

    assert (run.state, run.error, run.done) == (RunState.DONE, "", 3)
    assert sorted(counting.applied) == ["a", "b", "c"]
    assert counting.finished == 1


@pytest.mark.usefixtures("counting")
def test_a_run_that_goes_well_is_not_taken_up_again():
    run = submit("a")
    finish(run)

    assert not engine.retry(run)
    assert states(run) == [ChunkState.DONE, ChunkState.DONE]


def test_a_cancelled_run_keeps_what_it_did_and_does_no_more(counting):
    run = submit("abc")
    work_once("one"), work_once("one")

    assert engine.cancel(run)
    finish(run)

    assert (run.state, run.done) == (RunState.CANCELLED, 1)
    assert counting.applied == ["a"]
    assert not engine.cancel(run)


def test_a_chunk_that_is_worked_on_while_its_run_is_cancelled_writes_nothing(counting):
    run = submit("a")
    work_once("one")
    counting.in_prepare = lambda letter: engine.cancel(run)  # noqa: ARG005

    work_once("one")

    run.refresh_from_db()
    assert counting.prepared == ["a"]
    assert counting.applied == []
    assert run.state == RunState.CANCELLED


def test_a_cancelled_run_goes_on_when_it_is_taken_up(counting):
    run = submit("abc")
    work_once("one"), work_once("one")
    engine.cancel(run)

    engine.retry(run)
    finish(run)

    assert (run.state, run.done, counting.applied) == (RunState.DONE, 3, ["a", "b", "c"])


def test_a_plan_that_is_killed_half_way_is_made_anew(counting, monkeypatch):
    monkeypatch.setattr(engine, "PLAN_BATCH", 2)
    run = submit("abcde")

    class Killed(BaseException):
        """Like SIGKILL: nothing in the engine gets hold of it."""

    def die(letter):
        if letter == "e":
            raise Killed

    counting.in_plan = die
    with pytest.raises(Killed):
        work_once("dies")
    assert states(run) == [ChunkState.LEASED, *[ChunkState.PLANNED] * 4]
    assert not work_once("other")

    counting.in_plan = lambda letter: None  # noqa: ARG005
    finish(run)

    assert (run.state, run.total, run.done) == (RunState.DONE, 5, 5)
    assert counting.applied == list("abcde")


@pytest.mark.usefixtures("counting")
def test_the_run_stands_or_falls_with_what_asked_for_it():
    def ask_and_fail():
        submit("a")
        raise OSError

    with pytest.raises(OSError), transaction.atomic():  # noqa: PT011 any will do
        ask_and_fail()

    assert not Run.objects.exists()
    assert not work_once("one")


@pytest.mark.usefixtures("counting")
def test_progress_is_told_to_the_browsers_of_the_job(monkeypatch):
    told = []
    monkeypatch.setattr(
        engine.live, "send_on_commit", lambda job_id, message: told.append((job_id, message))
    )
    run = submit("ab")
    told.clear()

    make.finish_runs()

    assert {job_id for job_id, _message in told} == {run.job_id}
    assert [message["run"]["done"] for _job_id, message in told] == [0, 0, 1, 2]
    assert told[-1][1]["run"] == {
        "id": run.pk,
        "kind": NAME,
        "state": RunState.DONE,
        "total": 2,
        "done": 2,
        "counts": {"added": 2},
    }

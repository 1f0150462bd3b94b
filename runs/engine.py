"""Carries runs out, so that none is lost and nothing is done twice.

The rows are the truth. A worker takes a chunk by a lease that it must keep alive; when it dies the
lease runs out and the chunk is handed out again. What a chunk writes stands in the transaction
that ends it, and that end is guarded by (worker, attempt): a worker that was thought dead and
comes back writes nothing. The thread engine and Celery call the same `work_once`.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from labelhub import live
from runs.kinds import Heartbeat, Hopeless, Kind, Outcome, Piece, kind_of
from runs.models import TAKES_TURNS, Chunk, ChunkState, Problem, Run, RunKind, RunState

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
BEAT_SECONDS = 5
MAX_ATTEMPTS = 5
PLAN_BATCH = 50


class LeaseLost(Exception):
    """Another worker has the chunk now."""


class Cancelled(Exception):
    """The run was cancelled while a chunk was worked on."""


# What is asked for --------------------------------------------------------------------------------
def submit(kind: RunKind, *, job=None, dataset=None, by, params: dict[str, Any]) -> Run:
    """Writes the run in the caller's transaction; work starts when that commits.

    With `dataset` it waits until earlier runs over that dataset are over.
    """
    run = Run.objects.create(kind=kind, job=job, dataset=dataset, created_by=by, params=params)
    Chunk.objects.create(run=run, number=0)
    # Robust: a run that is written is done, if only when the workers look for work by themselves.
    transaction.on_commit(wake, robust=True)
    return run


def wake() -> None:
    if settings.RUN_ENGINE == "celery":
        from runs.tasks import work  # Celery's app is not needed where a thread does the work.

        work.delay()
    else:
        from runs.threads import worker

        worker.wake()


@transaction.atomic
def cancel(run: Run) -> bool:
    """Stops a run that is not over; what it did stays. False when it was over already."""
    changed = Run.objects.filter(pk=run.pk, state__in=[RunState.QUEUED, RunState.RUNNING]).update(
        state=RunState.CANCELLED, finished_at=timezone.now()
    )
    if changed:
        run.refresh_from_db()
        _tell(run)
    return bool(changed)


@transaction.atomic
def retry(run: Run) -> bool:
    """Takes up a failed or cancelled run where it stopped."""
    changed = Run.objects.filter(pk=run.pk, state__in=[RunState.FAILED, RunState.CANCELLED]).update(
        state=RunState.RUNNING, finished_at=None, error=""
    )
    if changed:
        left = run.chunks.exclude(state__in=[ChunkState.DONE, ChunkState.PLANNED])
        left.update(state=ChunkState.READY, attempt=0, lease_until=None, error="")
        run.refresh_from_db()
        _tell(run)
        transaction.on_commit(wake, robust=True)
    return bool(changed)


# What a worker does -------------------------------------------------------------------------------
def work_once(worker: str) -> bool:
    """Takes one chunk and does it; False when there was none to take."""
    chunk = lease(worker)
    if chunk is None:
        return False
    perform(chunk)
    return True


def lease(worker: str) -> Chunk | None:
    """The next chunk, now held by `worker`. Low numbers first, so that runs take turns."""
    while chunk := Chunk.objects.takeable().select_related("run").order_by("number", "id").first():
        seen = Chunk.objects.filter(pk=chunk.pk, state=chunk.state, attempt=chunk.attempt)
        chunk.worker, chunk.attempt = worker, chunk.attempt + 1
        taken = seen.update(
            state=ChunkState.LEASED,
            worker=worker,
            attempt=chunk.attempt,
            lease_until=timezone.now() + LEASE,
        )
        if not taken:
            continue
        if chunk.attempt <= MAX_ATTEMPTS:
            return chunk
        _give_up(chunk, f"The worker stopped in the middle of it, {MAX_ATTEMPTS} times.")
    return None


def perform(chunk: Chunk) -> None:
    """Does a leased chunk; an error costs an attempt, never the worker."""
    run = chunk.run
    now = timezone.now()
    if Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(
        state=RunState.RUNNING, started_at=now
    ):
        run.state, run.started_at = RunState.RUNNING, now
        _tell(run)
    try:
        kind = kind_of(run)
        with LeaseKeeper(chunk, hears_cancel=_hears_cancel(chunk, kind)) as heartbeat:
            _do(chunk, kind, heartbeat)
    except (LeaseLost, Cancelled) as reason:
        logger.info("Chunk %s left alone: %r", chunk, reason)
    except Hopeless as error:
        _give_up(chunk, str(error), error.problem)
    except Exception as error:  # noqa: BLE001 one bad chunk must not stop the worker
        logger.exception("Chunk %s failed, attempt %d", chunk, chunk.attempt)
        _give_back(chunk, error)


def _hears_cancel(chunk: Chunk, kind: Kind) -> bool:
    """Planning writes nothing outside, whatever the kind."""
    return chunk.number == 0 or not kind.writes_what_began


def _do(chunk: Chunk, kind: Kind, heartbeat: "LeaseKeeper") -> None:
    if chunk.number == 0:
        _plan(chunk, kind, heartbeat)
        return
    prepared = kind.prepare(chunk.run, chunk.payload, heartbeat)
    heartbeat.beat()
    _finish(chunk, kind, lambda run: kind.apply(run, prepared))


def _plan(chunk: Chunk, kind: Kind, heartbeat: "LeaseKeeper") -> None:
    chunk.run.chunks.filter(state=ChunkState.PLANNED).delete()
    problems: list[Problem] = []
    number, total = kind.first_number, 0
    pieces = _pieces(kind.plan(chunk.run), problems)
    while batch := list(islice(pieces, PLAN_BATCH)):
        heartbeat.beat()
        Chunk.objects.bulk_create(
            Chunk(
                run=chunk.run,
                number=number + offset,
                payload=piece.payload,
                size=piece.size,
                state=ChunkState.PLANNED,
            )
            for offset, piece in enumerate(batch)
        )
        number += len(batch)
        total += sum(piece.size for piece in batch)

    def hand_out(run: Run) -> Outcome:
        run.chunks.filter(state=ChunkState.PLANNED).update(state=ChunkState.READY)
        run.total = total
        return Outcome(problems=problems)

    _finish(chunk, kind, hand_out)
    transaction.on_commit(wake, robust=True)


def _pieces(planned: Iterable[Piece | Problem], problems: list[Problem]) -> Iterator[Piece]:
    for found in planned:
        if isinstance(found, Problem):
            problems.append(found)
        else:
            yield found


def _finish(chunk: Chunk, kind: Kind, write: Callable[[Run], Outcome]) -> None:
    """Ends the chunk and writes what it did, together or not at all."""
    with transaction.atomic():
        # The lock on the run puts finishing workers in a row: each sees what the last one wrote.
        run = Run.objects.select_for_update().get(pk=chunk.run_id)
        is_cancelled = run.state == RunState.CANCELLED
        if is_cancelled and _hears_cancel(chunk, kind):
            raise Cancelled
        done = {"state": ChunkState.DONE, "payload": {}, "lease_until": None, "error": ""}
        if not Chunk.objects.held_by(chunk).update(**done):
            raise LeaseLost
        outcome = write(run)
        for problem in outcome.problems:
            problem.run = run
        Problem.objects.bulk_create(outcome.problems, batch_size=1000)
        run.done += chunk.size
        for name, number in outcome.counts.items():
            run.counts[name] = run.counts.get(name, 0) + number
        if not is_cancelled:
            _end_if_over(run, kind)
        run.save()
        _tell(run)


def _end_if_over(run: Run, kind: Kind) -> None:
    if run.chunks.exclude(state__in=[ChunkState.DONE, ChunkState.FAILED]).exists():
        return
    failed = run.chunks.filter(state=ChunkState.FAILED).exists()
    run.state = RunState.FAILED if failed else RunState.DONE
    run.finished_at = timezone.now()
    if not failed:
        kind.finish(run)


def _give_back(chunk: Chunk, error: Exception) -> None:
    if chunk.attempt >= MAX_ATTEMPTS:
        _give_up(chunk, f"{type(error).__name__}: {error}")
        return
    Chunk.objects.held_by(chunk).update(
        state=ChunkState.READY,
        error=f"{type(error).__name__}: {error}",
        lease_until=timezone.now() + timedelta(seconds=2 ** (chunk.attempt - 1)),
    )


@transaction.atomic
def _give_up(chunk: Chunk, reason: str, problem: Problem | None = None) -> None:
    run = Run.objects.select_for_update().get(pk=chunk.run_id)
    failed = {"state": ChunkState.FAILED, "error": reason, "lease_until": None}
    if run.is_over or not Chunk.objects.held_by(chunk).update(**failed):
        return
    if problem is None:
        run.error = reason
    else:
        problem.run = run
        problem.save()
    _end_if_over(run, kind_of(run))
    run.save()
    _tell(run)


def _tell(run: Run) -> None:
    message = {"type": "run.progress", "run": describe(run)}
    for job_id in _jobs_of(run):
        live.send_on_commit(job_id, message)


def _jobs_of(run: Run) -> set[int]:
    """The jobs whose pages show the run: its own, or all over its dataset."""
    if run.dataset_id is None or run.kind not in TAKES_TURNS:
        return {run.job_id} - {None}
    return {run.job_id, *run.dataset.jobs.values_list("pk", flat=True)} - {None}


def describe(run: Run) -> dict[str, Any]:
    """The numbers a progress bar needs."""
    fields = ("id", "kind", "state", "total", "done", "counts")
    return {name: getattr(run, name) for name in fields}


class LeaseKeeper(Heartbeat):
    """Keeps the lease alive from a thread of its own while slow work goes on."""

    def __init__(self, chunk: Chunk, *, hears_cancel: bool = True) -> None:
        self.chunk = chunk
        self.hears_cancel = hears_cancel
        self.reason: type[Exception] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name=f"lease-{chunk.pk}")

    def __enter__(self) -> "LeaseKeeper":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def beat(self, done: int | None = None) -> None:
        """Raises when the chunk is no longer ours to do; `done` items of it are shown as done."""
        if self.reason is not None:
            raise self.reason
        if done is not None and self.chunk.run.job_id is not None:
            run = self.chunk.run
            shown = describe(run) | {"done": run.done + done}
            live.send(run.job_id, {"type": "run.progress", "run": shown})

    def _keep(self) -> None:
        try:
            while not self._over.wait(BEAT_SECONDS):
                kept = Chunk.objects.held_by(self.chunk).update(lease_until=timezone.now() + LEASE)
                if not kept:
                    self.reason = LeaseLost
                elif self.hears_cancel and self._is_cancelled():
                    self.reason = Cancelled
        finally:
            connection.close()

    def _is_cancelled(self) -> bool:
        return Run.objects.filter(pk=self.chunk.run_id, state=RunState.CANCELLED).exists()

"""What is too much for one request: a run that edits samples part by part, and stays one Change.

The change is there from the start and grows. Each part is a stretch of ids in one short
transaction, in which it stands or falls with the end of the run's chunk: nothing is done twice,
whoever is killed in between. A run that is cancelled leaves what it did, which can be undone.

A run's params: `verb`, `change` (its id), `how` (what the verb needs) and `selection`, frozen when
it was asked for: images that came later are not taken by surprise.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import monotonic, sleep
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet

from annotators.models import Member
from jobs import counters, turns
from jobs.models import Change, Job, Sample, Verb
from jobs.selection import MOST_AT_ONCE, Selection, parse
from labelhub import live
from labels.in_sql import Written
from labels.results import Result
from runs import engine
from runs.kinds import Heartbeat, Kind, Outcome, Piece, register
from runs.models import Run, RunKind

# Some 0.1 s of work with SQLite, where everybody else who writes waits for it. PostgreSQL takes
# three times as long (twenty indexes and seven foreign keys a sample), yet locks these rows alone.
IDS_AT_ONCE = 2_500
LARGEST_PART = IDS_AT_ONCE
# Who waits to write asks SQLite again every 25 ms, and is let in when nobody else is at it.
PAUSE_SECONDS = 0.025
SECONDS_BETWEEN_MESSAGES = 1.0
READ_AT_ONCE = 10_000

Samples = QuerySet[Sample]
EditPart = Callable[[Member, Change, Any, dict[str, Any]], Written]


def _chosen(job: Job, selection: Selection, how: dict[str, Any]) -> Samples:  # noqa: ARG001
    return selection.resolve(job)


@dataclass(frozen=True)
class Work:
    """How a verb is done in parts: `rows` finds what it goes through, `edit` does some of them."""

    edit: EditPart
    rows: Callable[[Job, Selection, dict[str, Any]], QuerySet]
    at_once: int


_works: dict[str, Work] = {}


def carries_out(
    *verbs: Verb, rows: Callable = _chosen, at_once: int = IDS_AT_ONCE
) -> Callable[[EditPart], EditPart]:
    """Decorates the function that does a part of a large change with one of these verbs."""

    def decorate(edit: EditPart) -> EditPart:
        for verb in verbs:
            _works[verb] = Work(edit, rows, at_once)
        return edit

    return decorate


# Asking ------------------------------------------------------------------------------------------
def number_if_large(selection: Selection, samples: Samples) -> int:
    """How many samples a query finds, if they are too many for one transaction; else 0."""
    if selection.query is None:
        return 0
    number = samples.count()
    return number if number > MOST_AT_ONCE else 0


def start(
    member: Member,
    selection: Selection | None,
    *,
    verb: Verb,
    how: dict[str, Any],
    number: int,
    told: dict[str, Any] | None = None,
    reverts: Change | None = None,
) -> Result:
    """Begins the change and the run that carries it out, in the caller's transaction."""
    change = Change.objects.create(
        job=member.job, actor=member.user, verb=verb, sample_count=0, reverts=reverts
    )
    params = {
        "verb": verb,
        "change": change.pk,
        "how": how,
        "selection": _frozen(selection, member.job) if selection else None,
    }
    run = engine.submit(RunKind.EDIT, job=member.job, by=member.user, params=params)
    change.params = (told or {}) | {"run": run.pk, "planned": number}
    change.save(update_fields=["params"])
    return Result(change, [], {}, run=run, planned=number)


def _frozen(selection: Selection, job: Job) -> dict[str, Any]:
    through = selection.through
    if through is None:
        through = Sample.everything.filter(job=job).aggregate(last=Max("pk"))["last"] or 0
    return {"query": selection.query, "except": list(selection.excluded), "through": through}


def stop(change: Change) -> None:
    """What a run that is still at work on the change did so far is all of it."""
    run = Run.objects.filter(pk=change.params.get("run")).first()
    if run is not None:
        engine.cancel(run)


# Doing -------------------------------------------------------------------------------------------
def _rows(run: Run) -> QuerySet:
    asked = run.params["selection"]
    selection = parse(asked) if asked else Selection()
    return _works[run.params["verb"]].rows(run.job, selection, run.params["how"])


def plan(run: Run) -> Iterator[Piece]:
    ids = _rows(run).order_by("pk").values_list("pk", flat=True).iterator(READ_AT_ONCE)
    after, at_once = 0, min(LARGEST_PART, _works[run.params["verb"]].at_once)
    while part := list(islice(ids, at_once)):
        yield Piece({"after": after, "until": part[-1]}, len(part))
        after = part[-1]


def prepare(run: Run, payload: dict[str, Any], heartbeat: Heartbeat) -> dict[str, Any]:  # noqa: ARG001
    if connection.vendor == "sqlite":
        sleep(PAUSE_SECONDS)
    return payload


def apply(run: Run, stretch: dict[str, Any]) -> Outcome:
    """Nothing when the change was undone meanwhile, or its person no longer belongs to the job."""
    turns.beside(run.job_id)
    change = Change.objects.filter(pk=run.params["change"], reverted_by=None).first()
    found = Member.objects.select_related("job", "user")
    member = found.filter(job=run.job_id, user=run.created_by_id).first()
    if change is None or member is None:
        return Outcome()
    change.job = member.job
    rows = _rows(run).filter(pk__gt=stretch["after"], pk__lte=stretch["until"])
    written = _works[run.params["verb"]].edit(member, change, rows, run.params["how"])
    _tell(run, change, written.counts)
    counts = {"edited": written.edited, "skipped": written.skipped} | written.left
    return Outcome({name: number for name, number in counts.items() if number})


_told: dict[int, float] = {}


def _tell(run: Run, change: Change, counts: dict[str, int], *, is_last: bool = False) -> None:
    """Once a second: each message has open pages ask for what they show. Without the change's id,
    since it is older than what others did in the meantime, and its counters are not."""
    now = monotonic()
    if not is_last and now - _told.get(run.pk, 0.0) < SECONDS_BETWEEN_MESSAGES:
        return
    _told[run.pk] = now
    message = {
        "type": "samples.changed",
        "change": None,
        "verb": change.verb,
        "actor": change.actor_id,
        "ids": [],
        "total": change.sample_count,
        "counts": counts,
    }
    live.send_on_commit(run.job_id, message)


def finish(run: Run) -> None:
    _told.pop(run.pk, None)
    change = Change.objects.filter(pk=run.params["change"]).first()
    if change is None:
        return
    _tell(run, change, counters.read(run.job), is_last=True)
    _told.pop(run.pk, None)
    if change.sample_count == 0 and change.reverts_id is None:
        # Everything was so already.
        change.delete()
    elif "skipped" in run.counts:
        change.params["skipped"] = run.counts["skipped"]
        change.save(update_fields=["params"])


register(Kind(RunKind.EDIT, plan=plan, prepare=prepare, apply=apply, finish=finish))

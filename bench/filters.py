"""How long a page of a hundred images takes under every filter and order, in jobs of three sizes.

    python -m bench.filters [--database sqlite|postgresql] [--sizes 1000 100000 1000000]
                            [--only TEXT] [--rounds 20] [--busy]

The time of a request with its page, through all middleware, of somebody who is signed in: the first
page and the one behind it, under values that differ from round to round. PostgreSQL is one of our
own, as the tests have it; with LABELHUB_BENCH_DATABASE_URL a database is used, and kept, that was
filled before. `--busy` counts the time that is worked, for a machine that others use too.

Targets at 1,000,000: one filter 20 ms (p50) and 50 ms (p95), several 50 and 100 ms; at most 8
statements; at most 1.5 times the time at 100,000.
"""

import argparse
import os
import random
import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from bench import database

SINGLE, SEVERAL = (20, 50), (50, 100)
MOST_STATEMENTS = 8
PAGE = 100
NEXT = re.compile(r'rel="next" href="([^"]+)"')


@dataclass(frozen=True)
class Facts:
    """What values are taken from; labels by how many carry them, the most first."""

    labels: list[int]
    people: list[int]

    def label(self, chance: random.Random) -> int:
        return chance.choice(self.labels)


Query = Callable[[Facts, random.Random], str]
STATES = ("unlabeled", "labeled", "to_confirm")


def folder(chance: random.Random) -> str:
    return f"batch-{chance.randrange(20):02d}"


def site(chance: random.Random) -> str:
    return f"{folder(chance)}/site-{chance.randrange(50):02d}"


# Orders of one filter, and filters with the order of ids.
ONE: dict[str, Query] = {
    "all": lambda facts, chance: "",
    "state": lambda facts, chance: f"state={chance.choice(STATES)}",
    "label": lambda facts, chance: f"label={facts.label(chance)}",
    "label: the largest": lambda facts, chance: f"label={facts.labels[0]}",
    "label: any of 3": lambda facts, chance: labels(facts, chance, 3),
    "label: all of 2": lambda facts, chance: labels(facts, chance, 2) + "&label_mode=all",
    "label: not": lambda facts, chance: f"label=-{facts.label(chance)}",
    "label: none": lambda facts, chance: "label=none",
    "hard": lambda facts, chance: "hard=1",
    "not hard": lambda facts, chance: "hard=0",
    "name: common": lambda facts, chance: f"name={chance.choice(('night', 'rain', 'img', '.jpg'))}",
    "name: selective": lambda facts, chance: f"name={chance.randrange(100, 1000)}_",
    "name: unique": lambda facts, chance: f"name={chance.randrange(10**5, 10**6)}",
    "name: where it goes with the id": lambda facts, chance: f"name=img_0{chance.randrange(1, 9)}",
    "name: none": lambda facts, chance: "name=zebra",
    "name: two letters": lambda facts, chance: f"name={chance.randrange(10, 100)}",
    "contains": lambda facts, chance: f"contains={site(chance)[6:]}",
    "path: 1/20": lambda facts, chance: f"path={folder(chance)}",
    "path: 1/1000": lambda facts, chance: f"path={site(chance)}",
    "path: exact": lambda facts, chance: f"path={site(chance)}&exact=1",
    "labeled by": lambda facts, chance: f"by={chance.choice(facts.people)}",
    "labeled in": lambda facts, chance: f"labeled_after={chance.choice(('1d', '7d', '30d'))}",
    "labeled before": lambda facts, chance: f"labeled_before={chance.choice(('7d', '60d'))}",
    "added in": lambda facts, chance: f"added_after={chance.choice(('7d', '25d', '90d'))}",
    "score: range": lambda facts, chance: scores(chance),
    "score: at most": lambda facts, chance: f"score_max=0.{chance.randrange(1, 7)}",
    "predicted": lambda facts, chance: f"predicted=label-{chance.randrange(50):02d}",
    "agrees": lambda facts, chance: "agrees=1",
    "agrees not": lambda facts, chance: "agrees=0",
    "split": lambda facts, chance: f"split={chance.choice(('train', 'val', 'test'))}",
    "problem": lambda facts, chance: f"problem={chance.choice(('any', 'missing'))}",
    "order: path": lambda facts, chance: f"sort={chance.choice(('path', '-path'))}",
    "order: time": lambda facts, chance: f"sort={chance.choice(('time', '-time'))}",
    "order: score": lambda facts, chance: f"sort={chance.choice(('score', '-score'))}",
}
MORE: dict[str, Query] = {
    "state + label": lambda facts, chance: f"state=labeled&label={facts.label(chance)}",
    "state + order": lambda facts, chance: f"state={chance.choice(STATES)}&{order(chance)}",
    "label + hard": lambda facts, chance: f"label={facts.label(chance)}&hard=1",
    "label + by": lambda facts, chance: (
        f"label={facts.label(chance)}&by={chance.choice(facts.people)}"
    ),
    "label + hard + by": lambda facts, chance: (
        f"label={facts.label(chance)}&hard=1&by={chance.choice(facts.people)}"
    ),
    "small label + name": lambda facts, chance: (
        f"label={chance.choice(facts.labels[25:])}&name={chance.randrange(10, 100)}_"
    ),
    "label + path": lambda facts, chance: f"label={facts.label(chance)}&path={folder(chance)}",
    "label + score + split": lambda facts, chance: (
        f"label={facts.label(chance)}&score_max=0.7&split=val"
    ),
    "state + name": lambda facts, chance: f"state=unlabeled&name={chance.randrange(100, 1000)}",
    "state + hard": lambda facts, chance: f"state={chance.choice(STATES)}&hard=1",
    "state + predicted": lambda facts, chance: (
        f"state=unlabeled&predicted=label-{chance.randrange(50):02d}"
    ),
    "state + score, by score": lambda facts, chance: "state=unlabeled&score_max=0.6&sort=score",
    "by + labeled in": lambda facts, chance: f"by={chance.choice(facts.people)}&labeled_after=7d",
    "label, by time": lambda facts, chance: f"label={facts.label(chance)}&sort=-time",
    "label, by score": lambda facts, chance: f"label={facts.label(chance)}&sort=score",
    "hard, by path": lambda facts, chance: "hard=1&sort=path",
    "path, by path": lambda facts, chance: f"path={folder(chance)}&sort=path",
    "by, by time": lambda facts, chance: f"by={chance.choice(facts.people)}&sort=-time",
    "name, by time": lambda facts, chance: f"name={chance.randrange(1000, 10000)}&sort=-time",
    "split + hard, by score": lambda facts, chance: "split=val&hard=1&sort=-score",
}


def labels(facts: Facts, chance: random.Random, number: int) -> str:
    return "label=" + ",".join(map(str, chance.sample(facts.labels, number)))


def scores(chance: random.Random) -> str:
    least = chance.randrange(6, 90)
    return f"score_min={least / 100}&score_max={least / 100 + 0.1:.2f}"


def order(chance: random.Random) -> str:
    return "sort=" + chance.choice(("path", "-path", "time", "-time", "score", "-score"))


def main() -> None:
    options = arguments()
    with ExitStack() as stack:
        if options.database == "postgresql" and "LABELHUB_BENCH_DATABASE_URL" not in os.environ:
            from tests.services import postgres

            cluster = stack.enter_context(postgres.cluster())
            url = stack.enter_context(postgres.database(cluster, "bench"))
            os.environ["LABELHUB_BENCH_DATABASE_URL"] = url
        measure(options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--busy", action="store_true", help="time that is worked, not the clock")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> None:
    folder = database.start()
    from bench import dataset, requests

    requests.settle(folder)
    print(
        f"{database.machine()}, {options.database}; a page of {PAGE}, "
        f"ms {'worked' if options.busy else 'of the clock'}, p50 / p95"
    )
    clients = {}
    for size in options.sizes:
        made = dataset.make(size)
        clients[size] = requests.signed_in(made.user_id), made.job_id, facts_of(made.job_id)
    heads = [f"{size:,} {what}" for size in options.sizes for what in ("first", "next")]
    print(f"{'':32}" + "".join(f"{head:>19}" for head in heads) + "  growth  statements")
    missed = 0
    for name, query, limits in cases(options.only):
        rows = [run(*clients[size], query, options) for size in options.sizes]
        missed += report(name, rows, limits)
    print(f"{missed} of them miss a target at {options.sizes[-1]:,}")


def cases(only: str) -> Iterator[tuple[str, Query, tuple[int, int]]]:
    for queries, limits in ((ONE, SINGLE), (MORE, SEVERAL)):
        yield from ((name, query, limits) for name, query in queries.items() if only in name)


@dataclass(frozen=True)
class Times:
    first: list[float]
    next: list[float]
    statements: int


def facts_of(job_id: int) -> Facts:
    from annotators.models import Member
    from jobs import counters
    from jobs.models import Job

    job = Job.objects.get(pk=job_id)
    counts = counters.read(job)
    by_size = sorted(job.labels.all(), key=lambda one: -counts.get(counters.label_key(one.pk), 0))
    people = Member.objects.filter(job=job).order_by("pk").values_list("user_id", flat=True)
    return Facts([one.pk for one in by_size], list(people))


def run(client, job_id: int, facts: Facts, query: Query, options) -> Times:
    from bench import requests

    chance, times = random.Random(7), Times([], [], 0)
    statements, clock = 0, requests.busy if options.busy else requests.wall
    for _round in range(options.rounds):
        asked = query(facts, chance)
        address = f"/jobs/{job_id}/?{asked}"
        spent, response = requests.timed(client, address, clock)
        times.first.append(spent)
        if following := NEXT.search(response.content.decode()):
            spent, _response = requests.timed(client, following[1].replace("&amp;", "&"), clock)
            times.next.append(spent)
        if _round < 3:
            statements = max(statements, requests.statements(client, address))
    return Times(times.first, times.next, statements)


def report(name: str, rows: list[Times], limits: tuple[int, int]) -> bool:
    """Prints the line of a case; whether it misses a target."""
    cells, middles = "", []
    for times in rows:
        for spent in (times.first, times.next):
            cells += f"{middle(spent):9.1f} / {high(spent):7.1f}" if spent else f"{'–':>19}"
        middles.append(middle(times.first))
    growth = middles[-1] / middles[-2] if len(middles) > 1 else 1.0
    last = rows[-1]
    missed = [
        word
        for word, is_missed in (
            ("p50", max(middle(last.first), middle(last.next or [0])) > limits[0]),
            ("p95", max(high(last.first), high(last.next or [0])) > limits[1]),
            ("growth", growth > 1.5),
            ("statements", last.statements > MOST_STATEMENTS),
        )
        if is_missed
    ]
    print(f"{name:32}{cells}{growth:8.2f}{last.statements:6}  {' '.join(missed)}", flush=True)
    return bool(missed)


def middle(values: list[float]) -> float:
    return statistics.median(values)


def high(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    main()

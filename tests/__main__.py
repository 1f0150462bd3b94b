"""All tests, as `make test` runs them: `python -m tests [--strict] [what pytest takes]`.

The quick part runs on SQLite and again on PostgreSQL, then what needs a browser or real services.
What the machine lacks is listed at the end; with --strict it is a failure.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import closing_list, needs
from tests.services import postgres

QUICK = ("-m", "not browser and not service", "-n", "2")
# One at a time: they start servers, kill them and wait, which two at once on two cores disturb.
SLOW = ("-m", "browser or service", "-n", "1", "--dist", "loadgroup")
# pytest's exit code when the arguments left no test over.
NO_TESTS = 5


@dataclass
class Totals:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    exit_codes: list[int] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    if "--strict" in arguments:
        os.environ["LABELHUB_TEST_STRICT"] = "1"
    more = [argument for argument in arguments if argument != "--strict"]
    totals = Totals()
    fetch_pictures_and_model()
    with cluster(totals) as url:
        run("Quick part, SQLite", [*QUICK, *more], totals)
        if url is not None:
            database = {"LABELHUB_TEST_DATABASE_URL": f"{url}/labelhub"}
            run("Quick part, PostgreSQL", [*QUICK, *more], totals, database)
        shared = {"LABELHUB_TEST_POSTGRES": url} if url else {}
        run("Browser and services", [*SLOW, *more], totals, shared)
    close(totals)
    allowed = {0, NO_TESTS} if more else {0}
    return 0 if totals.failed == 0 and set(totals.exit_codes) <= allowed else 1


def fetch_pictures_and_model() -> None:
    """Into the data folder of `make run`; without them, tests that need them say so."""
    for command in (["sample_job", "--pictures"], ["fetch_model"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=needs.REPOSITORY,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            print(done.stderr.strip(), flush=True)


@contextmanager
def cluster(totals: Totals) -> Iterator[str | None]:
    """PostgreSQL for all parts, or None where the machine has none."""
    try:
        with postgres.cluster() as url:
            yield url
    except pytest.skip.Exception as lack:
        totals.lacks[str(lack)] += 1
        yield None
    except pytest.fail.Exception as lack:
        totals.lacks[str(lack)] += 1
        totals.failed += 1
        yield None


def run(
    title: str, arguments: Sequence[str], totals: Totals, env: dict[str, str] | None = None
) -> None:
    print(f"\n{title}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="labelhub-report-") as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rfE", *arguments],
            cwd=needs.REPOSITORY,
            env=os.environ | (env or {}) | {closing_list.REPORT: str(report)},
        )
        found = json.loads(report.read_text()) if report.exists() else {}
    totals.passed += found.get("passed", 0)
    totals.failed += found.get("failed", 0)
    totals.skipped += found.get("skipped", 0)
    totals.lacks.update(found.get("lacks", {}))
    totals.exit_codes.append(done.returncode)
    print(f"{title}: {time.monotonic() - started:.0f} s", flush=True)


def close(totals: Totals) -> None:
    if totals.lacks:
        print("\nThis machine lacks:")
        for reason, number in sorted(totals.lacks.items()):
            print(f"  {reason}: {number} skipped")
    line = f"{totals.passed} passed, {totals.failed} failed"
    print(f"\n{line}, {totals.skipped} skipped" if totals.skipped else f"\n{line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

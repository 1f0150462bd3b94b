"""How fast a run edits all images that match, and whether the pages can be used meanwhile.

    python -m bench.bulk_edit [SAMPLES]

A thread works as the one of the web process does, while somebody opens the grid and labels a
hundred images. To be reached: 20,000 images a second, no transaction over 1 s. Rates are those of
the clock and of the time worked, PostgreSQL's on this machine with it.
"""

import json
import statistics
import sys
import threading
import time
from contextlib import contextmanager

from bench import database
from bench.labeling import make_job


def main(number: int) -> None:
    database.start()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.STATIC_ROOT.mkdir(parents=True)
    job, client = make_job(number)
    cat, dog = job.labels.values_list("pk", flat=True)[:2]
    print(f"{database.machine()}; {number} samples")

    def asked(address: str, body: dict | None = None):
        response = client.post(f"/api/jobs/{job.pk}/{address}/", body, "application/json")
        assert response.status_code == 202, response.content[:300]
        return response.json()["change"]

    def label(body: dict):
        return lambda: asked("annotate", {"query": "", **body})

    undone = measure("add a label", number, label({"add": [cat]}))
    measure("undo it", number, lambda: asked(f"changes/{undone}/undo"))
    with somebody_works(client, job, dog):
        measure("add a label, somebody at work", number, label({"add": [dog]}))
    measure("add another", number, label({"add": [cat]}))
    measure("replace it", number, label({"replace": {"from": cat, "to": dog}}))
    measure("nothing applies", number, label({"nothing": True}))
    from jobs import counters

    print("counters:", "right" if counters.drift(job) == {} else counters.drift(job))


def measure(what: str, number: int, ask) -> int:
    """Asks for the change and does it, as the thread of the web process would."""
    from bench.requests import busy
    from runs import engine

    longest, finish = 0.0, engine._finish

    def timed(*arguments):
        nonlocal longest
        began = time.perf_counter()
        finish(*arguments)
        longest = max(longest, time.perf_counter() - began)

    engine._finish = timed
    began, began_cpu = time.perf_counter(), busy()
    change = ask()
    while engine.work_once("bench"):
        pass
    seconds, cpu = time.perf_counter() - began, busy() - began_cpu
    engine._finish = finish
    print(
        f"{what}: {seconds:.2f} s ({number / seconds:.0f} images a second), "
        f"worked {cpu:.2f} s ({number / cpu:.0f} a second), "
        f"longest transaction {longest:.3f} s",
        flush=True,
    )
    return change


@contextmanager
def somebody_works(client, job, label: int):
    """Another thread opens the grid and labels a hundred images, again and again."""
    taken: dict[str, list[float]] = {"open the grid": [], "label 100 images": []}
    is_over = threading.Event()
    ids = list(job.samples.order_by("-pk").values_list("pk", flat=True)[:100])
    body = json.dumps({"ids": ids, "add": [label]})
    undo = json.dumps({"ids": ids, "remove": [label]})

    def timed(what: str, request) -> None:
        began = time.perf_counter()
        response = request()
        assert response.status_code == 200, response.content[:300]
        taken[what].append(time.perf_counter() - began)

    def work() -> None:
        from django.db import connection

        while not is_over.wait(0.05):
            timed("open the grid", lambda: client.get(f"/jobs/{job.pk}/"))
            for one in (body, undo):
                address = f"/api/jobs/{job.pk}/annotate/"
                timed("label 100 images", lambda: client.post(address, one, "application/json"))  # noqa: B023
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    is_over.set()
    thread.join()
    for what, times in taken.items():
        print(
            f"  {what}, {len(times)} times: {1000 * statistics.median(times):.0f} ms, "
            f"p95 {1000 * sorted(times)[int(0.95 * (len(times) - 1))]:.0f}, "
            f"at most {1000 * max(times):.0f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)

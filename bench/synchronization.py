"""How fast a bucket becomes images and samples, and how fast nothing new is noticed, against a bare
loop over list_objects_v2; and in what memory.

    python -m bench.synchronization [NUMBER]

On a Ceph of its own, or where LABELHUB_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY lead; on
SQLite, or where LABELHUB_BENCH_DATABASE_URL leads. The ratios are what counts.
"""

import os
import statistics
import sys
import time

from bench import database
from bench.s3_listing import _resident_mb, fill, measured

ROUNDS = 3


def main(number: int) -> None:
    os.environ["LABELHUB_STORAGE_ADDRESSES"] = "127.0.0.1"
    database.start()
    from tests.services import s3

    print(f"{database.machine()}; {number} objects")
    with s3.from_environment() if os.environ.get(s3.ENDPOINT) else s3.ceph() as server:
        started = time.perf_counter()
        fill(server.client(), server.shared, number)
        print(f"written in {time.perf_counter() - started:.0f} s")
        given = {
            "BENCH_ENDPOINT": server.endpoint,
            "BENCH_BUCKET": server.shared,
            "BENCH_ACCESS_KEY": server.access_key,
            "BENCH_SECRET_KEY": server.secret_key,
        }
        ratios: dict[str, list[float]] = {"first": [], "again": []}
        for at in range(ROUNDS):
            _found, bare, _grown = measured("bare", given)
            job = make_job(server, at)
            for name in ratios:
                before, seconds = _resident_mb("VmRSS"), synchronized(job, number)
                grown = _resident_mb("VmRSS") - before
                ratios[name].append(bare / seconds)
                print(
                    f"bare {number / bare:.0f} keys/s, {name} {number / seconds:.0f}: "
                    f"{bare / seconds:.2f}, {grown:.0f} MB more, peak {_resident_mb('VmHWM'):.0f}"
                )
        for name, found in ratios.items():
            print(f"{name} / bare: {statistics.median(found):.2f}")


def make_job(server, at: int):
    from datasets.models import Dataset, Storage
    from datasets.secrets import Secret
    from datasets.storages.s3_connection import Keys
    from jobs.models import Job

    storage = Storage(
        name=f"bench-{at}",
        kind="s3",
        endpoint=server.endpoint,
        bucket=server.shared,
        addressing="path",
    )
    keys = Keys(access_key=server.access_key, secret_key=Secret(server.secret_key))
    storage.set_keys(keys)
    storage.save()
    dataset = Dataset.objects.create(name="bench", storage=storage)
    return Job.objects.create(name="bench", dataset=dataset, mode="multi")


def synchronized(job, number: int) -> float:
    from jobs.services import synchronize
    from runs.engine import work_once
    from runs.models import Run, RunKind

    run = synchronize(job.dataset, job=job, by=None)
    started = time.perf_counter()
    while work_once("bench"):
        run.refresh_from_db()
        if run.is_over:
            break
    seconds = time.perf_counter() - started
    assert run.state == "done", run.error
    assert job.samples.count() == number
    Run.objects.filter(kind=RunKind.EXAMINE).delete()
    return seconds


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)

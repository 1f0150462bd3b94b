"""How fast a bucket is listed, against a bare loop over list_objects_v2, and in what memory.

    python -m bench.s3_listing [NUMBER]

On a Ceph of its own, or where LABELHUB_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY lead. Both are
measured in turn, in processes of their own; the ratio is what counts.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench import database

ROUNDS = 5
WRITERS = 8


def main(number: int) -> None:
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
        rates: dict[str, list[float]] = {"bare": [], "driver": []}
        growth = dict.fromkeys(rates, 0.0)
        for _ in range(ROUNDS):
            for kind in rates:
                found, seconds, grown = measured(kind, given)
                assert found == number, f"{kind} found {found}"
                rates[kind].append(number / seconds)
                growth[kind] = max(growth[kind], grown)
    for kind, found in rates.items():
        print(f"{kind}: {statistics.median(found):.0f} keys/s, {growth[kind]:.1f} MB more at peak")
    ratios = [driver / bare for bare, driver in zip(rates["bare"], rates["driver"], strict=True)]
    print(
        f"driver / bare: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def fill(client, bucket: str, number: int) -> None:
    """Ten folders of small objects, each another: a listing does not look into them."""

    def put(index: int) -> None:
        key = f"class-{index % 10}/image-{index:06d}.jpg"
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(put, range(number), chunksize=50):
            pass


def measured(kind: str, given: dict[str, str]) -> tuple[int, float, float]:
    """Objects found, seconds and MB of growth, of one listing in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.s3_listing", kind],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=True,
    )
    found, seconds, grown = done.stdout.split()
    return int(found), float(seconds), float(grown)


@contextmanager
def _reported(counts: list[int]) -> Iterator[None]:
    before, started = _resident_mb("VmRSS"), time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    print(sum(counts), seconds, max(_resident_mb("VmHWM") - before, 0))


def _resident_mb(line: str) -> float:
    with open("/proc/self/status") as status:
        return next(int(text.split()[1]) / 1024 for text in status if text.startswith(line))


def list_bare() -> None:
    import botocore.session
    from botocore.config import Config

    client = botocore.session.Session().create_client(
        "s3",
        endpoint_url=os.environ["BENCH_ENDPOINT"],
        region_name="us-east-1",
        aws_access_key_id=os.environ["BENCH_ACCESS_KEY"],
        aws_secret_access_key=os.environ["BENCH_SECRET_KEY"],
        config=Config(s3={"addressing_style": "path"}, signature_version="s3v4", proxies={}),
    )
    bucket = os.environ["BENCH_BUCKET"]
    client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    counts: list[int] = []
    with _reported(counts):
        more: dict[str, str] = {}
        while more is not None:
            page = client.list_objects_v2(Bucket=bucket, **more)
            counts.append(len(page["Contents"]))
            token = page.get("NextContinuationToken")
            more = {"ContinuationToken": token} if page["IsTruncated"] else None


def list_with_driver() -> None:
    database.start()
    from datasets.secrets import Secret
    from datasets.storages.addresses import AddressRules
    from datasets.storages.s3_connection import Addressing, Keys, S3Connection

    storage = S3Connection(
        bucket=os.environ["BENCH_BUCKET"],
        endpoint=os.environ["BENCH_ENDPOINT"],
        addressing=Addressing.PATH,
        keys=Keys(
            access_key=os.environ["BENCH_ACCESS_KEY"],
            secret_key=Secret(os.environ["BENCH_SECRET_KEY"]),
        ),
        rules=AddressRules.allowing("127.0.0.1"),
    ).storage()
    next(storage.list(after="class-9/image-"), None)
    counts: list[int] = []
    with _reported(counts):
        counts.append(sum(1 for _ in storage.list()))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["bare"]:
            list_bare()
        case ["driver"]:
            list_with_driver()
        case [number]:
            main(int(number))
        case _:
            main(20_000)

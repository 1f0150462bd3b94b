"""How fast thumbnails are made ahead: 1080p JPEGs through the run, against a bare loop that decodes
(scaled), resizes and encodes them on all cores, in turns.

    python -m bench.thumbnails [NUMBER]
"""

import io
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import database

SIDE, QUALITY, EFFORT = 384, 80, 2
DIFFERENT = 24
ROUNDS = 3


def main(number: int) -> None:
    data = database.start()
    folder = data / "images"
    make_photos(folder, number)

    from datasets.sources import FolderSource
    from labels.services import create_job_with_labels
    from runs.engine import work_once

    job = create_job_with_labels(
        name="bench", mode="single", source=FolderSource(str(folder)), labels=["cat"], by=None
    )
    while work_once("bench"):
        pass
    print(database.machine())
    paths = sorted(folder.iterdir())
    kept = data / "data" / "thumbnails"
    for _round in range(ROUNDS):
        shutil.rmtree(kept, ignore_errors=True)
        bare, bare_cpu = taken(lambda: bare_loop(paths))
        run, run_cpu = taken(lambda: the_run(job.dataset, number))
        print(
            f"bare loop {number / bare:.0f} a second, {1000 * bare_cpu / number:.1f} ms CPU each; "
            f"the run {number / run:.0f} a second, {1000 * run_cpu / number:.1f} ms CPU each; "
            f"ratio {bare / run:.2f}, of CPU {bare_cpu / run_cpu:.2f}"
        )


def taken(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and seconds of the processors."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - cpu


def make_photos(folder: Path, number: int) -> None:
    """Photo-like: smooth shapes with grain. A few dozen different ones, each with many names."""
    from PIL import Image

    folder.mkdir()
    for index in range(min(number, DIFFERENT)):
        shapes = Image.effect_noise((48, 27), 120).resize((1920, 1080), Image.Resampling.BICUBIC)
        grain = Image.effect_noise((1920, 1080), 24)
        channels = [Image.blend(shapes.rotate(90 * turn), grain, 0.2) for turn in range(3)]
        Image.merge("RGB", channels).save(folder / f"{index:06d}.jpg", quality=88)
    for index in range(DIFFERENT, number):
        (folder / f"{index:06d}.jpg").hardlink_to(folder / f"{index % DIFFERENT:06d}.jpg")


def bare_loop(paths: list[Path]) -> None:
    """Nothing is checked, nothing is kept."""
    from PIL import Image

    def one(path: Path) -> None:
        with Image.open(path) as image:
            image.draft("RGB", (SIDE, SIDE))
            small = image.resize((SIDE, SIDE * 1080 // 1920), Image.Resampling.BICUBIC)
            small.save(io.BytesIO(), "WEBP", quality=QUALITY, method=EFFORT)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, paths))


def the_run(dataset, number: int) -> None:
    """From the request to the end of the run, rows and files included."""
    from datasets.thumbnail_runs import start_thumbnails
    from runs.engine import work_once

    run = start_thumbnails(dataset)
    while work_once("bench"):
        pass
    run.refresh_from_db()
    assert run.counts == {"made": number}, run.counts


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)

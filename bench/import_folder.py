"""How fast a folder of small JPEGs is imported, thumbnails not counted, and whether memory is flat.

    python -m bench.import_folder [NUMBER]

PaddleLabel 1.0.1 took 16 to 28 s for 10,000 such files on two shared cores.
"""

import resource
import sys
import time
from pathlib import Path

from bench import database


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(number: int) -> None:
    folder = database.start() / "images"
    make_images(folder, number)

    from datasets.sources import FolderSource
    from jobs.models import Sample
    from labels.services import create_job_with_labels
    from runs.engine import work_once
    from runs.models import Run, RunKind

    print(database.machine())
    before, started, cpu = peak_mb(), time.perf_counter(), time.process_time()
    source = FolderSource(str(folder))
    create_job_with_labels(
        name="bench", mode="single", source=source, labels=["cat", "dog"], by=None
    )
    at_tenth = 0.0
    run = Run.objects.get(kind=RunKind.SYNC)
    while not run.is_over and work_once("bench"):
        run.refresh_from_db()
        if not at_tenth and Sample.objects.count() >= number // 10:
            at_tenth = peak_mb()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert Sample.objects.count() == number
    print(f"{number} images in {seconds:.2f} s ({number / seconds:.0f} a second), CPU {cpu:.2f} s")
    print(f"peak memory: {before:.0f} MB before, {at_tenth:.0f} at a tenth, {peak_mb():.0f} after")


def make_images(folder: Path, number: int, *, side: int = 64) -> None:
    """Ten class folders of gradients, each file another."""
    from PIL import Image

    for index in range(number):
        path = folder / f"class-{index % 10}" / f"image-{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.linear_gradient("L").resize((side, side)).rotate(index % 360)
        picture.convert("RGB").save(path, quality=85)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

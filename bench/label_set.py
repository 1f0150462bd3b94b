"""What changing labels costs: rename, merge of 10,000 into 10,000 images, delete a label of many.

    python -m bench.label_set [SAMPLES]

Wall and CPU time, with the longest piece of each run, which is a transaction: while it lasts,
others wait. Every image was labeled at a time of its own. The database is SQLite (or
LABELHUB_BENCH_DATABASE_URL); with it CPU time includes that of PostgreSQL on this machine.

Targets: rename one row; the merge under 2 s; no transaction over 1 s.
"""

import sys
import time
from collections.abc import Callable

from bench import database

MERGED = 10_000


def main(number: int) -> None:
    database.start()
    from labels.labelset.deletion import Policy, delete_labels
    from labels.labelset.edits import edit_label
    from labels.labelset.merging import merge_labels, preview_merge
    from labels.labelset.undoing import undo_change

    member, (few, more, many) = make_labels(number)
    print(f"{database.machine()}; {number} samples")
    show("rename the label of most", lambda: edit_label(member, many, name="renamed"))
    show("preview of the merge", lambda: preview_merge(member, [few], more))
    merged = show("merge 10,000 into 10,000", lambda: merge_labels(member, [few], more))
    show("  undo it", lambda: undo_change(member, merged.change.pk))
    deleted = show(
        "delete the label of most", lambda: delete_labels(member, [many], policy=Policy.LABEL)
    )
    show("  undo it", lambda: undo_change(member, deleted.change.pk))


def make_labels(number: int):
    from datetime import timedelta

    from django.utils import timezone

    from annotators.models import Member, User
    from datasets.models import Dataset, Image, Storage
    from jobs import counters
    from jobs.models import Job, Sample
    from labels.models import Annotation
    from labels.services import create_labels

    now = timezone.now()
    alice = User.objects.create_user("alice@example.org", "a-red-bicycle-42")
    storage = Storage.objects.create(name="bench", root="/nowhere")
    dataset = Dataset.objects.create(name="bench", storage=storage)
    job = Job.objects.create(name="bench", mode="multi", dataset=dataset)
    Member.objects.create(job=job, user=alice, role="owner")
    few, more, many = (label.pk for label in create_labels(job, ["few", "more", "many"]))
    Image.objects.bulk_create(
        (
            Image(
                dataset=dataset,
                path=f"{at:07d}.jpg",
                size=1,
                etag="",
                modified_at=now,
                width=1,
                height=1,
            )
            for at in range(number)
        ),
        batch_size=2_000,
    )
    images = Image.objects.order_by("pk").values_list("pk", "path").iterator(2_000)
    Sample.objects.bulk_create(
        (
            Sample(
                job=job,
                image_id=pk,
                path=path,
                state="labeled",
                last_by=alice,
                last_at=now - timedelta(seconds=at),
                label_count=1,
            )
            for at, (pk, path) in enumerate(images)
        ),
        batch_size=2_000,
    )
    ids = list(Sample.objects.order_by("pk").values_list("pk", flat=True))
    carried = [few] * MERGED + [more] * MERGED + [many] * (number - 2 * MERGED)
    Annotation.objects.bulk_create(
        (
            Annotation(sample_id=pk, label_id=label, user=alice)
            for pk, label in zip(ids, carried, strict=True)
        ),
        batch_size=2_000,
    )
    counters.add(job, counters.count(job))
    return Member.objects.select_related("job", "user").get(job=job), (few, more, many)


def show(name: str, act: Callable):
    """Does it, with the run that it may begin; prints how long that took."""
    from bench.requests import busy
    from runs import engine

    started, cpu = time.perf_counter(), busy()
    result = act()
    pieces, longest = 0, (time.perf_counter() - started, busy() - cpu)
    while True:
        began, cpu_began = time.perf_counter(), busy()
        if not engine.work_once("bench"):
            break
        pieces += 1
        spent = (time.perf_counter() - began, busy() - cpu_began)
        longest = max(longest, spent, key=lambda both: both[1])
    took, cpu_took = time.perf_counter() - started, busy() - cpu
    print(
        f"{name:26} {took:7.2f} s ({cpu_took:6.2f} s CPU), {pieces:4d} pieces, "
        f"the longest {1000 * longest[0]:5.0f} ms ({1000 * longest[1]:4.0f} ms CPU)",
        flush=True,
    )
    return result


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 220_000)

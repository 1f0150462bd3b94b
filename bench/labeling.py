"""What a request costs: label one image, label a hundred, a page of a hundred tiles.

    python -m bench.labeling [SAMPLES]

CPU time of this process, median of the rounds, the database (SQLite) in it; statements without
BEGIN and COMMIT, which are counted apart. Label Studio took 80 ms of CPU and 63 statements to label
one image, and 100 requests to label a hundred.
"""

import gzip
import json
import statistics
import sys
import time
from collections.abc import Callable

from bench import database

ROUNDS = 40
PAGE = 100


def main(number: int) -> None:
    database.start()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    # Hashed names of static files need `collectstatic`, which is not measured here.
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.STATIC_ROOT.mkdir(parents=True)
    job, client = make_job(number)
    ids = list(job.samples.order_by("pk").values_list("pk", flat=True)[: ROUNDS * PAGE])
    label = job.labels.first().pk
    annotate = f"/api/jobs/{job.pk}/annotate/"

    def post(chosen: list[int]):
        body = json.dumps({"ids": chosen, "add": [label]})
        return client.post(annotate, body, content_type="application/json")

    print(f"{database.machine()}; {number} samples, 50 labels")
    show("label one image", lambda round_: post([ids[round_]]))
    show(
        "label 100 images",
        lambda round_: post(ids[round_ * PAGE : (round_ + 1) * PAGE]),
        rounds=min(ROUNDS, len(ids) // PAGE),
    )
    page = show("page of 100 tiles", lambda _round: client.get(f"/jobs/{job.pk}/?size={PAGE}"))
    packed = len(gzip.compress(page.content, 6))
    print(f"  HTML {len(page.content) / 1000:.1f} kB, gzip {packed / 1000:.1f} kB")
    show("job list", lambda _round: client.get("/"))


def make_job(number: int):
    from django.test import Client
    from django.utils import timezone

    from annotators.models import Member, User
    from datasets.models import Dataset, Image, Storage
    from jobs import counters
    from jobs.models import Job, Sample
    from labels.services import create_labels

    user = User.objects.create_user("bench@example.org", "a-long-password-1")
    storage = Storage.objects.create(name="bench", root="/nowhere")
    dataset = Dataset.objects.create(name="bench", storage=storage)
    job = Job.objects.create(name="bench", dataset=dataset, mode="multi")
    Member.objects.create(job=job, user=user, role="owner")
    create_labels(job, [f"label-{index}" for index in range(50)])
    images = Image.objects.bulk_create(
        (
            Image(
                dataset=dataset,
                path=f"folder-{index % 20}/IMG_{index:07d}.jpg",
                size=100_000,
                etag=f"{index:x}-100000",
                modified_at=timezone.now(),
                width=1920,
                height=1080,
                format="JPEG",
            )
            for index in range(number)
        ),
        batch_size=1000,
    )
    Sample.objects.bulk_create(
        (Sample(job=job, image=image, path=image.path) for image in images), batch_size=1000
    )
    counters.add(job, {"state:unlabeled": number})
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return job, client


def show(what: str, request: Callable, *, rounds: int = ROUNDS):
    """Runs the rounds and prints medians; the last answer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        response = request(0)
    assert response.status_code == 200, response.content[:500]
    said = [one["sql"].split()[0] for one in seen]
    control = sum(word in ("BEGIN", "COMMIT") for word in said)
    cpu, wall = [], []
    for round_ in range(1, rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        response = request(round_)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
        assert response.status_code == 200
    print(
        f"{what}: {1000 * statistics.median(cpu):.1f} ms CPU, "
        f"{1000 * statistics.median(wall):.1f} ms wall, {len(said) - control} statements "
        f"(+ {control} BEGIN/COMMIT)"
    )
    return response


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

"""Builders: what a test needs to exist, in one line each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db.models import Max
from django.test import Client
from PIL import Image as Picture

from annotators.access import member_or_404
from annotators.models import Member, User
from annotators.roles import Role
from datasets.models import Dataset, Image, Storage
from jobs import counters
from jobs.models import Job, Sample, SampleState
from labels import services as label_services
from runs import engine

_numbers = count(1)
MODIFIED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WIDTH, HEIGHT = 32, 24


def job(
    *,
    owner: User | None = None,
    labels: Sequence[str] = ("cat", "dog"),
    mode: str = "multi",
    name: str = "Animals",
    dataset: Dataset | None = None,
) -> Job:
    """A job over an empty folder of its own (or over `dataset`), with labels in that order."""
    made = Job.objects.create(name=name, mode=mode, dataset=dataset or folder_dataset(owner))
    if owner is not None:
        member(made, owner, Role.OWNER)
    if labels:
        label_services.create_labels(made, labels)
    return made


def folder_dataset(owner: User | None = None) -> Dataset:
    root = settings.IMAGE_ROOTS[0] / f"folder-{next(_numbers)}"
    root.mkdir()
    storage = Storage.objects.create(name=root.name, root=str(root), owner=owner)
    return Dataset.objects.create(name=root.name, storage=storage, created_by=owner)


def folder_of(job: Job) -> Path:
    """Where the files of a job's dataset lie."""
    return Path(job.dataset.storage.root) / job.dataset.prefix


def images(job: Job, number: int, *, files: bool = False, folder: str = "") -> list[Sample]:
    """That many new images of the job's dataset; the samples of this job, in grid order.

    With `files`, each is a real JPEG of another colour.
    """
    first = (job.dataset.images.aggregate(last=Max("pk"))["last"] or 0) + 1
    paths = [f"{folder}image-{first + offset:05d}.jpg" for offset in range(number)]
    sizes = [jpeg(folder_of(job) / path) if files else 1_000 for path in paths]
    rows = Image.objects.bulk_create(
        Image(
            dataset=job.dataset,
            path=path,
            size=size,
            etag=f"etag of {path}",
            modified_at=MODIFIED_AT,
            width=WIDTH,
            height=HEIGHT,
            format="JPEG",
        )
        for path, size in zip(paths, sizes, strict=True)
    )
    for each in job.dataset.jobs.all():
        Sample.objects.bulk_create(Sample(job=each, image=row, path=row.path) for row in rows)
        counters.add(each, {counters.state_key(SampleState.UNLABELED): number})
    return list(job.samples.filter(image__in=rows).order_by("pk"))


def jpeg(path: Path, *, size: tuple[int, int] = (WIDTH, HEIGHT), number: int | None = None) -> int:
    """A small picture in one colour, another one for each `number`; its length in bytes."""
    number = next(_numbers) if number is None else number
    colour = (number * 37 % 256, number * 71 % 256, number * 113 % 256)
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.new("RGB", size, colour).save(path, "JPEG")
    return path.stat().st_size


def picture(*, size: tuple[int, int] = (WIDTH, HEIGHT), kind: str = "JPEG") -> bytes:
    """The bytes of a small picture."""
    content = BytesIO()
    Picture.new("RGB", size, (37, 71, 113)).save(content, kind)
    return content.getvalue()


def same_jpegs(folder: Path, number: int) -> None:
    """That many files in seven folders, quickly: links to the same small picture."""
    first = folder / "part-0" / "00000.jpg"
    jpeg(first, size=(16, 12))
    for at in range(1, number):
        path = folder / f"part-{at % 7}" / f"{at:05d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.hardlink_to(first)


def member(job: Job, user: User, role: Role | str = Role.LABELER) -> Member:
    return Member.objects.create(job=job, user=user, role=role)


def membership(job: Job, user: User) -> Member:
    """What the gate gives to a view: the member, with its job and its user loaded."""
    return member_or_404(user, job.pk)


def client(user: User | None = None, **defaults) -> Client:
    """A client that is signed in as `user`."""
    made = Client(**defaults)
    if user is not None:
        made.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return made


def finish_runs() -> None:
    """Does all background work that waits, here and now."""
    while engine.work_once("tests"):
        pass

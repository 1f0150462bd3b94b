"""The images around one, small, below the viewer."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse

from datasets.thumbnails import Size, key_of
from jobs.models import Job


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of the strip: its name, where it is shown large, and its small picture."""

    pk: int
    name: str
    href: str
    thumbnail: str


def frames(job: Job, addresses: Mapping[int, str]) -> list[Frame]:
    """Of the samples with these addresses in the viewer, in their order."""
    columns = ("pk", "path", "image__dataset_id", "image__etag")
    rows = {row[0]: row[1:] for row in job.samples.filter(pk__in=addresses).values_list(*columns)}
    return [
        Frame(
            pk=pk,
            name=rows[pk][0].rpartition("/")[2],
            href=href,
            thumbnail=_thumbnail(job.pk, pk, *rows[pk]),
        )
        for pk, href in addresses.items()
        if pk in rows
    ]


def _thumbnail(job_id: int, pk: int, path: str, dataset_id: int, etag: str) -> str:
    key = key_of(dataset_id, path, etag)
    return reverse("thumbnail", args=[job_id, pk, Size.TILE.value, key])

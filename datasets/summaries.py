"""The numbers of a dataset's page (`Dataset.summary`), moved with the rows instead of counted.

`images`, `bytes` and `formats` are of what can be used: images that are neither refused nor
missing. `missing` are images whose file was not found any more, whether people keep them or not;
`refused` are files that cannot be taken, missing or not. Each row is in one of the three.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Sum

from datasets.models import Dataset, Image

EMPTY = {"images": 0, "bytes": 0, "refused": 0, "missing": 0}


def moved(
    summary: dict[str, Any], *, added: Iterable[Image] = (), removed: Iterable[Image] = ()
) -> dict[str, Any]:
    """The summary after rows came and went. A row that changed is both: removed as it was, added
    as it is."""
    after = EMPTY | summary
    after["formats"] = dict(summary.get("formats", {}))
    for step, images in ((1, added), (-1, removed)):
        for image in images:
            _count(after, image, step)
    after["formats"] = {name: number for name, number in after["formats"].items() if number}
    return after


def _count(summary: dict[str, Any], image: Image, step: int) -> None:
    if image.is_refused:
        summary["refused"] += step
    elif image.missing_since is not None:
        summary["missing"] += step
    else:
        summary["images"] += step
        summary["bytes"] += step * image.size
        formats = summary["formats"]
        formats[image.format] = formats.get(image.format, 0) + step


def move_summary(
    dataset: Dataset, *, added: Iterable[Image] = (), removed: Iterable[Image] = ()
) -> dict[str, Any]:
    """Moves the stored summary, in the transaction that wrote or deleted the rows, after that.

    Of a dataset that has none yet the rows are counted.
    """
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if locked.summary:
        locked.summary = moved(locked.summary, added=added, removed=removed)
    else:
        locked.summary = counted(locked)
    locked.save(update_fields=["summary"])
    dataset.summary = locked.summary
    return locked.summary


def counted(dataset: Dataset) -> dict[str, Any]:
    """What the summary should say, counted from the rows."""
    files = dataset.images.order_by()
    usable = files.filter(is_refused=False, missing_since=None)
    formats = usable.values_list("format").annotate(number=Count("pk"))
    return {
        "images": usable.count(),
        "bytes": usable.aggregate(sum=Sum("size"))["sum"] or 0,
        "refused": files.filter(is_refused=True).count(),
        "missing": files.filter(is_refused=False).exclude(missing_since=None).count(),
        "formats": dict(formats),
    }

"""The stored numbers of a dataset: what its page shows without counting rows.

`Dataset.summary` is {"images", "bytes", "refused", "missing", "formats": {format: images}}. Images
that cannot be taken count as refused, those whose file is gone as missing, neither as images.
Whoever adds, changes or removes images moves it, holding the lock of the dataset's row.
"""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Q, Sum

from datasets.models import Dataset, Image

Summary = dict[str, int | dict[str, int]]


def moved(
    summary: Summary, *, added: Iterable[Image] = (), removed: Iterable[Image] = ()
) -> Summary:
    """The summary after images came and went; a changed image goes as it was and comes as it is.

    Of the images `size`, `format`, `is_refused` and `missing_since` are read.
    """
    tally = Counter({name: summary.get(name, 0) for name in ("images", "bytes")})
    tally.update({name: summary.get(name, 0) for name in ("refused", "missing")})
    formats = Counter(summary.get("formats", {}))
    for images, sign in ((added, 1), (removed, -1)):
        for image in images:
            if image.is_refused:
                tally["refused"] += sign
            elif image.missing_since is not None:
                tally["missing"] += sign
            else:
                tally["images"] += sign
                tally["bytes"] += sign * image.size
                formats[image.format] += sign
    return {**tally, "formats": dict(+formats)}


def counted(dataset: Dataset) -> Summary:
    """What the summary should say, counted from the rows."""
    usable = Q(is_refused=False, missing_since=None)
    rows = dataset.images.aggregate(
        images=Count("pk", filter=usable),
        bytes=Sum("size", filter=usable, default=0),
        refused=Count("pk", filter=Q(is_refused=True)),
        missing=Count("pk", filter=Q(is_refused=False, missing_since__isnull=False)),
    )
    formats = dataset.images.filter(usable).values_list("format").annotate(n=Count("pk"))
    return {**rows, "formats": dict(formats.order_by("format"))}

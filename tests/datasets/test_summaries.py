"""The numbers of a dataset's page, moved with its rows."""

import pytest
from django.utils import timezone

from datasets import summaries
from datasets.models import Image
from tests import make

pytestmark = pytest.mark.django_db


def row(name: str, **fields) -> Image:
    usual = {"size": 10, "format": "JPEG", "width": 1, "height": 1, "modified_at": timezone.now()}
    return Image(path=name, etag="etag", **usual | fields)


def test_each_row_counts_as_usable_missing_or_refused():
    rows = [
        row("a.jpg"),
        row("b.png", format="PNG", size=5),
        row("gone.jpg", missing_since=timezone.now()),
        row("bad.jpg", is_refused=True),
    ]

    summary = summaries.moved({}, added=rows)

    assert summary == {
        "images": 2,
        "bytes": 15,
        "refused": 1,
        "missing": 1,
        "formats": {"JPEG": 1, "PNG": 1},
    }
    empty = {"images": 0, "bytes": 0, "refused": 0, "missing": 0, "formats": {}}
    assert summaries.moved(summary, removed=rows) == empty


def test_the_stored_summary_agrees_with_the_rows():
    dataset = make.folder_dataset()
    rows = [row("a.jpg", dataset=dataset), row("b.png", dataset=dataset, format="PNG")]
    Image.objects.bulk_create(rows)
    summaries.move_summary(dataset, added=rows)
    rows[1].missing_since = timezone.now()
    rows[1].save()

    summaries.move_summary(dataset, removed=[row("b.png", format="PNG")], added=[rows[1]])

    dataset.refresh_from_db()
    assert dataset.summary == summaries.counted(dataset)

"""Which datasets hold the same files."""

import pytest

from datasets.locations import overlapping
from datasets.models import Dataset, Storage
from tests import make

pytestmark = pytest.mark.django_db


def bucket(prefix: str = "", dataset_prefix: str = "", **fields) -> Dataset:
    given = {"bucket": "b", "endpoint": "https://s3.example.org", "prefix": prefix} | fields
    storage = Storage.objects.create(name="S", kind="s3", **given)
    return Dataset.objects.create(name="D", storage=storage, prefix=dataset_prefix)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"prefix": "team"}, True),
        ({"prefix": "team/photos/"}, True),
        ({"dataset_prefix": "team/photos/2024/"}, True),
        ({}, True),
        ({"prefix": "team", "endpoint": "https://S3.example.org:443"}, True),
        ({"prefix": "team2"}, False),
        ({"prefix": "team/photos2"}, False),
        ({"prefix": "team/photos", "bucket": "c"}, False),
        ({"prefix": "team/photos", "endpoint": "https://other.example.org"}, False),
        ({"prefix": "team/photos", "endpoint": "http://s3.example.org"}, False),
    ],
)
def test_places_in_buckets(other, same):
    here = bucket("team/photos")
    there = bucket(**other)

    assert overlapping(here) == ([there] if same else [])
    assert overlapping(there) == ([here] if same else [])


def test_folders_are_the_same_through_a_link(tmp_path):
    here = make.folder_dataset()
    link = tmp_path / "link"
    link.symlink_to(here.storage.root)
    storage = Storage.objects.create(name="link", root=str(link))
    there = Dataset.objects.create(name="there", storage=storage, prefix="inside/")
    make.folder_dataset()

    assert overlapping(here) == [there]

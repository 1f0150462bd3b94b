"""From what a label file calls an image to its path in the dataset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.formats.paths import resolve, suffixes

PLACE = {"bucket": "photos", "prefix": "fruit/", "folder": "lists"}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("1.jpg", "lists/1.jpg"),
        ("./a/1.jpg", "lists/a/1.jpg"),
        ("a//1.jpg", "lists/a/1.jpg"),
        ("../images/1.jpg", "images/1.jpg"),
        ("a\\b\\1.jpg", "lists/a/b/1.jpg"),
        ("图/照片 1.jpg", "lists/图/照片 1.jpg"),
        ("..jpg/...1.jpg", "lists/..jpg/...1.jpg"),
        ("s3://photos/fruit/a/1.jpg", "a/1.jpg"),
        ("S3://photos/fruit/a/1.jpg", "a/1.jpg"),
        ("s3a://photos/fruit/1.jpg", "1.jpg"),
        ("obs://photos/fruit/1 2.jpg", "1 2.jpg"),
    ],
)
def test_a_path_inside_is_found(raw, path):
    assert resolve(raw, **PLACE) == path


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "a/",
        "a/..",
        "../..",
        "../../1.jpg",
        "a/../../../1.jpg",
        "..\\..\\1.jpg",
        "/etc/passwd",
        "\\\\server\\share\\1.jpg",
        "C:\\photos\\1.jpg",
        "c:/photos/1.jpg",
        "s3://other/fruit/1.jpg",
        "s3://photos/vegetables/1.jpg",
        "s3://photos/fruit/../secret/1.jpg",
        "s3://photos/fruit/",
        "s3://photos",
        "s3:///fruit/1.jpg",
        "http://host/1.jpg",
        "file:///etc/passwd",
        "gs://photos/fruit/1.jpg",
        "a\0.jpg",
    ],
)
def test_a_path_that_leads_out_is_none(raw):
    assert resolve(raw, **PLACE) is None


def test_addresses_need_a_bucket():
    assert resolve("s3:///1.jpg") is None
    assert resolve("s3://photos/1.jpg") is None
    assert resolve("s3://photos/1.jpg", bucket="photos") == "1.jpg"


@given(st.text("./\\ab:", max_size=20), st.sampled_from(["", "lists", "a/b"]))
def test_nothing_leads_out(raw, folder):
    path = resolve(raw, folder=folder)

    assert path is None or not {"", ".", ".."} & set(path.split("/"))


@pytest.mark.parametrize(
    ("raw", "ends"),
    [
        ("s3://bucket/grocery/data/1.jpg", ["grocery/data/1.jpg", "data/1.jpg", "1.jpg"]),
        ("/home/a/1.jpg", ["home/a/1.jpg", "a/1.jpg", "1.jpg"]),
        ("D:\\a\\1.jpg", ["a/1.jpg", "1.jpg"]),
        ("upload/7/1a2b3c4d-1.jpg", ["upload/7/1a2b3c4d-1.jpg", "7/1a2b3c4d-1.jpg"]),
        ("http://host/a/1.jpg", ["a/1.jpg", "1.jpg"]),
        ("../1.jpg", []),
        ("", []),
    ],
)
def test_the_ends_of_a_path_get_shorter(raw, ends):
    assert list(suffixes(raw))[: len(ends)] == ends


def test_an_upload_is_known_by_its_own_name_too():
    assert list(suffixes("7/1a2b3c4d-1.jpg")) == [
        "7/1a2b3c4d-1.jpg",
        "1a2b3c4d-1.jpg",
        "1.jpg",
    ]

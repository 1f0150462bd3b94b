"""Labels in the names of folders, and in texts beside the images."""

import io

import pytest

from datasets.formats import beside, folders
from datasets.formats.reading import BadLine


def labels(*paths: str) -> list[tuple[str, tuple[str, ...]]]:
    read = folders.read(paths, split_depth=folders.find_splits(paths))
    return [(record.split, record.labels) for record in read]


def test_the_last_folder_is_the_label():
    assert labels("Fruit/Apple/1.jpg", "Fruit/Pear/2.jpg", "3.jpg") == [
        ("", ("Apple",)),
        ("", ("Pear",)),
        ("", ()),
    ]


def test_splits_are_the_first_folders():
    assert labels("train/cat/1.jpg", "Validation/dog/2.jpg", "test/cat/3.jpg", "val/4.jpg") == [
        ("train", ("cat",)),
        ("val", ("dog",)),
        ("test", ("cat",)),
        ("val", ()),
    ]


def test_an_archive_wraps_all_in_one_folder():
    assert labels("pets/train/cat/1.jpg", "pets/test/dog/2.jpg") == [
        ("train", ("cat",)),
        ("test", ("dog",)),
    ]


def test_a_label_that_is_called_like_a_split():
    assert labels("train/1.jpg", "car/2.jpg", "bus/3.jpg") == [
        ("", ("train",)),
        ("", ("car",)),
        ("", ("bus",)),
    ]


def test_images_in_no_folder_are_not_labeled():
    (record,) = folders.read(["1.jpg"], split_depth=None)

    assert not record.is_labeled


def test_folders_that_only_hold_images_name_no_label():
    assert folders.labels_in(["images/1.jpg", "train/2.jpg"]) == ["train"]
    assert folders.labels_in(["train/1.jpg", "test/2.jpg"]) == []
    assert folders.labels_in([]) == []


def text(content: str | bytes):
    return io.BytesIO(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("cat", ("cat",)),
        ("cat\r\ndog\r\n", ("cat", "dog")),
        ("\ufeffSour Milk\n\n cat \ncat\n", ("Sour Milk", "cat")),
        ("向日葵".encode("gb18030"), ("向日葵",)),
        ("1\n2", ("1", "2")),
        ("", ()),
    ],
)
def test_a_text_has_a_label_on_each_line(content, found):
    record = beside.read("a/1.jpg", text(content))

    assert (record.path, record.labels, record.is_labeled) == ("a/1.jpg", found, True)


def test_without_a_text_an_image_is_not_labeled():
    assert not beside.read("a/1.jpg", None).is_labeled


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/1.jpg", "a/1.txt"),
        ("a.b/c.d.png", "a.b/c.d.txt"),
        ("a.b/c", "a.b/c.txt"),
        (".jpg", ".jpg.txt"),
    ],
)
def test_the_text_has_the_name_of_the_image(path, name):
    assert beside.text_name(path) == name


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("0 0.51 0.42 0.1 0.2\n", "text-has-boxes"),
        ("a" * 70_000, "text-too-long"),
        ("a\n" * 40_000, "text-too-long"),
        ("x" * 2_000_000, "line-too-long"),
        ("x" * 1_100, "line-label-unusable"),
        (bytes(1_000), "not-text"),
        ("a\0b", "line-label-unusable"),
        (b"caf\xe9", "line-encoding"),
    ],
)
def test_a_text_that_holds_no_labels_is_told(content, code):
    found = beside.read("1.jpg", text(content))

    assert isinstance(found, BadLine)
    assert found.code == code


def test_the_folder_of_a_split_counts_for_texts_too():
    assert beside.read("train/1.jpg", text("cat")).split == "train"
    assert beside.read("training-pets/1.jpg", text("cat")).split == ""
